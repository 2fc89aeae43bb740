import fc from 'fast-check';
import type { StoredBoundary } from '../../../src/store/tables/identity.js';
import type { Database } from '../../../src/store/sql/database.js';
import { everywhere } from '../server.js';
import type { ListArgs, Selection, Value } from './oracle.js';
import type { SampleCompany, SampleField, SampleType } from './sample-company.js';

/** Columns whose values the database and the server write in two ways. */
const notCompared = /^(?:picture|photo|special_features|location)$/;

/** Random questions about a company's tables. */
export class RandomQueries {
  private constructor(
    private readonly company: SampleCompany,
    /** Values of columns that filter, and of dimensions. */
    private readonly values: ReadonlyMap<string, readonly Value[]>,
    /** Some rows of each table. */
    private readonly rows: ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]>,
  ) {}

  static async of(company: SampleCompany, { read }: Database): Promise<RandomQueries> {
    const values = new Map<string, readonly Value[]>();
    const rows = new Map<string, readonly Readonly<Record<string, unknown>>[]>();
    for (const column of Object.keys(company.sample.filters)) {
      const [table = '', name = ''] = column.split('.');
      const text = /_date$/.test(name) ? `CAST(\`${name}\` AS CHAR)` : `\`${name}\``;
      const found = await read.query(
        `SELECT DISTINCT ${text} AS v FROM \`${table}\` WHERE \`${name}\` IS NOT NULL LIMIT 300`,
      );
      values.set(
        column,
        found.map(({ v }) => v as Value),
      );
    }
    for (const [dimension, sql] of Object.entries(company.sample.dimensions))
      values.set(
        dimension,
        (await read.query(sql)).map(({ v }) => v as Value),
      );
    for (const { table, key } of company.types)
      rows.set(
        table,
        await read.query(`SELECT ${key.map((name) => `\`${name}\``).join(', ')} FROM \`${table}\` LIMIT 50`),
      );
    return new RandomQueries(company, values, rows);
  }

  /** All, none, one or several values of each dimension; some that no row has. */
  boundary(): fc.Arbitrary<StoredBoundary> {
    const dimensions = Object.keys(this.company.sample.dimensions);
    const one = (dimension: string): fc.Arbitrary<readonly string[] | 'all'> => {
      const all = this.valuesOf(dimension).map(String);
      const value = fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...all) },
        { weight: 1, arbitrary: fc.constantFrom(...all).map((text) => text.toLowerCase()) },
        { weight: 1, arbitrary: fc.constantFrom('0', '01', 'nowhere', ' ') },
      );
      return fc.oneof(
        { weight: 3, arbitrary: fc.constant('all' as const) },
        { weight: 6, arbitrary: fc.uniqueArray(value, { minLength: 1, maxLength: 8 }) },
        { weight: 1, arbitrary: fc.constant<readonly string[]>([]) },
      );
    };
    return fc
      .record(Object.fromEntries(dimensions.map((dimension) => [dimension, one(dimension)])))
      .map((own) => ({ ...everywhere, ...own }));
  }

  type(g: fc.GeneratorValue): SampleType {
    return pick(g, this.company.types);
  }

  keyOf(g: fc.GeneratorValue, type: SampleType): readonly unknown[] {
    const row = pick(g, this.rows.get(type.table) ?? []);
    return type.key.map((column) => row[column]);
  }

  hasRows(type: SampleType): boolean {
    return (this.rows.get(type.table) ?? []).length > 0;
  }

  args(g: fc.GeneratorValue, type: SampleType, first: number): ListArgs {
    const filters = type.fields.filter((field) => field.filters.length > 0);
    const chosen =
      filters.length > 0 && chance(g, 40)
        ? [pick(g, filters), ...(chance(g, 30) ? [pick(g, filters)] : [])]
        : [];
    const conditions = chosen.map((field) => ({ field, ...pick(g, field.filters) }));
    const made = conditions.filter(({ name }, at) => conditions.findIndex((one) => one.name === name) === at);
    const sorts = type.fields.filter(({ isSorted }) => isSorted);
    return {
      first: 1 + g(fc.nat, { max: first - 1 }),
      filters: made.map((one) => ({ ...one, value: this.value(g, type, one.field, one.by) })),
      order:
        sorts.length > 0 && chance(g, 60)
          ? { field: pick(g, sorts), direction: pick(g, ['ASC', 'DESC'] as const) }
          : undefined,
    };
  }

  selection(g: fc.GeneratorValue, type: SampleType, depth: number): Selection {
    const ofKind = (kind: SampleField['kind']): SampleField[] =>
      type.fields.filter((field) => field.kind === kind);
    const to = (field: SampleField): SampleType =>
      this.company.types.find(({ name }) => name === field.type) ?? type;
    const columns = ofKind('column').filter(
      (field) =>
        (field.type === 'Int' || field.type === 'String') && !notCompared.test(field.columns[0] ?? ''),
    );
    const deeper = <T>(of: readonly T[], percent: number): T[] =>
      depth > 0 ? of.filter(() => chance(g, percent)).slice(0, 2) : [];
    return {
      type,
      columns: columns.filter(() => chance(g, 50)),
      references: deeper(ofKind('reference'), 50).map((field) => ({
        field,
        of: this.selection(g, to(field), depth - 1),
      })),
      children: deeper(ofKind('children'), 35).map((field) => ({
        field,
        args: this.args(g, to(field), 3),
        of: this.selection(g, to(field), depth - 1),
      })),
    };
  }

  private value(
    g: fc.GeneratorValue,
    { table }: SampleType,
    field: SampleField,
    by: string,
  ): Value | Value[] {
    const all = this.valuesOf(`${table}.${field.columns[0] ?? ''}`);
    const one = (): Value => {
      const value = pick(g, all);
      if (field.type === 'DateTime') return `${String(value).slice(0, 19).replace(' ', 'T')}Z`;
      if (field.type !== 'String' || field.columns[0] === 'rating') return value;
      const text = String(value);
      if (by === 'STARTS_WITH') return text.slice(0, 1 + g(fc.nat, { max: 2 }));
      return chance(g, 90) ? text : pick(g, [text.toLowerCase(), `${text} `, text.slice(1), '%']);
    };
    return by === 'ONE_OF' ? [one(), one(), one()] : one();
  }

  private valuesOf(name: string): readonly Value[] {
    return this.values.get(name) ?? [];
  }
}

