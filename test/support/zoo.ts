/** A column of every type that a database has, with the field over it. */
export interface ZooColumn {
  readonly name: string;
  /** As in CREATE TABLE. */
  readonly type: string;
  /** The GraphQL type. */
  readonly of: string;
  readonly filters: readonly string[];
  readonly isSorted: boolean;
  /** Values as SQL, in the rows from the first; the others have none. */
  readonly values: readonly string[];
  /** How the database itself writes a value as a text. */
  readonly text: (column: string) => string;
}

const equal = ['EQUALS', 'ONE_OF'];
const numbers = [...equal, 'AT_LEAST', 'AT_MOST'];
const times = [...equal, 'FROM', 'BEFORE'];
const asChar = (column: string): string => `CAST(${column} AS CHAR)`;
const asHex = (column: string): string => `CASE WHEN ${column} IS NULL THEN NULL ELSE HEX(${column}) END`;
const asNumber = (column: string): string => `CAST(${column} + 0 AS CHAR)`;

const column = (
  name: string,
  type: string,
  of: string,
  values: readonly string[],
  filters: readonly string[] = [],
  isSorted = filters.length > 0,
  text = asChar,
): ZooColumn => ({ name, type, of, filters, isSorted, values, text });

const uuids = ["'0b1f6c1e-7d0a-4c3e-9a55-0d2f3c4b5a69'", "'ffffffff-0000-1000-8000-00000000000a'"];
const texts = ["'abc'", "'ABC'", "'ä'", "'a b'", "''", "'1'"];

export const mariaDbZoo: readonly ZooColumn[] = [
  column('tiny', 'TINYINT', 'Int', ['-128', '0', '127'], numbers),
  column('medium', 'MEDIUMINT UNSIGNED', 'Int', ['0', '16777215'], numbers),
  column('whole', 'INT', 'Int', ['-2147483648', '2147483647', '0'], numbers),
  column('wide', 'INT UNSIGNED', 'BigInt', ['0', '4294967295', '2147483648'], numbers),
  column(
    'big',
    'BIGINT',
    'BigInt',
    ['-9223372036854775808', '9007199254740993', '9007199254740992', '9223372036854775807', '0', '-1'],
    numbers,
  ),
  column('bigtext', 'BIGINT', 'String', ['9007199254740993', '9007199254740992'], equal),
  column('ubig', 'BIGINT UNSIGNED', 'BigInt', ['18446744073709551615', '18446744073709551614', '0'], numbers),
  column('price', 'DECIMAL(10,2)', 'Decimal', ['0.10', '-0.10', '99999999.99', '1'], numbers),
  column(
    'rate',
    'DECIMAL(60,30)',
    'Decimal',
    ['0.000000000000000000000000000001', '123456789012345678901234567890.1', '-1'],
    numbers,
  ),
  column('ratio', 'DOUBLE', 'Float', ['0.1', '-1e300', '12345.678'], ['AT_LEAST', 'AT_MOST'], false),
  column('score', 'FLOAT', 'Float', ['0.5', '-0.25']),
  column('truth', 'TINYINT(1)', 'Boolean', ['0', '1', '2', '-1'], ['EQUALS'], false),
  column('level', 'TINYINT(1)', 'Int', ['0', '1', '2', '-1'], numbers),
  column('oneBit', 'BIT(1)', 'Boolean', ["b'0'", "b'1'"], ['EQUALS'], false, asNumber),
  column('flags', 'BIT(64)', 'BigInt', ["b'101'", `b'${'1'.repeat(64)}'`, "b'0'"], numbers, true, asNumber),
  column('day', 'DATE', 'Date', ["'2026-03-01'", "'1000-01-01'", "'0000-00-00'", "'2026-00-00'"], times),
  column('dayText', 'DATE', 'String', ["'2026-03-01'", "'9999-12-31'"], equal),
  column(
    'at',
    'DATETIME(6)',
    'DateTime',
    [
      "'2026-03-01 10:00:00.5'",
      "'2026-03-29 02:30:00'",
      "'2026-03-29 02:30:00.000001'",
      "'0000-00-00 00:00:00'",
    ],
    ['FROM', 'BEFORE'],
  ),
  column(
    'stamp',
    'TIMESTAMP(3) NULL',
    'DateTime',
    ["'2026-03-29 02:30:00.25'", "'1970-01-01 00:00:01'"],
    ['FROM', 'BEFORE'],
  ),
  column('span', 'TIME(3)', 'String', ["'-838:59:59'", "'10:00:00.5'", "'00:00:00'"], [], true),
  column('yr', 'YEAR', 'Int', ['1901', '2155', '0', '2005'], numbers),
  column('mood', "ENUM('low','high','1')", 'String', ["'low'", "'high'", "'1'"], equal, false),
  column('tags', "SET('x','y','z')", 'String', ["'x,z'", "''", "'y'"]),
  column('doc', 'JSON', 'String', [`'{"a": [1, 2.50]}'`, "'null'"]),
  column('ci', 'VARCHAR(20) COLLATE utf8mb4_general_ci', 'String', texts, [...equal, 'STARTS_WITH']),
  column('latin', 'VARCHAR(20) CHARACTER SET latin1', 'String', texts, [...equal, 'STARTS_WITH']),
  column('swedish', 'CHAR(20) CHARACTER SET latin1 COLLATE latin1_german1_ci', 'String', texts, equal),
  column('long', 'MEDIUMTEXT', 'String', texts, equal),
  column('bin', 'BINARY(4)', 'String', ["X'00FF'", "X'61626364'"], equal, true, asHex),
  column('vbin', 'VARBINARY(20)', 'String', ["X''", "X'00'", "X'0000'", "X'FFFE'"], equal, true, asHex),
  column('photo', 'MEDIUMBLOB', 'String', ["X'89504E47'", 'REPEAT(0x61, 65536)'], [], false, asHex),
  column('uid', 'UUID', 'String', uuids, equal),
  column('ip4', 'INET4', 'String', ["'10.0.0.1'"]),
  column('ip6', 'INET6', 'String', ["'::1'", "'2001:db8::ff'"]),
];

