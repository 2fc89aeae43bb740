// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedRoles } from '../../src/admin/shipped-roles.js';
import { Company } from '../support/company.js';
import { testDatabase } from '../support/database.js';
import { everywhere, type Answer, type PersonFixture, type TestServer } from '../support/server.js';
import { recordOf } from '../support/records.js';
import { volume } from '../support/volume.js';

const isMysql = testDatabase() === 'mariadb';
/** The collation of text that takes `a` and `A` for equal. */
const folded = isMysql ? 'COLLATE utf8mb4_general_ci' : 'COLLATE NOCASE';

const tables = [
  `CREATE TABLE shop (shop_no ${isMysql ? 'TINYINT UNSIGNED' : 'INTEGER'} PRIMARY KEY, area VARCHAR(40) ${folded} NOT NULL)`,
  `CREATE TABLE film (
     film_no ${isMysql ? 'BIGINT AUTO_INCREMENT' : 'INTEGER'} PRIMARY KEY,
     shop_no ${isMysql ? 'TINYINT UNSIGNED' : 'INTEGER'} NOT NULL,
     \`Film Title\` VARCHAR(100) ${folded} NOT NULL,
     length SMALLINT,
     price DECIMAL(8,2) NOT NULL,
     views BIGINT NOT NULL,
     is_new ${isMysql ? 'TINYINT(1)' : 'BOOLEAN'} NOT NULL,
     bought DATETIME${isMysql ? '(6)' : ''} NOT NULL,
     released DATE,
     sequel_of BIGINT)`,
  `CREATE TABLE \`order\` (code VARCHAR(20) ${folded} NOT NULL PRIMARY KEY, \`group\` VARCHAR(20))`,
  `CREATE TABLE film_order (film_no BIGINT NOT NULL, code VARCHAR(20) ${folded} NOT NULL, note VARCHAR(20) ${folded}, PRIMARY KEY (film_no, code))`,
  `CREATE TABLE numbered (no INTEGER PRIMARY KEY, shop_no ${isMysql ? 'SMALLINT UNSIGNED' : 'INTEGER'} NOT NULL, title VARCHAR(100) NOT NULL, views BIGINT NOT NULL)`,
  'CREATE TABLE viewed (no INTEGER PRIMARY KEY, views BIGINT NOT NULL)',
  `CREATE TABLE bins (k ${isMysql ? 'VARBINARY(300)' : 'BLOB'} NOT NULL PRIMARY KEY, note VARCHAR(20))`,
  `CREATE TABLE truths (k ${isMysql ? 'TINYINT(1)' : 'BOOLEAN'} NOT NULL PRIMARY KEY, note VARCHAR(20))`,
  'CREATE TABLE keyless (note VARCHAR(20))',
  `CREATE TABLE stub (film_no BIGINT NOT NULL, code VARCHAR(20) NOT NULL, at INT NOT NULL, PRIMARY KEY (film_no, code, at))`,
];

