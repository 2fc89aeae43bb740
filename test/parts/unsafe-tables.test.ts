// databases: sqlite, mariadb
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeLogger } from '../../src/core/logger.js';
import { Company } from '../support/company.js';
import { testDatabase } from '../support/database.js';
import { recordOf } from '../support/records.js';
import { everywhere, TestServer, type Answer } from '../support/server.js';

const isMysql = testDatabase() === 'mariadb';
const auto = isMysql ? 'INT AUTO_INCREMENT PRIMARY KEY' : 'INTEGER PRIMARY KEY';
const engine = (name: string): string => (isMysql ? ` ENGINE=${name}` : '');
const see = '@scope(name: "x:read")';
const head = `extend schema
  @defineScope(name: "x:read", description: "Read.")
  @defineScope(name: "x:write", description: "Write.")
`;

interface TypeParts {
  readonly key?: string;
  readonly ops?: string;
  readonly order?: string;
}

/** A type `Film` over the table `film`, with its mutations: c, u and d. */
function typeOf(name: string, fields: string, { key, ops = 'cud', order = 'area' }: TypeParts = {}): string {
  const low = name.toLowerCase();
  const op = (letter: string, word: string): string =>
    ops.includes(letter) ? `@${word}(mutation: "${word}${name}", scope: "x:write")` : '';
  return `
type ${name} @table(name: "${low}", one: "${low}", many: "${low}s", order: { by: "${order}" }${key === undefined ? '' : `, key: ${key}`})
  @query(one: "${low}") ${op('c', 'create')} ${op('u', 'update')} ${op('d', 'delete')}
  @rows(scope: "x:read", unbounded: ["customer", "region", "collection", "classification", "person"]) {
  id: ID! ${see}
  ${ops === '' ? '' : `version: String! ${see} @version`}
  ${fields}
}
`;
}
const area = `area: String! ${see} @writable`;
const keyFields = (key: string): string => `${area}\n${key}`;

/** A type over a table that cannot be written safely, and what the start says of it. */
interface Unsafe {
  readonly statements: readonly string[];
  readonly sdl: string;
  readonly fault: string;
}