export const sqliteZoo: readonly ZooColumn[] = [
  column('whole', 'INTEGER', 'Int', ['0', '-5', '2147483647'], numbers),
  column('wide', 'INTEGER', 'BigInt', ['9007199254740993', '-9223372036854775808', '0'], numbers),
  column('wideText', 'INT', 'String', ['9007199254740993', '9007199254740992'], equal),
  column('small', 'SMALLINT', 'Int', ['1', '-1'], numbers),
  column('big', 'UNSIGNED BIG INT', 'BigInt', ['9223372036854775807', '9223372036854775806'], numbers),
  column('price', 'DECIMAL(8, 2)', 'Decimal', ['10.5', '0.1']),
  column('ratio', 'DOUBLE PRECISION', 'Float', ['0.1', '-1e300'], ['AT_LEAST', 'AT_MOST'], false),
  column('truth', 'BOOLEAN', 'Boolean', ['0', '1', '2'], ['EQUALS'], false),
  column('day', 'DATE', 'String', ["'2026-03-01'", "'1000-01-01'"], equal),
  column(
    'at',
    'DATETIME',
    'String',
    ["'2026-03-01 10:00:00'", '1772359200', "'2026-03-01T10:00:00Z'"],
    equal,
  ),
  column('doc', 'JSON', 'String', [`'{"a": [1, 2.50]}'`]),
  column('ci', 'VARCHAR(20) COLLATE NOCASE', 'String', texts, [...equal, 'STARTS_WITH']),
  column('long', 'TEXT', 'String', texts, equal),
  column('native', 'NATIVE CHARACTER(70)', 'String', texts, equal),
  column('uid', 'UUID', 'String', uuids, equal),
  column('bin', 'BINARY(4)', 'String', ["X'00FF'", "X'61626364'"], equal, true, asHex),
  column('photo', 'BLOB', 'String', ["X'89504E47'", 'zeroblob(65536)'], [], false, asHex),
];