const pick = <T>(g: fc.GeneratorValue, from: readonly T[]): T => {
  const value = from[g(fc.nat, { max: from.length - 1 })];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
};
export const chance = (g: fc.GeneratorValue, percent: number): boolean =>
  g(fc.nat, { max: 99 }) >= 100 - percent;

const literal = (field: SampleField, value: Value | readonly Value[]): string =>
  Array.isArray(value)
    ? `[${value.map((one: Value) => literal(field, one)).join(', ')}]`
    : field.type === 'Int'
      ? String(value)
      : JSON.stringify(String(value));

/** A list of GraphQL, with what a comparison needs. */
export function listText(name: string, args: ListArgs, of: Selection, after?: string): string {
  const filter = args.filters.map(
    ({ field, name: condition, value }) => `${condition}: ${literal(field, value)}`,
  );
  const order =
    args.order === undefined ? '' : `, orderBy: { ${args.order.field.name}: ${args.order.direction} }`;
  const given = `first: ${String(args.first)}${after === undefined ? '' : `, after: ${JSON.stringify(after)}`}${
    filter.length === 0 ? '' : `, filter: { ${filter.join(', ')} }`
  }${order}`;
  const cursor = after === undefined ? ' endCursor' : '';
  return `${name}(${given}) { totalCount pageInfo { hasNextPage${cursor} } nodes ${selectionText(of)} }`;
}

export function selectionText({ columns, references, children }: Selection): string {
  const parts = [
    'id',
    ...columns.map(({ name }) => name),
    ...references.map(({ field, of }) => `${field.name} ${selectionText(of)}`),
    ...children.map(({ field, args, of }) => listText(field.name, args, of)),
  ];
  return `{ ${parts.join(' ')} }`;
}