const unsafe: readonly Unsafe[] = [
  {
    statements: [
      'CREATE TABLE film (no INT NOT NULL PRIMARY KEY, code VARCHAR(10) NOT NULL UNIQUE, area VARCHAR(20) NOT NULL)',
      `CREATE TABLE copy (no INT PRIMARY KEY, film INT${isMysql ? ', FOREIGN KEY (film) REFERENCES film (no) ON UPDATE CASCADE' : ' REFERENCES film ON UPDATE CASCADE'})`,
    ],
    sdl: typeOf('Film', `${area}\n code: String! ${see} @writable(on: CREATE)\n no: Int! ${see} @writable`, {
      key: '["code"]',
    }),
    fault: 'Film.no cannot be changed: the database would change rows of copy with a row of film',
  },
  {
    statements: [
      'CREATE TABLE song (no INT NOT NULL PRIMARY KEY, code VARCHAR(10) NOT NULL UNIQUE, area VARCHAR(20) NOT NULL)',
    ],
    sdl: typeOf('Song', `${area}\n code: String! ${see} @writable(on: CREATE)\n no: Int! ${see} @writable`, {
      key: '["code"]',
    }),
    fault: 'Song.no cannot be changed: it is part of the key of song.',
  },
  {
    statements: [
      `CREATE TABLE book (no ${auto}, code VARCHAR(10) NOT NULL UNIQUE, area VARCHAR(20) NOT NULL)`,
      `CREATE TABLE page (no INT PRIMARY KEY, book VARCHAR(10)${isMysql ? ', FOREIGN KEY (book)' : ''} REFERENCES book (CODE) ON UPDATE CASCADE)`,
    ],
    sdl: typeOf('Book', `${area}\n code: String! ${see} @writable`),
    fault: 'Book.code cannot be changed: the database would change rows of page',
  },
  {
    statements: [`CREATE TABLE twice (no ${auto}, area VARCHAR(20) NOT NULL, title VARCHAR(20))`],
    sdl: typeOf(
      'Twice',
      `${area}\n a: String ${see} @column(name: "title") @writable\n b: String ${see} @column(name: "title") @writable`,
    ),
    fault: 'Twice.b writes the column title, and so does Twice.a: leave @writable on one.',
  },
  {
    statements: [
      'CREATE TABLE shop (no INT NOT NULL PRIMARY KEY, area VARCHAR(20) NOT NULL)',
      `CREATE TABLE desk (no ${auto}, area VARCHAR(20) NOT NULL, shop_no INT)`,
    ],
    sdl:
      typeOf('Shop', `area: String! ${see}`, { ops: '' }) +
      typeOf(
        'Desk',
        `${area}\n shop: Shop ${see} @reference(column: "shop_no") @writable\n shopNo: Int ${see} @column(name: "shop_no") @writable`,
      ),
    fault: 'Desk.shopNo writes the column shop_no, and so does Desk.shop: leave @writable on one.',
  },
  {
    statements: [
      `CREATE TABLE tally (no ${auto}, area VARCHAR(20) NOT NULL, v INT NOT NULL DEFAULT 1, g INT ${isMysql ? '' : 'NOT NULL'} GENERATED ALWAYS AS (v + 1) STORED)`,
    ],
    sdl: typeOf('Tally', area).replace('@version', '@version(column: "g")'),
    fault: isMysql
      ? 'Tally.version counts changes in tally.g: that is a column of integers without NULL'
      : 'Tally.version counts changes in tally.g: that is a column of integers without NULL that no field writes and no database computes.',
  },
  ...(isMysql
    ? ['MyISAM', 'Aria', 'MEMORY'].map((name) => ({
        statements: [
          `CREATE TABLE ${name.toLowerCase()} (no ${auto}, area VARCHAR(20) NOT NULL) ENGINE=${name}`,
        ],
        sdl: typeOf(name, area),
        fault: `${name} cannot be written: ${name.toLowerCase()} is kept by ${name}, which has no transactions`,
      }))
    : [
        {
          statements: ['CREATE TABLE backward (no INTEGER PRIMARY KEY DESC, area VARCHAR(20) NOT NULL)'],
          sdl: typeOf('Backward', area),
          fault:
            'Backward cannot be over backward: its key may have no value in the column no: make the column NOT NULL.',
        },
        {
          statements: [
            'CREATE TABLE rowless (no INTEGER PRIMARY KEY, area VARCHAR(20) NOT NULL) WITHOUT ROWID',
          ],
          sdl: typeOf('Rowless', area),
          fault: 'Rowless has @create, and nothing gives a new row of rowless its no',
        },
        {
          statements: [
            'CREATE TABLE spelled (area VARCHAR(20) COLLATE NOCASE NOT NULL)',
            'CREATE UNIQUE INDEX by_bytes ON spelled (area COLLATE BINARY)',
          ],
          sdl: typeOf('Spelled', area),
          fault: 'Spelled cannot be over spelled: it has no primary key',
        },
      ]),
];

describe('what a database would do beside a change', () => {
  test('is refused at the start', async () => {
    const company = await Company.of(
      unsafe.flatMap(({ statements }) => statements),
      { 'schema/x.graphql': head + unsafe.map(({ sdl }) => sdl).join('') },
    );
    const refusal = await company.refusal();
    for (const { fault } of unsafe) expect(refusal).toContain(fault);
    await company.drop();
  });
});

const id = (...key: (string | number)[]): string =>
  Buffer.from(JSON.stringify(key.map(String))).toString('base64url');

class Client {
  constructor(
    private readonly server: TestServer,
    private readonly token: string,
  ) {}