const unbounded = 'unbounded: ["customer", "collection", "classification", "person"]';
const schema = `
extend schema
  @defineScope(name: "films:read", description: "Read films.")
  @defineScope(name: "films:read_price", description: "Read what films cost.")
  @defineScope(name: "shop_orders:read", description: "Read orders.")

"A shop."
type Shop
  @table(name: "shop", one: "shop", many: "shops", order: { by: "area" })
  @query(one: "shop", list: "shops")
  @rows(scope: "films:read", bounds: [{ dimension: "region", path: "area" }], ${unbounded}) {
  id: ID! @scope(name: "films:read")
  area: String! @scope(name: "films:read") @find(query: "shopByArea") @filter(by: ONE_OF) @sort
  films: [Film!] @scope(name: "films:read") @children(column: "shop_no")
}

"A film."
type Film
  @table(name: "film", one: "film", many: "films", order: { by: "title" })
  @query(one: "film", list: "films")
  @rows(scope: "films:read", bounds: [{ dimension: "region", path: "shop.area" }], ${unbounded}) {
  id: ID! @scope(name: "films:read")
  title: String! @scope(name: "films:read") @column(name: "Film Title") @filter(by: EQUALS) @filter(by: STARTS_WITH) @sort
  length: Int @scope(name: "films:read") @filter(by: AT_MOST) @sort
  price: Decimal @scope(name: "films:read_price")
  views: String! @scope(name: "films:read")
  isNew: Boolean! @scope(name: "films:read") @filter(by: EQUALS)
  bought: ${isMysql ? 'DateTime' : 'String'}! @scope(name: "films:read") ${isMysql ? '@filter(by: FROM)' : ''} @sort
  released: String @scope(name: "films:read")
  shop: Shop @scope(name: "films:read") @reference(column: "shop_no")
  sequelOf: Film @scope(name: "films:read") @reference(column: "sequel_of")
  sequels: [Film!] @scope(name: "films:read") @children(column: "sequel_of")
  lines: [FilmLine!] @scope(name: "shop_orders:read") @children(column: "film_no")
}

"A film of a shop with a number."
type NumberedFilm
  @table(name: "numbered", one: "film", many: "films", order: { by: "title" })
  @query(one: "numberedFilm", list: "numberedFilms")
  @rows(scope: "films:read", bounds: [{ dimension: "customer", path: "shop_no" }], unbounded: ["region", "collection", "classification", "person"]) {
  id: ID! @scope(name: "films:read")
  title: String! @scope(name: "films:read")
  views: String! @scope(name: "films:read")
}

"A film by its views."
type ViewedFilm
  @table(name: "viewed", one: "film", many: "films", order: { by: "views" })
  @query(list: "viewedFilms")
  @rows(scope: "films:read", bounds: [{ dimension: "customer", path: "views" }], unbounded: ["region", "collection", "classification", "person"]) {
  id: ID! @scope(name: "films:read")
  views: String! @scope(name: "films:read")
}

"What was ordered."
type FilmLine
  @table(name: "film_order", one: "line", many: "lines", order: { by: "note" })
  @query(one: "filmLine", list: "filmLines")
  @rows(scope: "shop_orders:read", bounds: [{ dimension: "region", path: "film.shop.area" }], ${unbounded}) {
  id: ID! @scope(name: "shop_orders:read")
  note: String @scope(name: "shop_orders:read") @sort
  film: Film @scope(name: "films:read") @reference(column: "film_no")
  booking: Booking @scope(name: "shop_orders:read") @reference(column: "code")
  stubs: [Stub!] @scope(name: "shop_orders:read") @children(column: ["film_no", "code"])
}

"An order."
type Booking
  @table(name: "order", one: "order", many: "orders", order: { by: "code" })
  @query(one: "booking", list: "bookings")
  @rows(scope: "shop_orders:read", unbounded: ["customer", "region", "collection", "classification", "person"]) {
  id: ID! @scope(name: "shop_orders:read")
  code: String! @scope(name: "shop_orders:read") @filter(by: EQUALS)
  group: String @scope(name: "shop_orders:read") @sort
}

"A stub."
type Stub
  @table(name: "stub", one: "stub", many: "stubs", order: { by: "at", direction: DESC })
  @query(list: "stubs")
  @rows(scope: "shop_orders:read", bounds: [{ dimension: "region", path: "line.film.shop.area" }], ${unbounded}) {
  id: ID! @scope(name: "shop_orders:read")
  at: Int! @scope(name: "shop_orders:read") @sort
  line: FilmLine @scope(name: "shop_orders:read") @reference(column: ["film_no", "code"])
}
`;

