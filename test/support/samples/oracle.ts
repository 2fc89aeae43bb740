import type { StoredBoundary } from '../../../src/store/tables/identity.js';
import type { Database } from '../../../src/store/sql/database.js';
import type { SampleCompany, SampleField, SampleType } from './sample-company.js';

export type Value = string | number;
/** What a list asks for, beside its selection. */
export interface ListArgs {
  readonly first: number;
  readonly filters: readonly {
    readonly field: SampleField;
    readonly by: string;
    readonly name: string;
    readonly value: Value | readonly Value[];
  }[];
  readonly order?: { readonly field: SampleField; readonly direction: 'ASC' | 'DESC' } | undefined;
}
export interface Selection {
  readonly type: SampleType;
  readonly columns: readonly SampleField[];
  readonly references: readonly { readonly field: SampleField; readonly of: Selection }[];
  readonly children: readonly {
    readonly field: SampleField;
    readonly args: ListArgs;
    readonly of: Selection;
  }[];
}
export interface Page {
  readonly totalCount: number;
  readonly pageInfo: { readonly hasNextPage: boolean };
  readonly nodes: readonly Node[];
}
export type Node = Readonly<Record<string, unknown>>;
type Row = Readonly<Record<string, unknown>>;

/** What callers are to see, by plain SQL that is written from the rule: inside one of the boundaries, values byte for byte. */
export class Oracle {
  private readonly isMysql: boolean;

  constructor(
    private readonly database: Database,
    private readonly company: SampleCompany,
    /** Of each role that the caller holds. */
    private readonly boundaries: readonly StoredBoundary[],
  ) {
    this.isMysql = database.dialect === 'mysql';
  }

  async page(type: SampleType, args: ListArgs, of: Selection, skip = 0, parent = '1 = 1'): Promise<Page> {
    const where = [parent, this.inside(type), ...args.filters.map((filter) => this.condition(filter))].join(
      ' AND ',
    );
    const from = `FROM \`${type.table}\` t WHERE ${where}`;
    const [count] = await this.database.read.query(`SELECT COUNT(*) AS n ${from}`);
    const field = args.order?.field ?? type.fields.find(({ name }) => name === type.orderBy);
    const columns = [...new Set([...(field?.columns ?? []), ...type.key])];
    const order = columns.map((column) => `t.\`${column}\` ${args.order?.direction ?? 'ASC'}`).join(', ');
    const rows = await this.database.read.query(
      `SELECT t.* ${from} ORDER BY ${order} LIMIT ${String(args.first)} OFFSET ${String(skip)}`,
    );
    const totalCount = Number(count?.n);
    const nodes: Node[] = [];
    for (const row of rows) nodes.push(await this.node(row, of));
    return { totalCount, pageInfo: { hasNextPage: totalCount > skip + args.first }, nodes };
  }

  /** The row with this key, if it is inside. */
  async one(type: SampleType, key: readonly unknown[], of: Selection): Promise<Node | null> {
    const found = await this.database.read.query(
      `SELECT t.* FROM \`${type.table}\` t WHERE ${this.are(type.key, key)} AND ${this.inside(type)}`,
    );
    return found[0] === undefined ? null : this.node(found[0], of);
  }

  private async node(row: Row, of: Selection): Promise<Node> {
    const { types } = this.company;
    const node: Record<string, unknown> = { id: idOf(of.type, row) };
    for (const { name, columns } of of.columns) node[name] = row[columns[0] ?? ''];
    for (const { field, of: selection } of of.references)
      node[field.name] = await this.one(
        selection.type,
        field.columns.map((column) => row[column]),
        selection,
      );
    for (const { field, args, of: selection } of of.children) {
      const type = types.find(({ name }) => name === field.type) ?? selection.type;
      const parent = this.are(
        field.columns,
        of.type.key.map((column) => row[column]),
      );
      node[field.name] = await this.page(type, args, selection, 0, parent);
    }
    return node;
  }

  /** That a row of the table `t` is inside the boundary of a role. */
  inside({ table }: SampleType): string {
    const bounds = Object.entries(this.company.sample.bounds[table] ?? {});
    const roles = this.boundaries.map((boundary) => {
      const all = bounds.map(([dimension, { sql }]) => {
        const values = boundary[dimension] ?? [];
        if (values === 'all') return '1 = 1';
        return values.length === 0 ? '1 = 0' : sql((column) => this.isIn(column, values));
      });
      return `(${['1 = 1', ...all].join(' AND ')})`;
    });
    return `(${roles.join(' OR ')})`;
  }

  private are(columns: readonly string[], values: readonly unknown[]): string {
    return columns
      .map((column, at) => {
        const value = values[at];
        if (typeof value === 'number') return `t.\`${column}\` = ${String(value)}`;
        return typeof value === 'string' ? this.isIn(`t.\`${column}\``, [value]) : '1 = 0';
      })
      .join(' AND ');
  }

  private condition({ field, by, value }: ListArgs['filters'][number]): string {
    const column = `t.\`${field.columns[0] ?? ''}\``;
    const values: readonly Value[] = typeof value === 'object' ? value : [value];
    const [first = ''] = values;
    const isText = field.type === 'String';
    switch (by) {
      case 'EQUALS':
      case 'ONE_OF':
        return isText ? this.isIn(column, values.map(String)) : `${column} IN (${values.join(', ')})`;
      case 'STARTS_WITH': {
        const [cut, length] = this.isMysql ? ['LEFT', 'CHAR_LENGTH'] : ['SUBSTR', 'LENGTH'];
        const from = this.isMysql ? '' : '1, ';
        const text = this.literal(String(first));
        return this.isIn(`${cut}(${column}, ${from}${length}(${text}))`, [String(first)]);
      }
      case 'AT_LEAST':
        return `${column} >= ${String(first)}`;
      case 'AT_MOST':
        return `${column} <= ${String(first)}`;
      default:
        return `${column} ${by === 'FROM' ? '>=' : '<'} '${String(first).slice(0, 19).replace('T', ' ')}'`;
    }
  }

  private isIn(column: string, values: readonly string[]): string {
    const bytes = (sql: string): string => (this.isMysql ? `CAST(${sql} AS BINARY)` : `CAST(${sql} AS TEXT)`);
    return `${bytes(column)} IN (${values.map((value) => bytes(this.literal(value))).join(', ')})`;
  }

  private literal(value: string): string {
    const text = this.isMysql ? value.replaceAll('\\', '\\\\') : value;
    return `'${text.replaceAll("'", "''")}'`;
  }
}

export const idOf = ({ key }: SampleType, row: Row): string =>
  Buffer.from(JSON.stringify(key.map((column) => String(row[column])))).toString('base64url');