  query(text: string, variables: Record<string, unknown> = {}): Promise<Answer> {
    return this.server.query(this.token, text, variables);
  }
  create(name: string, values: object, fields = 'id'): Promise<Answer> {
    return this.query(
      `mutation ($v: ${name}Values!, $k: String!) {
         create${name}(values: $v, idempotencyKey: $k) { row: ${name.toLowerCase()} { ${fields} } } }`,
      { v: values, k: randomUUID() },
    );
  }
  async version(name: string, row: string): Promise<string> {
    const { data } = await this.query(`{ row: ${name.toLowerCase()}(id: "${row}") { version } }`);
    return (data as { row: { version: string } }).row.version;
  }
  async update(name: string, row: string, changes: object, fields = 'id', version?: string): Promise<Answer> {
    return this.query(
      `mutation ($i: ID!, $v: ${name}Changes!, $e: String!, $k: String!) {
         update${name}(id: $i, changes: $v, expectedVersion: $e, idempotencyKey: $k) { row: ${name.toLowerCase()} { ${fields} } } }`,
      { i: row, v: changes, e: version ?? (await this.version(name, row)), k: randomUUID() },
    );
  }
}

/** The row in a mutation's answer. */
const rowOf = ({ data, errors }: Answer): unknown => {
  expect(errors).toEqual([]);
  return (Object.values(data as Record<string, { row: unknown }>)[0] ?? { row: undefined }).row;
};
const codeOf = ({ errors }: Answer): unknown => errors[0]?.extensions.code;

const columns: Readonly<Record<string, readonly [string, string]>> = isMysql
  ? {
      f: ['FLOAT', 'Float'],
      f2: ['FLOAT(7,2)', 'Float'],
      d: ['DOUBLE', 'Float'],
      d2: ['DOUBLE(7,2)', 'Float'],
      n: ['DECIMAL(8,2)', 'Decimal'],
      data: ['LONGBLOB', 'String'],
    }
  : {
      u: ['UUID', 'String'],
      g: ['UNIQUEIDENTIFIER', 'String'],
      j: ['JSON', 'String'],
      n: ['DECIMAL(20,4)', 'Decimal'],
      f: ['FLOAT(7,2)', 'Float'],
      data: ['BLOB', 'String'],
    };
const keys: Readonly<Record<string, readonly [string, string]>> = isMysql
  ? {
      Price: ['DECIMAL(8,2)', 'Decimal!'],
      Moment: ['DATETIME(3)', 'DateTime'],
      Zero: ['INT AUTO_INCREMENT', 'Int!'],
    }
  : { Zero: ['INTEGER', 'Int'] };
const bigTally = typeOf('Large', area).replace('@version', '@version(column: "v")');