const areas = ['north', 'North', 'NORTH ', 'south', 'süd', '', "o'west", '1', '01'];
const shops = areas.map((area, at) => ({ shop_no: at + 1, area }));
const films = Array.from({ length: 120 }, (_, at) => ({
  film_no: at + 1,
  shop_no: 1 + (at % areas.length),
  title: `${['alpha', 'Alpha', 'ALPHA', 'beta', 'émile', 'Zed', 'a_b', '%'][at % 8] ?? ''}${at % 5 === 0 ? '' : String(at % 7)}`,
  length: at % 6 === 0 ? null : (at * 37) % 50,
  price: `${String(at % 11)}.${String(at % 100).padStart(2, '0')}`,
  views: String(9_007_199_254_740_991n + BigInt(at)),
  is_new: at % 3 === 0,
  bought: `2026-03-${String(1 + (at % 28)).padStart(2, '0')} 10:00:00${at % 4 === 0 ? '' : '.123456'}`,
  released: at % 5 === 0 ? null : `19${String(10 + (at % 90))}-02-03`,
  sequel_of: at % 9 === 0 || at < 10 ? null : 1 + (at % 10),
}));
const codes = ['A-1', 'b-2', 'C 3', 'ü'];
const lines = films
  .filter(({ film_no }) => film_no % 3 === 0)
  .flatMap(({ film_no }) => codes.slice(0, 1 + (film_no % 4)).map((code) => ({ film_no, code })));

let company: Company;
let server: TestServer;
const domains = { BEHALF_DOMAINS: 'knowledge,business' };

beforeAll(async () => {
  company = await Company.of(tables, { 'schema/films.graphql': schema });
  server = await company.start(domains);
  await server.database.transaction(async (tx) => {
    for (const { shop_no, area } of shops)
      await tx.affecting('INSERT INTO shop VALUES (?, ?)', [shop_no, area]);
    for (const film of films)
      await tx.affecting('INSERT INTO film VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', [
        ...[film.film_no, film.shop_no, film.title, film.length, film.price],
        ...[
          isMysql ? film.views : BigInt(film.views),
          film.is_new ? 1 : 0,
          film.bought,
          film.released,
          film.sequel_of,
        ],
      ]);
    await tx.affecting('INSERT INTO numbered SELECT film_no, shop_no, `Film Title`, views FROM film', []);
    await tx.affecting('INSERT INTO viewed SELECT film_no, views FROM film', []);
    for (const code of codes) await tx.affecting('INSERT INTO `order` VALUES (?, ?)', [code, null]);
    for (const { film_no, code } of lines) {
      await tx.affecting('INSERT INTO film_order VALUES (?, ?, ?)', [film_no, code, `${code}!`]);
      for (const at of [1, 2, 3])
        await tx.affecting('INSERT INTO stub VALUES (?, ?, ?)', [film_no, code, at]);
    }
  });
});
afterAll(async () => {
  await server.stop();
  await company.drop();
});

const scopes = ['films:read', 'shop_orders:read'];
const within = (...region: string[]): Promise<PersonFixture> =>
  server.person({ scopes, boundary: { ...everywhere, region } });
const nodesOf = (answer: Answer, field: string): Record<string, unknown>[] => {
  expect(answer.errors).toEqual([]);
  return (answer.data as Record<string, { nodes: Record<string, unknown>[] }>)[field]?.nodes ?? [];
};
const areaOf = (film: { readonly shop_no: number }): string => areas[film.shop_no - 1] ?? '';

