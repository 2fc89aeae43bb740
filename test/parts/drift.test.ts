// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeLogger } from '../../src/core/logger.js';
import { Company } from '../support/company.js';
import { testDatabase } from '../support/database.js';
import { everywhere, type Answer, type TestServer } from '../support/server.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const isMysql = testDatabase() === 'mariadb';

/** The table `film`, with some columns otherwise. */
const filmTable = (columns: Readonly<Record<string, string>> = {}, key = 'film_no'): string => {
  const all: Readonly<Record<string, string>> = {
    film_no: 'INTEGER NOT NULL',
    shop_no: 'INTEGER NOT NULL',
    title: 'VARCHAR(100) NOT NULL',
    length: 'INTEGER NOT NULL',
    kind: isMysql ? "ENUM('new','old')" : 'VARCHAR(10)',
    unnamed: 'VARCHAR(20)',
    ...columns,
  };
  const parts = Object.entries(all).flatMap(([name, type]) => (type === '' ? [] : [`${name} ${type}`]));
  return `CREATE TABLE film (${parts.join(', ')}, PRIMARY KEY (${key}))`;
};
const shopTable = 'CREATE TABLE shop (shop_no INTEGER NOT NULL PRIMARY KEY, area VARCHAR(40) NOT NULL)';
const rows = "(1, 1, 'Alpha', 10, 'new', NULL), (2, 2, 'Beta', 20, 'old', NULL)";

const unbounded = 'unbounded: ["customer", "collection", "classification", "person"]';
const schema = `extend schema @defineScope(name: "films:read", description: "Read films.")
type Shop
  @table(name: "shop", one: "shop", many: "shops", order: { by: "area" })
  @query(list: "shops")
  @rows(scope: "films:read", bounds: [{ dimension: "region", path: "area" }], ${unbounded}) {
  id: ID! @scope(name: "films:read")
  area: String! @scope(name: "films:read")
}
type Film
  @table(name: "film", one: "film", many: "films", order: { by: "title" })
  @query(one: "film", list: "films")
  @rows(scope: "films:read", bounds: [{ dimension: "region", path: "shop.area" }], ${unbounded}) {
  id: ID! @scope(name: "films:read")
  title: String! @scope(name: "films:read")
  length: Int! @scope(name: "films:read") @filter(by: AT_LEAST)
  kind: String @scope(name: "films:read")
  shop: Shop @scope(name: "films:read") @reference(column: "shop_no")
}
`;

/** What others do to the tables, and what comes of it. */
interface Drift {
  readonly what: string;
  readonly statements: readonly string[];
  /** Why the server does not start. Undefined: it starts. */
  readonly stopped?: string;
  /** What the operator reads while the server runs. Undefined: all goes on. */
  readonly running?: string;
}

/** The table made anew, so that nobody sees it missing: SQLite runs statements of one call in one transaction. */
const anew = (columns: Readonly<Record<string, string>>, values: string, key?: string): string[] => {
  const table = filmTable(columns, key);
  return isMysql
    ? [
        table.replace('TABLE film', 'TABLE film_next'),
        `INSERT INTO film_next ${values}`,
        'RENAME TABLE film TO film_before, film_next TO film',
        'DROP TABLE film_before',
      ]
    : ['DROP TABLE film', table, `INSERT INTO film ${values}`];
};