describe('a value', () => {
  let company: Company;
  let server: TestServer;
  let client: Client;
  beforeAll(async () => {
    company = await Company.of(
      [
        `CREATE TABLE thing (no ${auto}, area VARCHAR(20) NOT NULL, ${Object.entries(columns)
          .map(([name, [type]]) => `${name} ${type}`)
          .join(', ')}${isMysql ? ', seq INT NOT NULL AUTO_INCREMENT UNIQUE' : ''})`.replace(
          isMysql ? 'INT AUTO_INCREMENT PRIMARY KEY' : '\0',
          'INT NOT NULL PRIMARY KEY',
        ),
        ...Object.entries(keys).map(
          ([name, [type]]) =>
            `CREATE TABLE ${name.toLowerCase()} (k ${type} PRIMARY KEY, area VARCHAR(20) NOT NULL)`,
        ),
        `CREATE TABLE text (code VARCHAR(20) NOT NULL PRIMARY KEY, area VARCHAR(20) NOT NULL)`,
        `CREATE TABLE large (no ${auto}, area VARCHAR(20) NOT NULL, v BIGINT NOT NULL DEFAULT 9007199254740993)`,
        "INSERT INTO thing (no, area) VALUES (1, 'north')",
        "INSERT INTO large (no, area) VALUES (1, 'north')",
        "INSERT INTO text VALUES ('\ufffd', 'north')",
      ],
      {
        'schema/x.graphql':
          head +
          typeOf(
            'Thing',
            `${area}\n${Object.entries(columns)
              .map(([name, [, type]]) => `${name}: ${type} ${see} @writable`)
              .join('\n')}${isMysql ? `\nseq: Int! ${see} @writable(required: false)` : ''}`,
            { ops: 'u' },
          ) +
          Object.entries(keys)
            .map(([name, [, type]]) =>
              typeOf(name, keyFields(`k: ${type} ${see} @writable(on: CREATE, required: true)`)),
            )
            .join('') +
          typeOf('Text', keyFields(`code: String! ${see} @writable(on: CREATE)`)) +
          bigTally,
      },
    );
    server = await company.start();
    const { token } = await server.person({ scopes: ['x:read', 'x:write'], boundary: everywhere });
    client = new Client(server, token);
  });
  afterAll(async () => {
    await server.stop();
    await company.drop();
  });

  const exact: Readonly<Record<string, readonly unknown[]>> = isMysql
    ? {
        f: [0.1, 1.2345679, 16777216, -3.4e38, 0],
        f2: [1.01, 12345.67, -0.5],
        d: [0.1, 1.23456789012345],
        d2: [1.01, 99999.99],
        seq: [100, 0, -1],
      }
    : { u: ['x', '12-3'], g: ['0b1f'], j: ['{"a":1}', '"5"'], n: ['12345678901.5', '-0.1'], f: [1.005] };

  test('is stored as it is sent, and read alike on every path', async () => {
    for (const [name, values] of Object.entries(exact))
      for (const value of values) {
        const changed = rowOf(await client.update('Thing', id(1), { [name]: value }, `${name} version`));
        expect([name, changed]).toMatchObject([name, { [name]: value }]);
        const { data } = await client.query(`{ thing(id: "${id(1)}") { ${name} version } }`);
        expect(data).toEqual({ thing: changed });
      }
  });

  const inexact: Readonly<Record<string, readonly unknown[]>> = isMysql
    ? { f: [1.23456789, 16777217], f2: [1.005, 123456.7], d2: [1.005, 99999.999], n: ['0.001'] }
    : {
        u: ['007', '1e5', ' 12', '1.', '-.5e-3 '],
        g: ['00000000000000000000000000000012'],
        j: ['5', '1e5', ' 1.0'],
        n: ['1234567890123456.7891', '12345678901234.56'],
      };

  test('that its column would store otherwise is refused', async () => {
    const before = await server.database.read.query('SELECT * FROM thing');
    for (const [name, values] of Object.entries(inexact))
      for (const value of values)
        expect([name, value, codeOf(await client.update('Thing', id(1), { [name]: value }))]).toEqual([
          name,
          value,
          'BAD_USER_INPUT',
        ]);
    expect(await server.database.read.query('SELECT * FROM thing')).toEqual(before);
  });

  test('of a key names the new row, whatever its spelling', async () => {
    const given: readonly (readonly [string, unknown, string])[] = isMysql
      ? [
          ['Price', '2.5', '2.50'],
          ['Price', '-0.00', '0.00'],
          ['Price', '007', '7.00'],
          ['Moment', '2026-03-01T09:30:00.250Z', '2026-03-01T09:30:00.25Z'],
          ['Moment', '2026-03-01T09:30:00Z', '2026-03-01T09:30:00Z'],
          ['Zero', 0, '0'],
        ]
      : [['Zero', 0, '0']];
    for (const [name, sent, canonical] of given) {
      const made = rowOf(await client.create(name, { area: 'north', k: sent }, 'id version'));
      expect([name, sent, made]).toMatchObject([name, sent, { id: id(canonical) }]);
      const { data } = await client.query(
        `{ row: ${name.toLowerCase()}(id: "${id(canonical)}") { id version } }`,
      );
      expect(data).toEqual({ row: made });
    }
  });

  test('with half of a character names no row', async () => {
    const odd = Buffer.from('["\\ud800"]').toString('base64url');
    expect((await client.query(`{ text(id: "${odd}") { id } }`)).data).toEqual({ text: null });
    const whole = await client.version('Text', id('\ufffd'));
    const answer = await client.update('Text', odd, { area: 'south' }, 'id', whole);
    expect(codeOf(answer)).toBe('NOT_FOUND');
    expect(JSON.stringify((await recordOf(server.database, answer)).resources)).not.toContain(odd);
    expect(await server.database.read.query('SELECT area FROM text')).toEqual([{ area: 'north' }]);
  });

  test('of many bytes that others replace by as many is noticed', async () => {
    const fill = (letter: string): Promise<void> =>
      company.run(
        isMysql
          ? `UPDATE thing SET data = REPEAT('${letter}', 70000)`
          : `UPDATE thing SET data = CAST(REPLACE(HEX(ZEROBLOB(35000)), '0', '${letter}') AS BLOB)`,
      );
    await fill('a');
    const version = await client.version('Thing', id(1));
    await fill('b');
    expect(codeOf(await client.update('Thing', id(1), { data: 'AAAA' }, 'id', version))).toBe('CONFLICT');
    const { errors } = await client.query(`{ thing(id: "${id(1)}") { data } }`);
    expect(errors[0]?.message).toBe('The value has 70000 bytes, and at most 65536 are shown.');
    expect(rowOf(await client.update('Thing', id(1), { data: 'AAAA' }, 'data'))).toEqual({ data: 'AAAA' });
  });

  test('that counts changes may have 64 bits', async () => {
    const version = await client.version('Large', id(1));
    expect(version).toBe('9007199254740993');
    const answer = await client.update('Large', id(1), { area: 'south' }, 'version', version);
    expect(rowOf(answer)).toEqual({ version: '9007199254740994' });
    expect(codeOf(await client.update('Large', id(1), { area: 'west' }, 'id', version))).toBe('CONFLICT');
  });
});

