import type { DataSource } from 'typeorm';
import {
  follows,
  fromIndexes,
  nameIn,
  type ColumnDescription,
  type ForeignKey,
  type IndexPart,
  type TableDescription,
} from './table-description.js';

type Raw = Readonly<Record<string, string | number | null>>;

/** From `information_schema`, which shows what the account may read. */
export async function describeMysql(
  source: DataSource,
  names: readonly string[],
): Promise<TableDescription[]> {
  const list = names.map(() => '?').join(', ');
  const read = (table: string, columns: string, order: string): Promise<Raw[]> =>
    source.query(
      `SELECT ${columns} FROM information_schema.${table} WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (${list}) ` +
        `ORDER BY ${order}`,
      [...names],
    );
  const tables = await read('TABLES', 'TABLE_NAME, TABLE_TYPE, TABLE_COMMENT, ENGINE', 'TABLE_NAME');
  const engines = await enginesWithTransactions(source);
  const columns = await read(
    'COLUMNS',
    'TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, ' +
      'DATETIME_PRECISION, COLUMN_DEFAULT, CHARACTER_SET_NAME, COLLATION_NAME, IS_NULLABLE, EXTRA, COLUMN_COMMENT',
    'ORDINAL_POSITION',
  );
  const keys = await read(
    'KEY_COLUMN_USAGE',
    'TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME, ' +
      'TABLE_SCHEMA',
    'CONSTRAINT_NAME, ORDINAL_POSITION',
  );
  const indexes = await read(
    'STATISTICS',
    'TABLE_NAME, INDEX_NAME, INDEX_TYPE, COLUMN_NAME, SUB_PART, NON_UNIQUE',
    'INDEX_NAME, SEQ_IN_INDEX',
  );
  const referring = await referrers(source, names);
  return tables.map((table) => {
    const of = (rows: readonly Raw[]): Raw[] => rows.filter((row) => row.TABLE_NAME === table.TABLE_NAME);
    const shown = withoutRowEnd(table, of(columns));
    const name = String(table.TABLE_NAME).toLowerCase();
    // Some servers write the name in small letters here.
    const referrersOf = referring.filter((row) => String(row.TABLE_NAME).toLowerCase() === name);
    const one = described(table, of(columns), shown(of(keys)), shown(of(indexes)), referrersOf);
    const engine = one.isView ? undefined : textOf(table.ENGINE);
    return {
      ...one,
      engineWithoutTransactions: engine === undefined || engines.has(engine) ? undefined : engine,
    };
  });
}

/**
 * MariaDB puts the end of a row's time into every key of a table WITH SYSTEM VERSIONING. Where that column is hidden, a
 * query sees one version of each row, and the other columns name it.
 */
function withoutRowEnd(table: Raw, columns: readonly Raw[]): (parts: readonly Raw[]) => Raw[] {
  const isEnd = ({ COLUMN_NAME }: Raw): boolean => COLUMN_NAME === 'row_end';
  const isHidden = table.TABLE_TYPE === 'SYSTEM VERSIONED' && !columns.some(isEnd);
  return (parts) => parts.filter((part) => !(isHidden && isEnd(part)));
}

async function enginesWithTransactions(source: DataSource): Promise<ReadonlySet<string>> {
  const rows: { name: string }[] = await source.query(
    "SELECT ENGINE AS name FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES'",
  );
  return new Set(rows.map(({ name }) => name));
}

/** Who refers to these tables, from whatever database. */
const referrers = (source: DataSource, names: readonly string[]): Promise<Raw[]> =>
  source.query(
    "SELECT k.REFERENCED_TABLE_NAME AS TABLE_NAME, k.TABLE_NAME AS referring, CONCAT(k.TABLE_SCHEMA, '.', k.TABLE_NAME, '.', " +
      'k.CONSTRAINT_NAME) AS name, k.REFERENCED_COLUMN_NAME AS referred, r.DELETE_RULE AS onDelete, r.UPDATE_RULE AS onUpdate ' +
      'FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r ' +
      'ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME ' +
      `WHERE k.REFERENCED_TABLE_SCHEMA = DATABASE() AND k.REFERENCED_TABLE_NAME IN (${names.map(() => '?').join(', ')}) ` +
      'ORDER BY name, k.ORDINAL_POSITION',
    [...names],
  );

