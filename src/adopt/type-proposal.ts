import type { TypeDeclaration } from '../domains/declared/declaration.js';
import type { ColumnDescription, ForeignKey, TableDescription } from '../store/sql/describe-tables.js';
import type { Dialect } from '../store/tables/dialect.js';
import { foreignColumn, mayBeMissing, usesOf, type KindUses } from '../store/tables/foreign-kinds.js';
import { snake } from '../store/tables/table.js';
import { looksPersonal } from './personal.js';
import { fieldOf, tableWords, type TableWords } from './words.js';

/** The proposed SDL of one table, for a person to decide on. */
export interface Proposal {
  readonly table: string;
  readonly type: string;
  /** The file's name: `film_actor.graphql`. */
  readonly file: string;
  readonly sdl: string;
  /** Columns that cannot be shown, with their types. */
  readonly leftOut: readonly string[];
}

/** A table with the columns of its key; a view has none. */
export interface KeyedTable extends TableDescription {
  readonly key: readonly string[];
}

/** Proposes the SDL of one table. */
export class TypeProposal {
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
    const comments = this.leftOut.map(leftOutLine);
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
  @rows(scope: ${text(own.scope ?? `${own.resource}:read`)}, bounds: [], unbounded: []) {
${[...fields, ...comments].join('\n')}
}
`;
    return { table: table.name, type: own.type, file: `${table.name}.graphql`, sdl, leftOut: this.leftOut };
  }

  /** The lines of some columns, for a type that has fields already. */
  lines(type: TypeDeclaration, columns: ReadonlySet<string>): string {
    for (const { name } of type.fields) this.names.add(name);
    for (const name of type.faulty) this.names.add(name);
    const fields = [...this.columns(columns), ...this.references(columns)];
    const { resource, many } = this.own;
    const define = `@defineScope(name: "${resource}:read_personal", description: ${text(`Read personal data of ${many}.`)})`;
    const needs = this.isPersonal ? [`  # Needs, if it is not there: extend schema ${define}`] : [];
    return [...needs, ...fields, ...this.leftOut.map(leftOutLine)].join('\n');
  }

  private head(): string {
    const { resource, many, scope } = this.own;
    const scopes = scope === undefined ? [[`${resource}:read`, `Read ${many}.`]] : [];
    if (this.isPersonal || scope !== undefined)
      scopes.push([`${resource}:read_personal`, `Read personal data of ${many}.`]);
    const lines = scopes.map(
      ([name = '', description = '']) =>
        `  @defineScope(name: ${text(name)}, description: ${text(description)})\n`,
    );
    return `extend schema\n${lines.join('')}`;
  }

  private scope(action: 'read' | 'read_personal', { resource, scope } = this.own): string {
    const read = action === 'read' ? scope : undefined;
    return `@scope(name: ${text(read ?? `${resource}:${action}`)})`;
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
    const sortable = this.shown().filter((column) => this.isSortable(column));
    const named = sortable.find(
      ({ name, type }) => /char/.test(type) && this.table.indexes.some(([first]) => first === name),
    );
    const column = (named ?? sortable[0])?.name ?? this.table.key[0] ?? '';
    return { name: this.fields.get(column) ?? fieldOf(column), column };
  }

  /** Whether lists can be sorted by a column, and everybody who sees a row may see it. */
  private isSortable(column: ColumnDescription): boolean {
    const isSeen = this.own.scope !== undefined || !looksPersonal(this.table.name, column.name);
    return isSeen && this.uses(column)?.isSorted === true;
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
    return own.some((column) => this.isSortable(column))
      ? own
      : [...columns.filter(({ name }) => primaryKey.includes(name)), ...own];
  }

  /** @param only these columns */
  private columns(only?: ReadonlySet<string>): string[] {
    const indexed = new Set(this.table.indexes.map(([first]) => first));
    for (const column of this.table.columns)
      if (this.uses(column) === undefined && only?.has(column.name) !== false)
        this.leftOut.push(`${column.name} (${column.type})`);
    const shown = this.shown().filter(({ name }) => only?.has(name) !== false);
    return shown.map((column) => {
      const isPersonal = looksPersonal(this.table.name, column.name);
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

  /** @param only those that some of these columns make */
  private references(only?: ReadonlySet<string>): string[] {
    return this.table.foreignKeys.flatMap((key) => {
      const { table } = key;
      if (only !== undefined && !key.columns.some((column) => only.has(column))) return [];
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

const text = (value: string): string => JSON.stringify(value);
/** A comment ends with its line. */
const leftOutLine = (column: string): string => `  # left out: ${column.replaceAll(/\s/g, ' ')}`;
const sentence = (value: string): string => (/[.!?]$/.test(value) ? value : `${value}.`);