/** What others do to the table while the server runs, and what the operator reads. */
const changes: readonly { readonly what: string; readonly statement: string; readonly told: string }[] = [
  {
    what: 'rows that would be deleted with a row',
    statement: `CREATE TABLE copy (no INT PRIMARY KEY, film INT${isMysql ? ', FOREIGN KEY (film)' : ''} REFERENCES film (no) ON DELETE CASCADE)`,
    told: 'Film has @delete, and the database would delete or change rows of copy with a row of film',
  },
  ...(isMysql
    ? [
        {
          what: 'an engine without transactions',
          statement: 'ALTER TABLE film ENGINE=MyISAM',
          told: 'film is kept by MyISAM, which has no transactions',
        },
        {
          what: 'times that are less exact',
          statement: 'ALTER TABLE film MODIFY at DATETIME',
          told: 'the column at stores values as datetime(0) and stored them as datetime(3)',
        },
      ]
    : []),
];

describe('a table that becomes unsafe while the server runs', () => {
  let company: Company;
  let server: TestServer;
  let client: Client;
  let log = '';
  beforeAll(async () => {
    company = await Company.of([], {
      'schema/x.graphql':
        head + typeOf('Film', `${area}\n at: ${isMysql ? 'DateTime' : 'String'} ${see} @writable`),
    });
    await company.run(...film);
    server = await TestServer.start(
      { logger: makeLogger('info', { write: (text: string) => (log += text) }), watchEveryMs: 20 },
      { BEHALF_COMPANY: company.folder },
      { databaseUrl: company.fresh.url },
    );
    const { token } = await server.person({ scopes: ['x:read', 'x:write'], boundary: everywhere });
    client = new Client(server, token);
  });
  afterAll(async () => {
    await server.stop();
    await company.drop();
  });
  const film = [
    'DROP TABLE IF EXISTS copy',
    'DROP TABLE IF EXISTS film',
    `CREATE TABLE film (no ${auto}, area VARCHAR(20) NOT NULL, at DATETIME(3))${engine('InnoDB')}`,
    "INSERT INTO film (no, area) VALUES (1, 'north')",
  ];
  const until = async (code: unknown): Promise<void> => {
    while (codeOf(await client.query(`{ film(id: "${id(1)}") { version } }`)) !== code);
  };
  beforeEach(async () => {
    await company.run(...film);
    await until(undefined);
    log = '';
  });

  test.each(changes)('$what', async ({ statement, told }) => {
    const version = await client.version('Film', id(1));
    await company.run(statement);
    await until('UNAVAILABLE');
    expect(log).toContain(told);
    const answer = await client.update('Film', id(1), { area: 'south' }, 'id', version);
    expect(codeOf(answer)).toBe('UNAVAILABLE');
    expect(await server.database.read.query('SELECT area FROM film')).toEqual([{ area: 'north' }]);
  });
});
