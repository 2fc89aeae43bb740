import { placeText } from '../core/fault.js';
import type { TypeDeclaration } from '../domains/declared/declaration.js';
import type { TableDescription } from '../store/sql/describe-tables.js';
import type { Dialect } from '../store/tables/dialect.js';
import { foreignColumn, usesOf } from '../store/tables/foreign-kinds.js';
import { keyOf, type FoundKey } from '../store/tables/foreign-table.js';
import type { NewColumns } from './compare.js';
import { newWords, wordsOfType } from './free-words.js';
import { TypeProposal, type KeyedTable, type Proposal } from './type-proposal.js';
import type { TableWords } from './words.js';

/** Lines for new columns of a type that is there. */
interface Addition {
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
      return [name, type === undefined ? newWords(table, names, dialect) : wordsOfType(type)];
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