describe('tables of a company', () => {
  test('are read as they are: every key and type', async () => {
    const all = await server.person({ scopes: [...scopes, 'films:read_price'] });
    const query = `{ films(first: 2, orderBy: { bought: ASC }) { totalCount nodes { id title length price views isNew bought released
      shop { id area } sequelOf { title } lines(first: 1) { nodes { id note booking { id code } film { title }
        stubs(first: 2) { totalCount nodes { at line { note } } } } } } } }`;
    const answer = await server.query(all.token, query);
    expect(answer.errors).toEqual([]);
    const [first] = nodesOf(answer, 'films');
    const film = films[0];
    expect(first).toMatchObject({
      title: film?.title,
      length: null,
      price: isMysql ? '0.00' : '0',
      views: '9007199254740991',
      isNew: true,
      bought: isMysql ? '2026-03-01T10:00:00Z' : '2026-03-01 10:00:00',
      released: null,
      shop: { area: 'north' },
      sequelOf: null,
    });
    expect(answer.data).toMatchObject({ films: { totalCount: 120 } });
    const third = await server.query(
      all.token,
      `{ films(first: 1, filter: { title: "ALPHA2" }) { nodes { id title bought views lines { nodes {
      note booking { code } film { title } stubs(first: 2) { totalCount nodes { at line { note } } } } } } } }`,
    );
    const [found] = nodesOf(third, 'films');
    expect(found).toMatchObject({
      title: 'ALPHA2',
      bought: isMysql ? '2026-03-03T10:00:00.123456Z' : '2026-03-03 10:00:00.123456',
      views: '9007199254740993',
    });
    expect(found).toMatchObject({
      lines: {
        nodes: lines
          .filter(({ film_no }) => film_no === 3)
          .map(({ code }) => ({
            note: `${code}!`,
            booking: { code },
            film: { title: 'ALPHA2' },
            stubs: {
              totalCount: 3,
              nodes: [
                { at: 3, line: { note: `${code}!` } },
                { at: 2, line: { note: `${code}!` } },
              ],
            },
          })),
      },
    });
  });

  test('have ids that lead back to the row, and the record names them', async () => {
    const { token } = await within(...areas);
    const rows = nodesOf(
      await server.query(token, '{ filmLines(first: 50) { nodes { id note film { id } } } }'),
      'filmLines',
    );
    expect(new Set(rows.map(({ id }) => id)).size).toBe(50);
    for (const row of rows.slice(0, 5)) {
      const answer = await server.query(
        token,
        'query ($id: ID!) { filmLine(id: $id) { id note film { id } } }',
        { id: row.id },
      );
      expect(answer.data).toEqual({ filmLine: row });
      const { resources } = await recordOf(server.database, answer);
      expect(resources.find(({ type }) => type === 'FilmLine')?.ids).toEqual([row.id]);
    }
    const id = String(rows[0]?.id);
    const others = [
      '',
      'x',
      `${id}=`,
      id.slice(0, -1),
      Buffer.from('["3"]').toString('base64url'),
      Buffer.from('["3", "A-1"]').toString('base64url'),
      Buffer.from('["3","a-1"]').toString('base64url'),
      Buffer.from('[3,"A-1"]').toString('base64url'),
      server.ids.next(),
    ];
    for (const other of others) {
      const answer = await server.query(token, 'query ($id: ID!) { filmLine(id: $id) { id } }', {
        id: other,
      });
      expect([other, answer.data, answer.errors]).toEqual([other, { filmLine: null }, []]);
    }
  });

  test('a boundary holds exactly its values, whatever the collation, on every way', async () => {
    for (const area of areas) {
      const { token } = await within(area);
      const mine = films.filter((film) => areaOf(film) === area);
      const answer = await server.query(
        token,
        `{ films(first: 100) { totalCount nodes { title shop { area } } }
        shops { totalCount nodes { area films(first: 100) { totalCount } } } filmLines { totalCount } stubs { totalCount } }`,
      );
      expect(answer.errors).toEqual([]);
      const inside = lines.filter((line) => mine.some((film) => film.film_no === line.film_no)).length;
      expect([area, answer.data]).toMatchObject([
        area,
        {
          films: { totalCount: mine.length },
          shops: { totalCount: 1, nodes: [{ area, films: { totalCount: mine.length } }] },
          filmLines: { totalCount: inside },
          stubs: { totalCount: 3 * inside },
        },
      ]);
      for (const { shop } of nodesOf(answer, 'films')) expect(shop).toEqual({ area });
      for (const other of areas) {
        const found = await server.query(
          token,
          'query ($area: String!) { shopByArea(area: $area) { area } }',
          { area: other },
        );
        expect([area, other, found.data]).toEqual([
          area,
          other,
          { shopByArea: other === area ? { area } : null },
        ]);
      }
    }
  });

  test('a boundary over numbers takes no text for a number', async () => {
    for (const [customer, expected] of [
      [['1'], 14],
      [['1', '2'], 28],
      [['01'], 0],
      [['1x'], 0],
      [['1.0'], 0],
      [['x'], 0],
      [[''], 0],
      [['9007199254740993'], 0],
    ] as const) {
      const { token } = await server.person({ scopes, boundary: { ...everywhere, customer } });
      const answer = await server.query(token, '{ numberedFilms { totalCount nodes { id title views } } }');
      expect([customer, answer.errors]).toEqual([customer, []]);
      expect([customer, answer.data]).toMatchObject([customer, { numberedFilms: { totalCount: expected } }]);
      for (const { id, title } of nodesOf(answer, 'numberedFilms').slice(0, 2)) {
        const one = await server.query(token, 'query ($id: ID!) { numberedFilm(id: $id) { title } }', { id });
        expect(one.data).toEqual({ numberedFilm: { title } });
      }
    }
    const { token } = await server.person({
      scopes,
      boundary: { ...everywhere, customer: ['9007199254740994'] },
    });
    const answer = await server.query(token, '{ viewedFilms { totalCount nodes { views } } }');
    expect(answer.data).toEqual({ viewedFilms: { totalCount: 1, nodes: [{ views: '9007199254740994' }] } });
  });

  interface Filter {
    readonly titleStartsWith?: string;
    readonly lengthAtMost?: number;
    readonly isNew?: boolean;
    readonly boughtAfter?: string;
  }

  test('random pages are what the rows themselves say', async () => {
    const fields = { title: 'title', length: 'length', bought: 'bought' } as const;
    const filters = fc.record(
      {
        titleStartsWith: fc.constantFrom('a', 'A', 'AL', 'é', '%', 'a_', 'Zed'),
        lengthAtMost: fc.integer({ min: 0, max: 50 }),
        isNew: fc.boolean(),
        ...(isMysql && {
          boughtAfter: fc.constantFrom('2026-03-10T10:00:00.000Z', '2026-03-14T10:00:00.124Z'),
        }),
      },
      { requiredKeys: [] },
    );
    const cases = fc.record({
      inside: fc.subarray(areas, { minLength: 1 }),
      filter: filters,
      by: fc.constantFrom('title', 'length', 'bought'),
      direction: fc.constantFrom('ASC', 'DESC'),
      first: fc.integer({ min: 1, max: 40 }),
    });
    const people = new Map<string, string>();
    await fc.assert(
      fc.asyncProperty(cases, async ({ inside, filter, by, direction, first }) => {
        const key = inside.join('\n');
        const token = people.get(key) ?? (await within(...inside)).token;
        people.set(key, token);
        const { titleStartsWith, lengthAtMost, isNew, boughtAfter } = filter as Filter;
        const expected = films.filter(
          (film) =>
            inside.includes(areaOf(film)) &&
            (titleStartsWith === undefined || film.title.startsWith(titleStartsWith)) &&
            (lengthAtMost === undefined || (film.length !== null && film.length <= lengthAtMost)) &&
            (isNew === undefined || film.is_new === isNew) &&
            (boughtAfter === undefined ||
              film.bought.padEnd(26, '.000000') >= boughtAfter.replace('T', ' ').replace('Z', '')),
        );
        const got: Record<string, unknown>[] = [];
        for (let after: string | null = null, more = true; more;) {
          const answer: Answer = await server.query(
            token,
            `query ($filter: FilmFilter, $orderBy: FilmOrder, $first: Int, $after: String) {
              films(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
                totalCount nodes { id title length bought views } pageInfo { hasNextPage endCursor } } }`,
            { filter, orderBy: { [by]: direction }, first, after },
          );
          got.push(...nodesOf(answer, 'films'));
          const page = (
            answer.data as {
              films: { totalCount: number; pageInfo: { hasNextPage: boolean; endCursor: string } };
            }
          ).films;
          expect(page.totalCount).toBe(expected.length);
          [more, after] = [page.pageInfo.hasNextPage, page.pageInfo.endCursor];
        }
        expect(got.map(({ views }) => views).sort()).toEqual(expected.map(({ views }) => views).sort());
        const column = fields[by];
        const values = got.map((row) => row[column] as string | number | null);
        if (column === 'title') return;
        const rank = (value: string | number | null): string =>
          typeof value === 'number' ? String(value).padStart(9, ' ') : (value ?? '').replace('Z', '');
        const sorted = [...values].sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
        expect(values).toEqual(direction === 'ASC' ? sorted : sorted.reverse());
      }),
      { numRuns: volume(600) },
    );
  });

  test('no shipped role sees anything of them', async () => {
    for (const role of shippedRoles) {
      const { token } = await server.person({ scopes: role.scopes });
      for (const field of ['films', 'shops', 'filmLines', 'bookings', 'stubs', 'numberedFilms']) {
        const answer = await server.query(token, `{ ${field} { totalCount } }`);
        expect([role.name, answer.errors.map(({ extensions }) => extensions.code)]).toEqual([
          role.name,
          ['BAD_USER_INPUT'],
        ]);
      }
      expect((await server.query(token, '{ __type(name: "Film") { name } }')).data).toEqual({ __type: null });
    }
  });
});