const drifts: readonly Drift[] = [
  {
    what: 'a column that is dropped',
    statements: ['ALTER TABLE film DROP COLUMN length'],
    stopped: 'schema/films.graphql:15: Film.length is in the column film.length, which does not exist',
    running: 'film: the column length is gone',
  },
  {
    what: 'a column that is renamed',
    statements: ['ALTER TABLE film RENAME COLUMN title TO name'],
    stopped: 'schema/films.graphql:14: Film.title is in the column film.title, which does not exist',
    running: 'film: the column title is gone',
  },
  {
    what: 'numbers that become texts',
    statements: anew({ length: 'VARCHAR(20) NOT NULL' }, `VALUES ${rows.replace('10', "'9x'")}`),
    stopped: 'schema/films.graphql:15: Film.length is of the type Int, and film.length is read as String.',
    running: 'film: the column length is read as text and was read as int',
  },
  {
    what: 'a column that may be empty',
    statements: anew({ title: 'VARCHAR(100)' }, `VALUES ${rows.replace("'Alpha'", 'NULL')}`),
    stopped:
      'schema/films.graphql:14: Film.title is never null, and film.title may be: write String without `!`.',
    running: 'film: the column title may be empty and never was',
  },
  {
    what: 'a table that is gone',
    statements: ['DROP TABLE film'],
    stopped: 'schema/films.graphql:9: Film names the table film, which does not exist.',
    running: 'film: the table is gone',
  },
  {
    what: 'a table that is gone, over which a boundary goes',
    statements: ['DROP TABLE shop'],
    stopped: 'schema/films.graphql:2: Shop names the table shop, which does not exist.',
    running: 'shop: the table is gone',
  },
  {
    what: 'another key',
    statements: anew({}, `VALUES ${rows}`, 'film_no, shop_no'),
    running: 'film: its key is (film_no, shop_no) and was (film_no)',
  },
  ...(isMysql
    ? [
        {
          what: 'texts of another character set',
          statements: ['ALTER TABLE film MODIFY title VARCHAR(100) CHARACTER SET latin1 NOT NULL'],
          running: 'film: the column title compares texts by latin1_swedish_ci and compared them by',
        },
        {
          what: 'texts of another collation',
          statements: [
            'ALTER TABLE shop MODIFY area VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_esperanto_ci NOT NULL',
          ],
          running: 'shop: the column area compares texts by utf8mb4_esperanto_ci and compared them by',
        },
      ]
    : []),
  {
    what: 'a further column, and one of none that is gone',
    statements: ['ALTER TABLE film ADD COLUMN more INTEGER', 'ALTER TABLE shop ADD COLUMN more VARCHAR(20)'],
  },
  {
    what: 'a text that is shorter',
    statements: anew({ title: 'VARCHAR(50) NOT NULL' }, `VALUES ${rows}`),
  },
  {
    what: 'an enum that has grown',
    statements: anew(
      isMysql ? { kind: "ENUM('newest','new','old')" } : { kind: 'VARCHAR(90)' },
      `VALUES ${rows}`,
    ),
  },
];

const query = '{ films { totalCount nodes { title length kind shop { area } } } }';
const whole = {
  films: { totalCount: 1, nodes: [{ title: 'Alpha', length: 10, kind: 'new', shop: { area: 'north' } }] },
};

describe('tables that others change', () => {
  let company: Company;
  let server: TestServer;
  let token: string;
  let log = '';
  const run = async (...statements: readonly string[]): Promise<void> => {
    await server.database.transaction(async (tx) => {
      for (const sql of statements) await tx.affecting(sql, []);
    });
  };
  const asked = (): Promise<Answer> => server.query(token, query);
  const refused = ({ data, errors }: Answer): boolean =>
    (data === null || (data as typeof whole | { films: null }).films === null) &&
    errors.every(({ extensions }) => extensions.code === 'UNAVAILABLE');
  /** Asks until the answer is so. Until then, too, no answer is wrong. */
  const until = async (isDone: (answer: Answer) => boolean): Promise<Answer> => {
    for (;;) {
      const answer = await asked();
      if (!refused(answer)) expect(answer).toMatchObject({ data: whole, errors: [] });
      if (isDone(answer)) return answer;
    }
  };

  beforeAll(async () => {
    company = await Company.of([shopTable, filmTable()], { 'schema/films.graphql': schema });
    const logger = makeLogger('info', { write: (text: string) => (log += text) });
    server = await company.start({}, { logger, watchEveryMs: 20 });
    ({ token } = await server.person({
      scopes: ['films:read'],
      boundary: { ...everywhere, region: ['north'] },
    }));
  });
  afterAll(async () => {
    await server.stop();
    await company.drop();
  });
  beforeEach(async () => {
    await run('DROP TABLE IF EXISTS film', 'DROP TABLE IF EXISTS shop', shopTable, filmTable());
    await run(`INSERT INTO shop VALUES (1, 'north'), (2, 'south')`, `INSERT INTO film VALUES ${rows}`);
    await until((answer) => !refused(answer));
    log = '';
  });

  test.each(drifts)('$what', async ({ statements, stopped, running }) => {
    await run(...statements);
    if (running === undefined) {
      await until((answer) => !refused(answer));
      expect(log).not.toMatch(/film: (?:the column|its key)/);
    } else {
      const answer = await until(() => log.includes(running));
      const last = await until(refused);
      for (const { message, extensions } of [...answer.errors, ...last.errors]) {
        expect(extensions).toEqual({ code: 'UNAVAILABLE', operationId: expect.any(String) as string });
        expect(message).toBe(
          'This part of the data cannot be shown now: its table is not as the server knows it. Tell the operator.',
        );
      }
      expect(log).not.toContain('INTERNAL');
    }
    const refusal = await company.refusal();
    if (stopped === undefined) expect(refusal).toBe('');
    else expect(refusal).toContain(stopped);
  });

  test('what is as it was again is shown again', async () => {
    await run('ALTER TABLE film DROP COLUMN length');
    // A statement may find out before the watch does.
    await until(() => log.includes('film: the column length is gone'));
    await run('ALTER TABLE film ADD COLUMN length INTEGER NOT NULL DEFAULT 10');
    await until(() => log.includes('the tables are again as they were when the server started'));
    expect(refused(await asked())).toBe(false);
  });
});