/** The form in which callers see a text of the database. */
export function shownAs({ of, type }: ZooColumn, text: string | null): unknown {
  if (text === null) return null;
  if (/BINARY|BLOB/.test(type)) return Buffer.from(text, 'hex').toString('base64');
  if (/^(?:DATE|TIMESTAMP)/.test(type) && /^\d{4}-/.test(text) && of !== 'String') {
    if (/^0000|^\d{4}-00/.test(text)) return null;
    const moment = text.includes('.') ? text.replace(/\.?0*$/, '') : text;
    return of === 'Date' ? text : `${moment.replace(' ', 'T')}Z`;
  }
  if (of === 'Int' || of === 'Float') return Number(text);
  return of === 'Boolean' ? Number(text) !== 0 : text;
}

/** A form of key: columns `k`, `k2` and so on, and the values of some rows. */
export interface ZooKey {
  readonly name: string;
  readonly columns: readonly string[];
  /** The columns of a unique index instead of a primary key. */
  readonly isUnique?: true;
  /** What the primary key says instead of the names of the columns. */
  readonly parts?: string;
  /** What CREATE TABLE ends with. */
  readonly options?: string;
  readonly rows: readonly (readonly string[])[];
}

const key = (name: string, type: string, ...values: readonly string[]): ZooKey => ({
  name,
  columns: [type],
  rows: values.map((value) => [value]),
});

const sharedKeys: readonly ZooKey[] = [
  key('uuid_text', 'CHAR(36)', ...uuids),
  key('number', 'BIGINT', '-9223372036854775808', '9007199254740993', '9007199254740992', '5'),
  {
    name: 'day_and_number',
    columns: ['DATE', 'INT'],
    rows: [
      ["'2026-03-01'", '1'],
      ["'2026-03-01'", '2'],
      ["'1999-12-31'", '2'],
    ],
  },
  { ...key('only_unique', 'VARCHAR(20)', "'b'", "'a'", "''"), isUnique: true },
];

export const mariaDbKeys: readonly ZooKey[] = [
  ...sharedKeys,
  key('unsigned', 'BIGINT UNSIGNED', '18446744073709551615', '18446744073709551614', '0'),
  key('uuid', 'UUID', ...uuids),
  key('bytes16', 'BINARY(16)', "X'0B1F6C1E7D0A4C3E9A550D2F3C4B5A69'", "X'00'", "REPEAT(X'FF', 16)"),
  key('bytes', 'VARBINARY(255)', "X''", "X'00'", "X'0000'", "X'E4'"),
  key('folded', 'CHAR(10) COLLATE utf8mb4_general_ci', "'abc'", "'B'", "'é'", "'1'", "'01'"),
  key('narrow', 'VARCHAR(10) CHARACTER SET latin1', "'ä'", "'b'", "'?'"),
  key('exact', 'DECIMAL(20,4)', '1', '-0.5', '1234567890123456.7891'),
  key('moment', 'DATETIME(6)', "'2026-03-01 10:00:00'", "'2026-03-01 10:00:00.000001'"),
  { ...key('prefix', 'TEXT', "'one'", "'two'"), parts: 'k(20)' },
];

export const sqliteKeys: readonly ZooKey[] = [
  ...sharedKeys,
  key('row_number', 'INTEGER', '9007199254740993', '-1', '7'),
  key('folded', 'VARCHAR(10) COLLATE NOCASE', "'abc'", "'B'", "'1'", "'01'"),
  { ...key('long', 'TEXT', "'one'", "'two'", "'ä'"), options: ' WITHOUT ROWID' },
  key('bytes16', 'BINARY(16)', "X'0B1F6C1E7D0A4C3E9A550D2F3C4B5A69'", "X'00'"),
];

/** Types of columns that cannot name a row. */
export const noKeys = {
  mariadb: ["ENUM('a')", 'FLOAT', 'TINYINT(1)', 'TIME', 'YEAR', 'BIT(8)', 'VARBINARY(300)', 'INET4'],
  sqlite: ['DOUBLE', 'BOOLEAN', 'DECIMAL(8,2)', 'BLOB', 'JSON'],
} as const;
