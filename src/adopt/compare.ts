import { placeText } from '../core/fault.js';
import { columnsOfSource, type TypeDeclaration } from '../domains/declared/declaration.js';
import type { Dialect } from '../store/tables/dialect.js';
import { keyOf } from '../store/tables/foreign-table.js';
import { isOwnTable } from '../store/tables/table.js';
import type { TableDescription } from '../store/sql/describe-tables.js';

/** Columns of a table that no field of its types names, and of which no comment says that they are left out. */
export interface NewColumns {
  readonly type: TypeDeclaration;
  readonly table: TableDescription;
  readonly columns: readonly string[];
}

/** A type whose table is gone, or a field whose column is. */
export interface Gone {
  /** Such as `Film`, or `Film.length`. */
  readonly coordinate: string;
  /** As people read it: `schema/film.graphql:12`. */
  readonly place: string;
  readonly table: string;
  /** Undefined: the whole table. */
  readonly column?: string;
}

export interface Differences {
  readonly columns: readonly NewColumns[];
  readonly gone: readonly Gone[];
}

/**
 * How the tables differ from what the types of a folder say.
 * @param leftOut by file, the columns of which comments say that they are left out
 */
export function compareTypes(
  types: readonly TypeDeclaration[],
  tables: readonly TableDescription[],
  leftOut: ReadonlyMap<string, ReadonlySet<string>>,
  dialect: Dialect,
): Differences {
  const own = types.filter(({ table }) => !isOwnTable(table));
  const byName = new Map(tables.map((table) => [table.name, table]));
  const columns: NewColumns[] = [];
  const gone: Gone[] = [];
  const seen = new Set<string>();
  for (const type of own) {
    const table = byName.get(type.table);
    if (table === undefined)
      gone.push({ coordinate: type.name, place: placeText(type.place), table: type.table });
    else {
      gone.push(...goneFields(type, table));
      const isFirst = !seen.has(table.name);
      seen.add(table.name);
      const fresh = isFirst ? freshColumns(table, own, leftOut, dialect) : [];
      if (fresh.length > 0) columns.push({ type, table, columns: fresh });
    }
  }
  return { columns, gone };
}

/** The columns in which a type's own fields are. */
const columnsOfFields = ({ fields }: TypeDeclaration) =>
  fields
    .filter(({ name }) => name !== 'id')
    .flatMap((field) => columnsOfSource(field.source).map((column) => ({ field, column })));

function goneFields(type: TypeDeclaration, table: TableDescription): Gone[] {
  const there = new Set(table.columns.map(({ name }) => name));
  return columnsOfFields(type)
    .filter(({ column }) => !there.has(column))
    .map(({ field: { name, place }, column }) => ({
      coordinate: `${type.name}.${name}`,
      place: placeText(place),
      table: table.name,
      column,
    }));
}

function freshColumns(
  table: TableDescription,
  types: readonly TypeDeclaration[],
  leftOut: ReadonlyMap<string, ReadonlySet<string>>,
  dialect: Dialect,
): string[] {
  const over = types.filter((one) => one.table === table.name);
  const known = new Set([
    ...table.primaryKey,
    ...over.flatMap((one) => keyOf(table, one.key, dialect).columns ?? []),
    ...over.flatMap((one) => columnsOfFields(one).map(({ column }) => column)),
    ...over.flatMap((one) => [...(one.key ?? []), ...one.where.map(({ column }) => column), ...one.bounds]),
    ...over.flatMap((one) => [...(leftOut.get(one.place.file) ?? [])]),
    ...pageColumns(over, types),
  ]);
  return table.columns.map(({ name }) => name).filter((name) => !known.has(name));
}

/** The columns by which pages of other types find these rows. */
const pageColumns = (over: readonly TypeDeclaration[], types: readonly TypeDeclaration[]): string[] =>
  types.flatMap(({ fields }) =>
    fields.flatMap(({ type, source }) =>
      source.kind === 'children' && over.some(({ name }) => name === type) ? source.column : [],
    ),
  );

/** The columns that comments leave out: `# left out: photo, notes`, each with its reason in brackets if there is one. */
export function leftOutIn(sdl: string): Set<string> {
  const lines = [...sdl.matchAll(/^\s*# left out: (.*)$/gm)].map(([, names = '']) => names.trim());
  const withoutReason = (name: string): string => name.trim().replace(/ \([^()]*\)$/, '');
  return new Set(lines.flatMap((names) => [withoutReason(names), ...names.split(',').map(withoutReason)]));
}
