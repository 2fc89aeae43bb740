import { placeText } from '../core/fault.js';
import type { ColumnDescription, ForeignKey, TableDescription } from '../store/sql/describe-tables.js';
import type { Dialect } from '../store/tables/dialect.js';
import { foreignColumn, mayBeMissing, usesOf, type KindUses } from '../store/tables/foreign-kinds.js';
import { keyOf, type FoundKey } from '../store/tables/foreign-table.js';
import { snake } from '../store/tables/table.js';
import type { TypeDeclaration } from '../domains/declared/declaration.js';
import type { NewColumns } from './compare.js';
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

/** Lines for new columns of a type that is there. */
export interface Addition {
  readonly type: string;
  readonly table: string;
  /** Where the type is declared, as people read it: `schema/film.graphql:12`. */
  readonly place: string;
  readonly columns: readonly string[];
  /** Ready to be put into the type. */
  readonly sdl: string;
}

/** The proposed types and lines, and the tables for which no type is proposed, each with the reason. */
export interface Proposals {
  readonly types: readonly Proposal[];
  readonly additions: readonly Addition[];
  readonly leftOut: readonly string[];
}

/** The types and columns that a company folder names already. */
export interface Known {
  readonly types: readonly TypeDeclaration[];
  readonly columns: readonly NewColumns[];
}

const nothing: Known = { types: [], columns: [] };

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
  known: Known = nothing,
): Proposals {
  const declared = new Map([...known.types].reverse().map((type) => [type.table, type]));
  // The key of a view is for people to declare.
  const keys = new Map(
    tables.map((table) => [
      table.name,
      table.isView && table.columns.length > 0 && !declared.has(table.name)
        ? keyOfView(table, dialect)
        : keyOf(table, declared.get(table.name)?.key, dialect),
    ]),
  );
  const usable = tables
    .filter(({ name }) => keys.get(name)?.fault === undefined)
    .map((table) => ({ ...table, key: keys.get(table.name)?.columns ?? [] }));
  const names = new Set(taken);
  const words = new Map(
    usable.map((table): [string, TableWords] => {
      const { name } = table;
      const type = declared.get(name);
      return [name, type === undefined ? wordsOf(table, names, dialect) : wordsOfType(type)];
    }),
  );
  const proposalOf = (table: KeyedTable): TypeProposal =>
    new TypeProposal(table, usable, words, dimensions, dialect);
  const files = new Set(known.types.map(({ place }) => place.file.toLowerCase()));
  return {
    types: usable
      .filter(({ name }) => !declared.has(name))
      .map((table) => ({ ...proposalOf(table).made(), file: freeFile(table.name, files) })),
    additions: known.columns.flatMap(({ type, table, columns }) => {
      const keyed = usable.find(({ name }) => name === table.name);
      if (keyed === undefined) return [];
      const sdl = proposalOf(keyed).lines(type, new Set(columns));
      return [{ type: type.name, table: table.name, place: placeText(type.place), columns, sdl }];
    }),
    leftOut: tables.flatMap((table) => {
      const fault = keys.get(table.name)?.fault;
      return fault === undefined ? [] : [`${table.name}: ${fault}`];
    }),
  };
}

/** New words. Rows that are named or sorted by personal data alone are there only for who may read such data. */
function wordsOf(table: KeyedTable, names: Set<string>, dialect: Dialect): TableWords {
  const words = freeWords(table.name, names);
  const isSortable = (column: ColumnDescription): boolean => {
    const made = foreignColumn(column, dialect);
    return made !== undefined && usesOf(made).isSorted && !looksPersonal(column.name);
  };
  const isPrivate = table.key.some(looksPersonal) || !table.columns.some(isSortable);
  return isPrivate ? { ...words, scope: `${words.resource}:read_personal` } : words;
}

/** The words of a type that is there, so that others lead to it. */
const wordsOfType = ({ name, table, one, many, scope, query }: TypeDeclaration): TableWords => ({
  ...tableWords(table),
  ...{ type: name, one, many, scope, resource: scope.split(':')[0] ?? '' },
  ...(query.one !== undefined && { field: query.one }),
  ...(query.list !== undefined && { fields: query.list }),
});

/** A file's name that no other table has, whatever their case. It leads to no other folder. */
function freeFile(table: string, taken: Set<string>): string {
  // eslint-disable-next-line no-control-regex -- no file system takes them all
  const name = table.replaceAll(/[\u0000-\u001f\\/:*?"<>|]/g, '_');
  let free = name;
  for (let n = 2; taken.has(`schema/${free}.graphql`.toLowerCase()); n += 1) free = `${name}-${String(n)}`;
  taken.add(`schema/${free}.graphql`.toLowerCase());
  return `${free}.graphql`;
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
  const usual = tableWords(table);
  let [words, n] = [usual, 0];
  const made = ({ type, field, fields, resource }: TableWords): string[] => [
    ...['', 'Filter', 'Order', 'Connection', 'Edge'].map((suffix) => type + suffix),
    ...[field, fields],
    ...[`${resource}:read`, `${resource}:read_personal`],
  ];
  while (made(words).some((name) => taken.has(name)) || words.field === words.fields) {
    n += 1;
    const number = n === 1 ? '' : String(n);
    const names = {
      type: `${usual.type}Row${number}`,
      field: `${usual.field}Row${number}`,
      fields: `${usual.field}Rows${number}`,
      resource: `${usual.resource}_rows${number}`,
    };
    words = { ...usual, ...names };
  }
  for (const name of made(words)) taken.add(name);
  return words;
}

const text = (value: string): string => JSON.stringify(value);
/** A comment ends with its line. */
const leftOutLine = (column: string): string => `  # left out: ${column.replaceAll(/\s/g, ' ')}`;
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
    const isSeen = this.own.scope !== undefined || !looksPersonal(column.name);
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
