import { getNullableType, isListType, Kind, type GraphQLOutputType } from 'graphql';
import { pageSizeDefault } from '../../store/bounded/page.js';
import type { FieldCost } from '../schema/schema-policy.js';
import type { Denied } from '../rules/rule-map.js';
import { argumentsOf, type Selected } from './selection.js';

type Values = Readonly<Record<string, unknown>>;

/** How many objects a field gives: a fixed number, or the value of a variable. */
type Times = number | { readonly variable: string };

/** The weight of a field for each year of a period, and its number of objects for each bucket. */
interface Spanning {
  readonly selected: Selected;
  readonly weight: number;
  readonly size: number;
}

interface Priced {
  readonly selected: Selected;
  readonly weight: number | Spanning;
  /** True for a field of the page itself, such as the total count: it counts once for the page, not for each row. */
  readonly isOfPage: boolean;
  readonly times: Times;
  readonly children: readonly Priced[];
}

/**
 * The number of fields that an operation may resolve, computed from its page sizes before it runs. A field costs one,
 * times the page sizes of all lists above it; `@cost` in the SDL raises that. A field of a page counts once for the
 * page. Without `first`, the default page size counts. Rows beyond the page size are not counted.
 */
export class Cost {
  private readonly fields: readonly Priced[];

  constructor(
    fields: readonly Selected[],
    costs: ReadonlyMap<string, FieldCost>,
    private readonly pageSizeMax: number,
  ) {
    this.fields = priced(fields, costs, pageSizeMax);
  }

  /**
   * The cost with the coerced variables of a request. @param denied fields that are not resolved; each occurrence gives
   * null and an error
   */
  of(variables: Values, denied: ReadonlyMap<Selected, Denied>): number {
    return this.sum(this.fields, 1, 1, variables, denied);
  }

  /**
   * @param pages how many pages or other objects have the fields
   * @param rows how many rows they may give together
   */
  private sum(
    fields: readonly Priced[],
    pages: number,
    rows: number,
    variables: Values,
    denied: ReadonlyMap<Selected, Denied>,
  ): number {
    let cost = 0;
    for (const field of fields) {
      const times = field.isOfPage ? pages : rows;
      if (denied.has(field.selected)) {
        cost += times * refusalWeight;
        continue;
      }
      const { weight, inner } = this.worth(field, variables);
      cost += times * weight;
      if (field.children.length === 0) continue;
      cost += this.sum(field.children, times, times * inner, variables, denied);
    }
    return cost;
  }

  private worth({ weight, times }: Priced, variables: Values): { weight: number; inner: number } {
    if (typeof weight === 'number') {
      return { weight, inner: typeof times === 'number' ? times : this.said(variables[times.variable]) };
    }
    const { years, buckets } = spanOf(argumentsOf(weight.selected, variables));
    return { weight: weight.weight * years, inner: weight.size * buckets };
  }

  private said(first: unknown): number {
    return pageOf(typeof first === 'number' ? first : pageSizeDefault, this.pageSizeMax);
  }
}

const pageOf = (first: number, pageSizeMax: number): number => Math.min(Math.max(1, first), pageSizeMax);

const priced = (
  fields: readonly Selected[],
  costs: ReadonlyMap<string, FieldCost>,
  pageSizeMax: number,
  areOfPage = false,
): Priced[] =>
  fields
    .filter((field) => !field.isMeta)
    .map((field) => {
      const { weight, size, span } = costs.get(field.coordinate) ?? usual;
      return {
        selected: field,
        weight: span ? { selected: field, weight, size } : weight,
        isOfPage: areOfPage && !isList(field.field.type),
        times: timesOf(field, size, pageSizeMax),
        children: priced(field.children, costs, pageSizeMax, isPaged(field) && !isList(field.field.type)),
      };
    });

/** Writing an error takes as long as resolving this many fields. */
const refusalWeight = 8;

const usual: FieldCost = { weight: 1, size: 1, span: false };

/** The number of the bucket in which a time lies. */
const bucketAt: Readonly<Record<string, (time: Date) => number>> = {
  YEAR: (time) => time.getUTCFullYear(),
  QUARTER: (time) => time.getUTCFullYear() * 4 + Math.floor(time.getUTCMonth() / 3),
  MONTH: (time) => time.getUTCFullYear() * 12 + time.getUTCMonth(),
  DAY: (time) => Math.floor(time.getTime() / 86_400_000),
};

/** The least possible for a period that ends before it begins; it is refused later. */
function spanOf({ from, to, bucket }: Values): { years: number; buckets: number } {
  const [begin, end] = [new Date(String(from)), new Date(Date.parse(String(to)) - 1)];
  const count = (length: string): number => {
    const numberOf = bucketAt[length];
    return numberOf === undefined || !(begin <= end) ? 1 : numberOf(end) - numberOf(begin) + 1;
  };
  return { years: count('YEAR'), buckets: count(String(bucket)) };
}

const isList = (type: GraphQLOutputType): boolean => isListType(getNullableType(type));

/** A field with a `first` argument gives a page. */
const isPaged = ({ field }: Selected): boolean => field.args.some((arg) => arg.name === 'first');

function timesOf(selected: Selected, size: number, pageSizeMax: number): Times {
  if (!isPaged(selected)) return size;
  const value = selected.nodes[0]?.arguments?.find((argument) => argument.name.value === 'first')?.value;
  if (value?.kind === Kind.VARIABLE) return { variable: value.name.value };
  return pageOf(value?.kind === Kind.INT ? Number(value.value) : pageSizeDefault, pageSizeMax);
}