describe('a view that others change', () => {
  const view = (columns: string): readonly string[] => [
    'DROP VIEW IF EXISTS north',
    `CREATE VIEW north AS SELECT ${columns} FROM shop WHERE area = 'north'`,
  ];
  const north = `extend schema @defineScope(name: "films:read", description: "Read films.")
type North
  @table(name: "north", one: "shop", many: "shops", order: { by: "area" }, key: ["shop_no"])
  @query(list: "norths")
  @rows(scope: "films:read", unbounded: ["customer", "region", "collection", "classification", "person"]) {
  id: ID! @scope(name: "films:read")
  area: String @scope(name: "films:read")
}
`;

  test.each([
    {
      what: 'has a column less',
      statements: view('shop_no'),
      running: 'north: the column area is gone',
      stopped: 'schema/north.graphql:7: North.area is in the column north.area, which does not exist',
    },
    {
      what: 'has lost its table',
      statements: ['DROP TABLE shop'],
      running: 'north: its key is () and was (shop_no)',
      stopped:
        'schema/north.graphql:2: North cannot be over north: the database finds no column of it: what it reads may be gone.',
    },
  ])('that $what is refused, and the log says why', async ({ statements, running, stopped }) => {
    const rows = "INSERT INTO shop VALUES (1, 'north'), (2, 'south')";
    const company = await Company.of([shopTable, rows, ...view('shop_no, area')], {
      'schema/north.graphql': north,
    });
    let log = '';
    const logger = makeLogger('info', { write: (text: string) => (log += text) });
    const server = await company.start({}, { logger, watchEveryMs: 20 });
    try {
      const { token } = await server.person({ scopes: ['films:read'] });
      const asked = (): Promise<Answer> => server.query(token, '{ norths { nodes { area } } }');
      expect((await asked()).data).toEqual({ norths: { nodes: [{ area: 'north' }] } });
      for (const sql of statements) await server.database.transaction((tx) => tx.affecting(sql, []));
      do {
        const { data, errors } = await asked();
        expect(data).toEqual({ norths: null });
        expect(errors.map(({ extensions }) => extensions.code)).toEqual(['UNAVAILABLE']);
      } while (!log.includes(running));
      expect(await company.refusal()).toContain(stopped);
    } finally {
      await server.stop();
      await company.drop();
    }
  });
});

describe('a table that others change before a row is added', () => {
  const writable = `extend schema
  @defineScope(name: "films:read", description: "Read films.")
  @defineScope(name: "films:add", description: "Add films.")
type Shop
  @table(name: "shop", one: "shop", many: "shops", order: { by: "area" })
  @query(list: "shops")
  @create(mutation: "addShop", scope: "films:add")
  @rows(scope: "films:read", unbounded: ["customer", "region", "collection", "classification", "person"]) {
  id: ID! @scope(name: "films:read")
  number: Int! @scope(name: "films:read") @column(name: "shop_no") @writable(on: CREATE)
  area: String! @scope(name: "films:read") @writable(on: CREATE)
}
`;

  test.each([
    ['has a column of another name', ['ALTER TABLE shop RENAME COLUMN area TO place']],
    [
      'computes a column',
      [
        'DROP TABLE shop',
        "CREATE TABLE shop (shop_no INTEGER NOT NULL PRIMARY KEY, area VARCHAR(40) GENERATED ALWAYS AS ('north') STORED NOT NULL)",
        'INSERT INTO shop (shop_no) VALUES (1)',
      ].map((sql) => (isMysql ? sql.replace(' STORED NOT NULL', ' STORED') : sql)),
    ],
  ])('that %s, takes none, and says so', async (_what, statements) => {
    const company = await Company.of([shopTable], { 'schema/shop.graphql': writable });
    const server = await company.start();
    try {
      const { token } = await server.person({ scopes: ['films:read', 'films:add'] });
      const added = (number: number, key: string): Promise<Answer> =>
        server.query(
          token,
          `mutation { addShop(values: { number: ${String(number)}, area: "north" }, idempotencyKey: "${key}") { shop { number } } }`,
        );
      expect((await added(1, 'first')).data).toEqual({ addShop: { shop: { number: 1 } } });
      const run = (sql: string): Promise<number> =>
        server.database.transaction((tx) => tx.affecting(sql, []));
      for (const sql of statements) await run(sql);
      const { data, errors } = await added(2, 'second');
      expect([data, errors.map(({ extensions }) => extensions.code)]).toEqual([null, ['UNAVAILABLE']]);
      expect(await server.database.read.query('SELECT shop_no FROM shop')).toEqual([{ shop_no: 1 }]);
    } finally {
      await server.stop();
      await company.drop();
    }
  });
});
