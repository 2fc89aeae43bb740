import type { DataSource } from 'typeorm';
import {
  follows,
  fromIndexes,
  nameIn,
  type ColumnDescription,
  type ForeignKey,
  type IndexDescription,
  type Referrer,
  type TableDescription,
} from './table-description.js';

type Raw = Readonly<Record<string, string | number | null>>;
type Read = (sql: string, ...params: readonly string[]) => Promise<Raw[]>;

/** From SQLite's own tables and pragmas. */
export async function describeSqlite(
  source: DataSource,
  names: readonly string[],
): Promise<TableDescription[]> {
  const read: Read = (sql, ...params) => source.query(sql, [...params]);
  const found: TableDescription[] = [];
  for (const name of names) {
    const [table] = await read(
      "SELECT type FROM sqlite_master WHERE name = ? AND type IN ('table', 'view')",
      name,
    );
    if (table !== undefined) found.push(await described(read, name, table.type === 'view'));
  }
  return found;
}

async function described(read: Read, name: string, isView: boolean): Promise<TableDescription> {
  const raw = await rawColumns(read, name);
  const keyed = raw.filter(({ pk }) => Number(pk) > 0).sort((a, b) => Number(a.pk) - Number(b.pk));
  const primaryKey = (await isKeyCollated(read, name)) ? [] : keyed.map((column) => String(column.name));
  const isNumbered = primaryKey.length === 1 && (await isRowNumber(read, name));
  const columns = raw.map((column) => columnOf(column, isNumbered && column === keyed[0]));
  return {
    name,
    isView,
    columns,
    primaryKey,
    engineWithoutTransactions: undefined,
    foreignKeys: foreignKeys(await read(keysOf, name)),
    referrers: await referrers(read, name, columns, primaryKey),
    ...fromIndexes(columns, await indexes(read, name)),
    comment: undefined,
  };
}

/** The columns. Empty for a view that reads a missing table or column, and for a table of a missing module. */
const rawColumns = (read: Read, name: string): Promise<Raw[]> =>
  read('SELECT * FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid', name).catch((error: unknown) => {
    if ((error as { code?: string }).code === 'SQLITE_ERROR') return [];
    throw error;
  });

/** Whether a key of one integer is the row's number. Else an index holds it, as where it is descending. */
async function isRowNumber(read: Read, table: string): Promise<boolean> {
  return (await read("SELECT 1 FROM pragma_index_list(?) WHERE origin = 'pk'", table)).length === 0;
}

/** Whether the primary key compares texts by a collation of its own: it may allow two that lists take for equal. */
async function isKeyCollated(read: Read, table: string): Promise<boolean> {
  const [row] = await read("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", table);
  return /\bprimary\s+key\s*\([^)]*\bcollate\b/i.test(String(row?.sql));
}

async function referrers(
  read: Read,
  table: string,
  columns: readonly ColumnDescription[],
  primaryKey: readonly string[],
): Promise<Referrer[]> {
  const rows = await read(
    'SELECT m.name AS referring, f.* FROM sqlite_master m, pragma_foreign_key_list(m.name) f ' +
      'WHERE m.type = \'table\' AND f."table" = ? COLLATE NOCASE ORDER BY m.name, f.id, f.seq',
    table,
  );
  const keys = [...new Set(rows.map((row) => `${String(row.referring)}.${String(row.id)}`))];
  return keys.map((key) => {
    const parts = rows.filter((row) => `${String(row.referring)}.${String(row.id)}` === key);
    return {
      table: String(parts[0]?.referring),
      columns: parts.flatMap(({ to }) => (to === null ? primaryKey : [nameIn(columns, String(to))])),
      followsDelete: follows(String(parts[0]?.on_delete)),
      followsUpdate: follows(String(parts[0]?.on_update)),
    };
  });
}

/** SQLite lists the newest first. */
const newestLast = `SELECT l.*, m.sql FROM pragma_index_list(?) l
  LEFT JOIN sqlite_master m ON m.type = 'index' AND m.name = l.name WHERE l.origin <> 'pk' ORDER BY l.seq DESC`;

async function indexes(read: Read, table: string): Promise<IndexDescription[]> {
  const found: IndexDescription[] = [];
  for (const index of await read(newestLast, table)) {
    const parts = await read('SELECT name FROM pragma_index_info(?) ORDER BY seqno', String(index.name));
    found.push({
      parts: parts.map((part) =>
        part.name === null ? undefined : { column: String(part.name), isPrefix: false },
      ),
      isUnique: Number(index.unique) === 1,
      isPartial: Number(index.partial) === 1,
      hasOwnCollation: /\bcollate\b/i.test(String(index.sql)),
    });
  }
  return found;
}

/** `VARCHAR(40)`, `DECIMAL(8, 2)`, `UNSIGNED BIG INT`. */
const declared = /^([^(]*)(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?/;

/** @param isNumbered whether it alone is the key and has no index, so that it is the row's number if it is of the type `INTEGER` */
function columnOf(raw: Raw, isNumbered: boolean): ColumnDescription {
  const [, name = '', size, scale] = declared.exec(String(raw.type).toLowerCase()) ?? [];
  const type = name.trim().replaceAll(/\s+/g, ' ');
  const hasLength = /char|binary/.test(type);
  const isCounted = isNumbered && type === 'integer';
  const isGenerated = Number(raw.hidden) > 1;
  return {
    name: String(raw.name),
    type,
    length: hasLength && size !== undefined ? Number(size) : undefined,
    scale: scale === undefined ? undefined : Number(scale),
    charset: undefined,
    isTruth: type === 'boolean' || type === 'bool',
    isUnsigned: false,
    isNullable: Number(raw.notnull) === 0,
    isGenerated,
    precision: size === undefined ? undefined : Number(size),
    words: undefined,
    isFilled: raw.dflt_value !== null || isCounted || isGenerated,
    isCounted,
    comment: undefined,
  };
}

/** Foreign keys, with the names as the referenced table spells them: SQLite accepts them in any case. */
const keysOf = `SELECT f.id, f."from", COALESCE(m.name, f."table") AS "table", COALESCE(c.name, f."to") AS "to"
  FROM pragma_foreign_key_list(?) f
  LEFT JOIN sqlite_master m ON m.type = 'table' AND m.name = f."table" COLLATE NOCASE
  LEFT JOIN pragma_table_info(m.name) c ON c.name = f."to" COLLATE NOCASE
  ORDER BY f.id, f.seq`;

/** A key that does not say its columns refers to the primary key. */
function foreignKeys(rows: readonly Raw[]): ForeignKey[] {
  return [...new Set(rows.map(({ id }) => id))].map((id) => {
    const parts = rows.filter((row) => row.id === id);
    return {
      columns: parts.map((part) => String(part.from)),
      table: String(parts[0]?.table),
      to: parts.flatMap((part) => (part.to === null ? [] : [String(part.to)])),
    };
  });
}