function described(
  table: Raw,
  rawColumns: readonly Raw[],
  keys: readonly Raw[],
  statistics: readonly Raw[],
  referring: readonly Raw[],
): Omit<TableDescription, 'engineWithoutTransactions'> {
  const columns = rawColumns.map(columnOf);
  const indexes = grouped(statistics, 'INDEX_NAME').flatMap(([name, parts]) =>
    name === 'PRIMARY' || isOfWords(parts[0])
      ? []
      : [
          {
            parts: parts.map(indexPart),
            isUnique: Number(parts[0]?.NON_UNIQUE) === 0,
            isPartial: false,
            hasOwnCollation: false,
          },
        ],
  );
  const isView = table.TABLE_TYPE === 'VIEW';
  return {
    name: String(table.TABLE_NAME),
    isView,
    columns,
    primaryKey: keys
      .filter(({ CONSTRAINT_NAME }) => CONSTRAINT_NAME === 'PRIMARY')
      .map((key) => String(key.COLUMN_NAME)),
    foreignKeys: foreignKeys(keys),
    referrers: grouped(referring, 'name').map(([, parts]) => ({
      table: String(parts[0]?.referring),
      columns: parts.map((part) => nameIn(columns, String(part.referred))),
      followsDelete: follows(String(parts[0]?.onDelete)),
      followsUpdate: follows(String(parts[0]?.onUpdate)),
    })),
    ...fromIndexes(columns, indexes),
    // Of a view, the comment is `VIEW`.
    comment: isView ? undefined : textOf(table.TABLE_COMMENT),
  };
}

function indexPart({ COLUMN_NAME, SUB_PART }: Raw): IndexPart | undefined {
  const column = textOf(COLUMN_NAME);
  return column === undefined ? undefined : { column, isPrefix: SUB_PART !== null };
}

/** Whether it is an index that neither sorts nor compares. */
const isOfWords = (part: Raw | undefined): boolean =>
  part?.INDEX_TYPE === 'FULLTEXT' || part?.INDEX_TYPE === 'SPATIAL';

function columnOf(raw: Raw): ColumnDescription {
  const [type, whole] = [String(raw.DATA_TYPE).toLowerCase(), String(raw.COLUMN_TYPE).toLowerCase()];
  const [charset, collation] = [textOf(raw.CHARACTER_SET_NAME), textOf(raw.COLLATION_NAME)];
  const hasLength = /char$|binary$|blob$/.test(type);
  const extra = String(raw.EXTRA);
  const isGenerated = /generated|virtual|stored|persistent/i.test(extra) && !isDefault(raw);
  const isCounted = /auto_increment/i.test(extra);
  return {
    name: String(raw.COLUMN_NAME),
    type,
    length: hasLength ? Number(raw.CHARACTER_MAXIMUM_LENGTH) : undefined,
    precision: numberOf(raw.NUMERIC_PRECISION) ?? numberOf(raw.DATETIME_PRECISION),
    words: type === 'enum' || type === 'set' ? wordsIn(String(raw.COLUMN_TYPE)) : undefined,
    isFilled: raw.COLUMN_DEFAULT !== null || isCounted || isGenerated || isDefault(raw),
    isCounted,
    scale: raw.NUMERIC_SCALE === null ? undefined : Number(raw.NUMERIC_SCALE),
    charset: charset === undefined || collation === undefined ? undefined : { name: charset, collation },
    isTruth: whole.startsWith('tinyint(1)') || whole === 'bit(1)',
    isUnsigned: whole.includes('unsigned'),
    isNullable: raw.IS_NULLABLE === 'YES',
    isGenerated,
    comment: textOf(raw.COLUMN_COMMENT),
  };
}

const numberOf = (value: string | number | null | undefined): number | undefined =>
  value === null || value === undefined ? undefined : Number(value);

/** The words of `enum('a','it''s')`. */
const wordsIn = (type: string): string[] =>
  [...type.matchAll(/'((?:[^']|'')*)'/g)].map(([, word = '']) => word.replaceAll("''", "'"));

/** MySQL says `DEFAULT_GENERATED` of a column whose default is an expression. */
const isDefault = ({ EXTRA }: Raw): boolean => /default_generated/i.test(String(EXTRA));

function foreignKeys(keys: readonly Raw[]): ForeignKey[] {
  const within = keys.filter(
    (key) => key.REFERENCED_TABLE_NAME !== null && key.REFERENCED_TABLE_SCHEMA === key.TABLE_SCHEMA,
  );
  return grouped(within, 'CONSTRAINT_NAME').map(([, parts]) => ({
    columns: parts.map((part) => String(part.COLUMN_NAME)),
    table: String(parts[0]?.REFERENCED_TABLE_NAME),
    to: parts.map((part) => String(part.REFERENCED_COLUMN_NAME)),
  }));
}

function grouped(rows: readonly Raw[], by: string): [string, Raw[]][] {
  const groups = new Map<string, Raw[]>();
  for (const row of rows) {
    const name = String(row[by]);
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return [...groups];
}

const textOf = (value: string | number | null | undefined): string | undefined =>
  value === null || value === undefined || value === '' ? undefined : String(value);