describe('the start is refused over', () => {
  const over = (table: string): string => `"A thing."
type Thing
  @table(name: "${table}", one: "thing", many: "things", order: { by: "note" })
  @rows(scope: "films:read", unbounded: ["customer", "region", "collection", "classification", "person"]) {
  id: ID! @scope(name: "films:read")
  note: String @scope(name: "films:read")
}
"A shop."`;

  test.each([
    [
      'a scope that ships',
      '"films:read_price"',
      '"customers:read"',
      'The scope customers:read ships, and roles hold it: name yours otherwise.',
    ],
    ['a key of many bytes', '"A shop."', over('bins'), 'Thing cannot be over bins: its key has the column k'],
    [
      'a key of truth values',
      '"A shop."',
      over('truths'),
      'Thing cannot be over truths: its key has the column k',
    ],
    [
      'a table without a key',
      '"A shop."',
      over('keyless'),
      'Thing cannot be over keyless: it has no primary key.',
    ],
    [
      'an order that the comparison does not follow',
      'isNew: Boolean!',
      'isNew: Boolean! @sort',
      'Film.isNew cannot be sorted by',
    ],
    [
      'a field of another type than its column',
      'views: String! @scope',
      'views: Int! @scope',
      'Film.views is of the type Int, and film.views is read as BigInt or String.',
    ],
    [
      'a boundary over truth values',
      'path: "shop.area"',
      'path: "is_new"',
      'Film has the dimension region in a column that compares inexactly: is_new.',
    ],

    [
      'a table that is gone',
      'name: "film_order"',
      'name: "film_orders"',
      'FilmLine names the table film_orders, which does not exist.',
    ],
    [
      'a column that is gone',
      '@column(name: "Film Title")',
      '@column(name: "Film title 2")',
      'Film.title is in the column film.Film title 2, which does not exist: correct the name, or leave the field out.',
    ],
    [
      'a reference by too few columns',
      '@reference(column: ["film_no", "code"])',
      '@reference(column: "film_no")',
      'line leads to film_order by stub.film_no, and the key of film_order is film_no, code.',
    ],
  ])('%s, with file and line', async (_, from, to, told) => {
    expect(schema).toContain(from);
    company.write('schema/films.graphql', schema.replace(from, to));
    const refusal = await company.refusal(domains);
    expect(refusal).toMatch(/- schema\/films\.graphql:\d+: /);
    expect(refusal).toContain(told);
  });
});
