import {
  getNullableType,
  isLeafType,
  isListType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from 'graphql';
import { tooComplex } from '../../core/errors.js';
import { Lru } from '../../core/lru.js';
import { inTurns } from '../../core/event-loop-turns.js';
import { argumentsOf, type Selected } from '../plan/selection.js';

type Values = Readonly<Record<string, unknown>>;

/** The result of `__schema` and `__type`, and its number of fields on all levels. */
export interface IntrospectionAnswer {
  readonly data: Readonly<Record<string, unknown>>;
  readonly cost: number;
}

/** The most that a tool's usual introspection costs; its answer comes from a cache. */
const usualCost = 100;
/** The most fields of all cached answers together. */
const keptFieldsMax = 300_000;
/** Each cached answer counts for this many fields besides its own. */
const answerWeight = 500;

/**
 * Answers introspection as graphql-js does, but in turns of the event loop, and counts fields as it goes: it stops when
 * the budget is used up. Tools usually select each part of the schema once. Such a document may read all of it, and its
 * answer is cached for each view.
 */
export class Introspection {
  private readonly views = new WeakMap<GraphQLSchema, number>();
  private viewCount = 0;
  readonly kept = new Lru<string, { answer: Promise<IntrospectionAnswer>; fields: number }>(
    keptFieldsMax,
    undefined,
    ({ fields }) => answerWeight + fields,
  );

  /**
   * @param document identifies the document and the variables
   * @param inTime throws where the operation has used up its time
   */
  async of(
    schema: GraphQLSchema,
    fields: readonly Selected[],
    variables: Values,
    request: { readonly document: string; readonly costMax: number; readonly inTime: () => void },
  ): Promise<IntrospectionAnswer> {
    const { document, costMax, inTime } = request;
    if (!isUsual(fields)) return inTurns(answering(schema, fields, variables, costMax), inTime);
    const key = `${String(this.numberOf(schema))} ${document}`;
    const known = this.kept.get(key);
    if (known !== undefined) return known.answer;
    let count = 1;
    const whole = inTurns(answering(schema, fields, variables, Number.POSITIVE_INFINITY), inTime);
    const answer = whole.then(({ data, cost }) => {
      count = cost;
      return { data, cost: Math.min(cost, usualCost) };
    });
    // Another caller with the same document waits for the same answer, and pays the same.
    this.kept.set(key, { answer, fields: count });
    try {
      const usual = await answer;
      this.kept.set(key, { answer, fields: count });
      return usual;
    } catch (error) {
      this.kept.delete(key);
      throw error;
    }
  }

  private numberOf(schema: GraphQLSchema): number {
    const known = this.views.get(schema);
    if (known !== undefined) return known;
    this.viewCount += 1;
    this.views.set(schema, this.viewCount);
    return this.viewCount;
  }
}

/**
 * The number of introspection fields in an operation that selects others too. Throws `QUERY_TOO_COMPLEX` beyond
 * `costMax`.
 */
export function introspectionCost(
  schema: GraphQLSchema,
  fields: readonly Selected[],
  variables: Values,
  costMax: number,
): number {
  const work = answering(schema, fields.filter(isIntrospective), variables, costMax);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value.cost;
  }
}

const isIntrospective = ({ coordinate }: Selected): boolean =>
  coordinate.endsWith('.__schema') || coordinate.endsWith('.__type');

function* answering(
  schema: GraphQLSchema,
  fields: readonly Selected[],
  variables: Values,
  costMax: number,
): Generator<number, IntrospectionAnswer> {
  // graphql-js's own resolvers read nothing else.
  const info = { schema } as GraphQLResolveInfo;
  const argumentsBy = new Map<Selected, Values>();
  let [cost, yieldedAt] = [0, 0];

  function* object(
    value: unknown,
    selected: readonly Selected[],
  ): Generator<number, Record<string, unknown>> {
    const answer = Object.create(null) as Record<string, unknown>;
    for (const one of selected) {
      cost += 1;
      if (cost > costMax) throw tooComplex({ requested: cost, max: costMax });
      if (cost - yieldedAt >= fieldsInStep) {
        yield (cost - yieldedAt) * stepsOfField;
        yieldedAt = cost;
      }
      const { field, type, key, children } = one;
      const args = argumentsBy.get(one) ?? argumentsOf(one, variables);
      argumentsBy.set(one, args);
      const found: unknown =
        field.name === '__typename' ? type.name : field.resolve?.(value, args, undefined, info);
      answer[key] =
        children.length === 0 ? leaf(field.type, found) : yield* composite(field.type, found, children);
    }
    return answer;
  }

  function* composite(
    outputType: GraphQLOutputType,
    value: unknown,
    children: readonly Selected[],
  ): Generator<number, unknown> {
    if (value === null || value === undefined) return null;
    const type = getNullableType(outputType);
    if (!isListType(type)) return yield* object(value, children);
    const all: unknown[] = [];
    for (const one of value as Iterable<unknown>) {
      all.push(yield* composite(type.ofType, one, children));
    }
    return all;
  }

  const data = yield* object(undefined, fields);
  return { data, cost };
}

function leaf(outputType: GraphQLOutputType, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  const type = getNullableType(outputType);
  if (isListType(type)) {
    return [...(value as Iterable<unknown>)].map((one) => leaf(type.ofType, one));
  }
  return isLeafType(type) ? type.serialize(value) : {};
}

const stepsOfField = 10;
/** Deep generators are slow to resume, so they yield rarely. */
const fieldsInStep = 500;

/** Fields that describe a type itself and lead to no other type. */
const ownOfType = new Set(
  ['__typename', 'kind', 'name', 'description', 'specifiedByURL', 'isOneOf', 'ofType'].map(
    (name) => `__Type.${name}`,
  ),
);
/** Fields that lead from one type to others. */
const leadsOn = new Set([
  '__Schema.queryType',
  '__Schema.mutationType',
  '__Schema.subscriptionType',
  '__Type.interfaces',
  '__Type.possibleTypes',
  '__Type.ofType',
  '__Field.type',
  '__InputValue.type',
]);

/**
 * Whether nothing is selected twice, so that the answer is no longer than the schema: each field once on its level, and
 * only `ownOfType` of a type that another type leads to.
 */
function isUsual(fields: readonly Selected[], isWhole = true): boolean {
  const coordinates = new Set(fields.map(({ coordinate }) => coordinate));
  if (coordinates.size < fields.length) return false;
  return fields.every(({ coordinate, children }) => {
    if (!isWhole && coordinate.startsWith('__Type.') && !ownOfType.has(coordinate)) return false;
    return isUsual(children, isWhole && !leadsOn.has(coordinate));
  });
}
