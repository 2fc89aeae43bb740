import type { ColumnDescription, ForeignKey, TableDescription } from '../store/sql/describe-tables.js';
import type { Dialect } from '../store/sql/condition.js';
import { foreignColumn, mayBeMissing, usesOf, type KindUses } from '../store/tables/foreign-kinds.js';
import { keyOf, type FoundKey } from '../store/tables/foreign-table.js';
import { snake } from '../store/tables/table.js';
import { looksPersonal } from './personal.js';
import { fieldOf, tableWords, type TableWords } from './words.js';

/** SDL to be decided on for one table. */
export interface Proposal {
  readonly table: string;
  readonly type: string;
  /** The file's name: `film_actor.graphql`. */
  readonly file: string;
  readonly sdl: string;
  /** Columns that cannot be shown, with their types. */
  readonly leftOut: readonly string[];
}

/** The proposed types, and the tables for which no type is proposed, each with the reason. */
export interface Proposals {
  readonly types: readonly Proposal[];
  readonly leftOut: readonly string[];
}

/**
 * Proposes a type for each table. No field is seen by any role that exists, because every scope is new; and the server
 * does not start with it before somebody says for each dimension where a row's value is.
 * @param dimensions the names of all dimensions
 * @param taken the names of types, root fields and scopes that there are
 */
export function propose(
  tables: readonly TableDescription[],
  dimensions: readonly string[],
  taken: ReadonlySet<string>,
  dialect: Dialect,
): Proposals {
  // The key of a view is for people to declare.
  const keys = new Map(
    tables.map((table) => [
      table.name,
      table.isView ? keyOfView(table, dialect) : keyOf(table, undefined, dialect),
    ]),
  );
  const usable = tables
    .filter(({ name }) => keys.get(name)?.fault === undefined)
    .map((table) => ({ ...table, key: keys.get(table.name)?.columns ?? [] }));
  const names = new Set(taken);
  const words = new Map(usable.map(({ name }) => [name, freeWords(name, names)]));
  return {
    types: usable.map((table) => new TypeProposal(table, usable, words, dimensions, dialect).made()),
    leftOut: tables.flatMap((table) => {
      const fault = keys.get(table.name)?.fault;
      return fault === undefined ? [] : [`${table.name}: ${fault}`];
    }),
  };
}

/** A list needs a column by which it is sorted. */
const keyOfView = ({ columns }: TableDescription, dialect: Dialect): FoundKey =>
  columns.some((column) => {
    const made = foreignColumn(column, dialect);
    return made !== undefined && usesOf(made).isSorted;
  })
    ? { columns: [] }
    : { fault: 'it has no column by which its rows can be sorted' };

/** Words for a table whose names nothing else has yet; from now on they are taken. */
function freeWords(table: string, taken: Set<string>): TableWords {
  let words = tableWords(table);
  const made = ({ type, field, fields, resource }: TableWords): string[] => [
    ...['', 'Filter', 'Order', 'Connection', 'Edge'].map((suffix) => type + suffix),
    ...[field, fields],
    ...[`${resource}:read`, `${resource}:read_personal`],
  ];
  while (made(words).some((name) => taken.has(name)) || words.field === words.fields) {
    const { type, field, resource } = words;
    const names = {
      type: `${type}Row`,
      field: `${field}Row`,
      fields: `${field}Rows`,
      resource: `${resource}_rows`,
    };
    words = { ...words, ...names };
  }
  for (const name of made(words)) taken.add(name);
  return words;
}

const text = (value: string): string => JSON.stringify(value);
const sentence = (value: string): string => (/[.!?]$/.test(value) ? value : `${value}.`);

/** A table with the columns by which its rows are named; none for a view. */
interface KeyedTable extends TableDescription {
  readonly key: readonly string[];
}

class TypeProposal {
  private readonly own: TableWords;
  private readonly names = new Set<string>(['id']);
  /** The fields of the columns. */
  private readonly fields = new Map<string, string>();
  private readonly leftOut: string[] = [];
  private isPersonal = false;

  constructor(
    private readonly table: KeyedTable,
    private readonly tables: readonly KeyedTable[],
    private readonly words: ReadonlyMap<string, TableWords>,
    private readonly dimensions: readonly string[],
    private readonly dialect: Dialect,
  ) {
    this.own = words.get(table.name) ?? tableWords(table.name);
  }

  made(): Proposal {
    const { table, own } = this;
    const fields = [
      `  ${text(`The ${own.one}'s id.`)}\n  id: ID! ${this.scope('read')}`,
      ...this.columns(),
      ...this.references(),
      ...this.children(),
    ];
    const comments = this.leftOut.map((column) => `  # Cannot be shown: ${column}`);
    const [note, key] = table.isView
      ? [
          `  # To be decided: the columns that together name one row, as in key: ["order_id"]. A view does not say.\n`,
          ', key: []',
        ]
      : ['', ''];
    const sdl = `${this.head()}
${text(sentence(table.comment ?? `A row of the ${table.isView ? 'view' : 'table'} ${table.name}`))}
type ${own.type}
${note}  @table(name: ${text(table.name)}, one: ${text(own.one)}, many: ${text(own.many)}, order: { by: ${text(this.sorting().name)} }${key})
  @query(one: ${text(own.field)}, list: ${text(own.fields)})
  # To be decided: for each dimension (${this.dimensions.join(', ')}), where a row's value is found, as in
  # { dimension: "region", path: "store.region" }, or that it has none.
  @rows(scope: ${text(`${own.resource}:read`)}, bounds: [], unbounded: []) {
${[...fields, ...comments].join('\n')}
}
`;
    return { table: table.name, type: own.type, file: `${table.name}.graphql`, sdl, leftOut: this.leftOut };
  }

