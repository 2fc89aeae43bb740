import type { DataSource } from 'typeorm';
import {
  fromIndexes,
  type ColumnDescription,
  type ForeignKey,
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
  const tables = await read('TABLES', 'TABLE_NAME, TABLE_TYPE, TABLE_COMMENT', 'TABLE_NAME');
  const columns = await read(
    'COLUMNS',
    'TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_SCALE, CHARACTER_SET_NAME, ' +
      'COLLATION_NAME, IS_NULLABLE, EXTRA, COLUMN_COMMENT',
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
    'TABLE_NAME, INDEX_NAME, INDEX_TYPE, COLUMN_NAME, NON_UNIQUE',
    'INDEX_NAME, SEQ_IN_INDEX',
  );
  return tables.map((table) => {
    const of = (rows: readonly Raw[]): Raw[] => rows.filter((row) => row.TABLE_NAME === table.TABLE_NAME);
    return described(table, of(columns), of(keys), of(indexes));
  });
}

function described(
  table: Raw,
  rawColumns: readonly Raw[],
  keys: readonly Raw[],
  statistics: readonly Raw[],
): TableDescription {
  const columns = rawColumns.map(columnOf);
  const indexes = grouped(statistics, 'INDEX_NAME').flatMap(([name, parts]) =>
    name === 'PRIMARY' || isOfWords(parts[0])
      ? []
      : [
          {
            columns: parts.map((part) => textOf(part.COLUMN_NAME)),
            isUnique: Number(parts[0]?.NON_UNIQUE) === 0,
            isPartial: false,
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
    ...fromIndexes(columns, indexes),
    // Of a view, the comment is `VIEW`.
    comment: isView ? undefined : textOf(table.TABLE_COMMENT),
  };
}

/** Whether it is an index that neither sorts nor compares. */
const isOfWords = (part: Raw | undefined): boolean =>
  part?.INDEX_TYPE === 'FULLTEXT' || part?.INDEX_TYPE === 'SPATIAL';

function columnOf(raw: Raw): ColumnDescription {
  const [type, whole] = [String(raw.DATA_TYPE).toLowerCase(), String(raw.COLUMN_TYPE).toLowerCase()];
  const [charset, collation] = [textOf(raw.CHARACTER_SET_NAME), textOf(raw.COLLATION_NAME)];
  const hasLength = /char$|binary$|blob$/.test(type);
  return {
    name: String(raw.COLUMN_NAME),
    type,
    length: hasLength ? Number(raw.CHARACTER_MAXIMUM_LENGTH) : undefined,
    scale: raw.NUMERIC_SCALE === null ? undefined : Number(raw.NUMERIC_SCALE),
    charset: charset === undefined || collation === undefined ? undefined : { name: charset, collation },
    isTruth: whole.startsWith('tinyint(1)') || whole === 'bit(1)',
    isUnsigned: whole.includes('unsigned'),
    isNullable: raw.IS_NULLABLE === 'YES',
    isGenerated: /generated|virtual|stored|persistent/i.test(String(raw.EXTRA)) && !isDefault(raw),
    comment: textOf(raw.COLUMN_COMMENT),
  };
}

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