  private head(): string {
    const { resource, many } = this.own;
    const scopes = [[`${resource}:read`, `Read ${many}.`]];
    if (this.isPersonal) scopes.push([`${resource}:read_personal`, `Read personal data of ${many}.`]);
    const lines = scopes.map(
      ([name = '', description = '']) =>
        `  @defineScope(name: ${text(name)}, description: ${text(description)})\n`,
    );
    return `extend schema\n${lines.join('')}`;
  }

  private scope(action: 'read' | 'read_personal', { resource } = this.own): string {
    return `@scope(name: ${text(`${resource}:${action}`)})`;
  }

  /** The uses of a column's kind. Undefined for a column that cannot be shown. */
  private uses(column: ColumnDescription): KindUses | undefined {
    const made = foreignColumn(column, this.dialect);
    return made === undefined ? undefined : usesOf(made);
  }

  /** A name that no other field of the type has. */
  private unique(name: string): string {
    let free = name;
    for (let n = 2; this.names.has(free); n += 1) free = `${name}${String(n)}`;
    this.names.add(free);
    return free;
  }

  /** The column by which lists are sorted: an indexed text, or else the first column of the key. */
  private sorting(): { readonly name: string; readonly column: string } {
    const sortable = this.shown().filter(
      (column) => !looksPersonal(column.name) && this.uses(column)?.isSorted === true,
    );
    const named = sortable.find(
      ({ name, type }) => /char/.test(type) && this.table.indexes.some(([first]) => first === name),
    );
    const column = (named ?? sortable[0])?.name ?? this.table.key[0] ?? '';
    return { name: this.fields.get(column) ?? fieldOf(column), column };
  }

  /** Columns with values of their own: no references, and no key that only names the row. */
  private shown(): readonly ColumnDescription[] {
    const { columns, foreignKeys, key: primaryKey } = this.table;
    const referring = new Set(
      foreignKeys.flatMap((key) => (this.inOrder(key) === undefined ? [] : key.columns)),
    );
    const own = columns.filter(
      (column) =>
        this.uses(column) !== undefined && !referring.has(column.name) && !primaryKey.includes(column.name),
    );
    // A type needs a field to sort by.
    const isSortable = own.some(
      (column) => !looksPersonal(column.name) && this.uses(column)?.isSorted === true,
    );
    return isSortable ? own : [...columns.filter(({ name }) => primaryKey.includes(name)), ...own];
  }

  private columns(): string[] {
    const indexed = new Set(this.table.indexes.map(([first]) => first));
    for (const column of this.table.columns)
      if (this.uses(column) === undefined) this.leftOut.push(`${column.name} (${column.type})`);
    return this.shown().map((column) => {
      const isPersonal = looksPersonal(column.name);
      this.isPersonal ||= isPersonal;
      const name = this.unique(fieldOf(column.name));
      this.fields.set(column.name, name);
      const made = foreignColumn(column, this.dialect);
      const isRequired = !column.isNullable && !isPersonal && made !== undefined && !mayBeMissing(made);
      const directives = [
        this.scope(isPersonal ? 'read_personal' : 'read'),
        ...(isPersonal ? ['@personal'] : []),
        ...(snake(name) === column.name ? [] : [`@column(name: ${text(column.name)})`]),
        ...(indexed.has(column.name) && !isPersonal && this.uses(column)?.isSorted === true ? ['@sort'] : []),
      ];
      const description = sentence(column.comment ?? `The column ${column.name}`);
      return `  ${text(description)}\n  ${name}: ${this.uses(column)?.types[0] ?? 'String'}${isRequired ? '!' : ''} ${directives.join(' ')}`;
    });
  }

  private references(): string[] {
    return this.table.foreignKeys.flatMap((key) => {
      const { table } = key;
      const [target, columns] = [this.words.get(table), this.inOrder(key)];
      if (target === undefined || columns === undefined) return [];
      const [first = ''] = columns;
      const name = this.unique(
        columns.length === 1 ? fieldOf(first.replace(/_?(?:id|no|key)$/i, '') || first) : target.field,
      );
      return [
        `  ${text(`The ${target.one}.`)}\n  ${name}: ${target.type} ${this.scope('read', target)} @reference(column: ${columnList(columns)})`,
      ];
    });
  }

  private children(): string[] {
    return this.tables.flatMap((child) =>
      child.foreignKeys
        .filter(({ table }) => table === this.table.name)
        .flatMap((key) => {
          const columns = this.inOrder(key);
          if (columns === undefined) return [];
          const words = this.words.get(child.name) ?? tableWords(child.name);
          const name = this.unique(words.fields);
          return `  ${text(`Its ${words.many}.`)}\n  ${name}: [${words.type}!] ${this.scope('read', words)} @children(column: ${columnList(columns)})`;
        }),
    );
  }

  /** The columns of a foreign key in the order of the key to which they refer. Undefined where they refer to others. */
  private inOrder({ table, columns, to }: ForeignKey): readonly string[] | undefined {
    const target = this.tables.find(({ name }) => name === table);
    if (target === undefined || target.key.length !== columns.length) return undefined;
    if (to.length === 0) return columns;
    const found = target.key.flatMap((one) => columns[to.indexOf(one)] ?? []);
    return found.length === columns.length ? found : undefined;
  }
}

const columnList = (columns: readonly string[]): string =>
  columns.length === 1 ? text(columns[0] ?? '') : `[${columns.map(text).join(', ')}]`;
