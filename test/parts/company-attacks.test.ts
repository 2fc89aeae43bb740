// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Company } from '../support/company.js';
import { testDatabase } from '../support/database.js';
import { recordOf } from '../support/records.js';
import { everywhere, type Answer, type PersonFixture, type TestServer } from '../support/server.js';

const isMysql = testDatabase() === 'mariadb';
const binary = isMysql ? 'COLLATE utf8mb4_bin' : '';
const folded = isMysql ? 'COLLATE utf8mb4_general_ci' : 'COLLATE NOCASE';
const item = (columns: string): string =>
  `CREATE TABLE item (no INTEGER PRIMARY KEY, area VARCHAR(20) NOT NULL, ${columns})`;

const tables = [
  `CREATE TABLE shop (code VARCHAR(10) ${binary} NOT NULL PRIMARY KEY, area VARCHAR(20) NOT NULL)`,
  `CREATE TABLE film (no INTEGER PRIMARY KEY, shop VARCHAR(10) ${folded}, title VARCHAR(20) ${folded} NOT NULL)`,
  "INSERT INTO shop VALUES ('a', 'north'), ('A', 'south')",
  "INSERT INTO film VALUES (1, 'a', 'mine'), (2, 'A', 'theirs'), (3, 'A', 'theirs too'), (4, 'a ', 'padded')",
  `CREATE TABLE spelling (word VARCHAR(10) ${folded} NOT NULL)`,
  "INSERT INTO spelling VALUES ('a'), ('A'), ('b'), ('B'), ('á')",
  'CREATE VIEW spelled AS SELECT word FROM spelling',
  item(
    `note VARCHAR(20), secret VARCHAR(20), title VARCHAR(20) NOT NULL UNIQUE${isMysql ? '' : ' ON CONFLICT REPLACE'}`,
  ),
  "INSERT INTO item VALUES (1, 'north', 'n', 'hidden', 'one'), (2, 'south', 's', 'hidden', 'two')",
  ...(isMysql
    ? [
        "CREATE TRIGGER odd BEFORE UPDATE ON item FOR EACH ROW IF NEW.note = 'odd' THEN SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 30001; END IF",
        "CREATE TRIGGER none BEFORE INSERT ON item FOR EACH ROW IF NEW.note = 'none' THEN SIGNAL SQLSTATE '02000'; END IF",
        "CREATE TRIGGER kept BEFORE DELETE ON item FOR EACH ROW SIGNAL SQLSTATE '45000'",
      ]
    : [
        "CREATE TRIGGER odd BEFORE UPDATE ON item WHEN NEW.note = 'odd' BEGIN SELECT RAISE(IGNORE); END",
        'CREATE TRIGGER kept BEFORE DELETE ON item BEGIN SELECT RAISE(IGNORE); END',
        "CREATE TRIGGER none BEFORE UPDATE ON item WHEN NEW.note = 'none' BEGIN SELECT RAISE(ROLLBACK, 'gone'); END",
      ]),
];

const rest = 'unbounded: ["customer", "region", "collection", "classification", "person"]';
const read = '@scope(name: "things:read")';
const schema = `
extend schema
  @defineDimension(name: "area", description: "Where.")
  @defineScope(name: "things:read", description: "Read things.")
  @defineScope(name: "things:read_secret", description: "Read what things hide.")
  @defineScope(name: "things:write", description: "Write things.")

"A shop."
type Shop
  @table(name: "shop", one: "shop", many: "shops", order: { by: "code" })
  @query(list: "shops")
  @rows(scope: "things:read", bounds: [{ dimension: "area", path: "area" }], ${rest}) {
  id: ID! ${read}
  code: String! ${read}
  films: [Film!] ${read} @children(column: "shop")
}

"A film."
type Film
  @table(name: "film", one: "film", many: "films", order: { by: "title" })
  @query(one: "film", list: "films")
  @rows(scope: "things:read", bounds: [{ dimension: "area", path: "shop.area" }], ${rest}) {
  id: ID! ${read}
  title: String! ${read}
  shop: Shop ${read} @reference(column: "shop")
}

"A word in one spelling."
type Spelled
  @table(name: "spelled", one: "word", many: "words", order: { by: "word" }, key: ["word"])
  @query(list: "words")
  @rows(scope: "things:read", unbounded: ["area", "customer", "region", "collection", "classification", "person"]) {
  id: ID! ${read}
  word: String! ${read} @sort
}

"A thing."
type Item
  @table(name: "item", one: "item", many: "items", order: { by: "title" })
  @query(one: "item", list: "items")
  @create(mutation: "createItem", scope: "things:write")
  @update(mutation: "updateItem", scope: "things:write")
  @delete(mutation: "deleteItem", scope: "things:write")
  @rows(scope: "things:read", bounds: [{ dimension: "area", path: "area" }], ${rest}) {
  id: ID! ${read}
  no: Int! ${read} @writable(on: CREATE)
  area: String! ${read} @writable
  note: String ${read} @writable
  title: String! ${read} @writable
  secret: String @scope(name: "things:read_secret") @writable
  version: String! ${read} @version
}
`;

let company: Company;
let server: TestServer;
let north: PersonFixture;
let all: PersonFixture;
beforeAll(async () => {
  company = await Company.of(tables, { 'schema/things.graphql': schema });
  server = await company.start();
  const scopes = ['things:read', 'things:write'];
  north = await server.person({ scopes, boundary: { ...everywhere, area: ['north'] } });
  all = await server.person({ scopes, boundary: { ...everywhere, area: 'all' } });
});
afterAll(async () => {
  await server.stop();
  await company.drop();
});

const id = (key: number | string): string => Buffer.from(JSON.stringify([String(key)])).toString('base64url');
const content = async (): Promise<string> =>
  JSON.stringify(await server.database.read.query('SELECT * FROM item ORDER BY no'));
const version = async (no: number): Promise<string> => {
  const answer = await server.query(all.token, `{ item(id: "${id(no)}") { version } }`);
  return (answer.data as { item: { version: string } }).item.version;
};
let keys = 0;
const update = (name: string, no: number, changes: string, at: string): string =>
  `${name}: updateItem(id: "${id(no)}", changes: ${changes}, expectedVersion: "${at}", idempotencyKey: "${String((keys += 1))}") { item { no note } }`;
const codes = ({ errors }: Answer): unknown[] => errors.map(({ extensions }) => extensions.code);

describe('a boundary over a column whose collation takes others for equal', () => {
  test('holds for each row by itself', async () => {
    const query = '{ films { totalCount nodes { title } } }';
    expect((await server.query(north.token, query)).data).toEqual({
      films: { totalCount: 1, nodes: [{ title: 'mine' }] },
    });
    const both = await server.query(
      north.token,
      `{ a: film(id: "${id(1)}") { title } b: film(id: "${id(2)}") { title } c: film(id: "${id(4)}") { title } }`,
    );
    expect(both.data).toEqual({ a: { title: 'mine' }, b: null, c: null });
    await company.run("UPDATE film SET shop = CASE no WHEN 1 THEN 'A' WHEN 2 THEN 'a' ELSE shop END");
    expect((await server.query(north.token, query)).data).toEqual({
      films: { totalCount: 1, nodes: [{ title: 'theirs' }] },
    });
    await company.run("UPDATE film SET shop = CASE no WHEN 1 THEN 'a' WHEN 2 THEN 'A' ELSE shop END");
  });

  test('children of two parents are two groups', async () => {
    const answer = await server.query(
      all.token,
      '{ shops { nodes { code films(first: 1) { totalCount nodes { title } } } } }',
    );
    const { nodes } = (answer.data as { shops: { nodes: { code: string }[] } }).shops;
    expect([...nodes].sort((a, b) => (a.code < b.code ? -1 : 1))).toEqual([
      { code: 'A', films: { totalCount: 2, nodes: [{ title: 'theirs' }] } },
      { code: 'a', films: { totalCount: 1, nodes: [{ title: 'mine' }] } },
    ]);
  });
});

describe('a change that the database does not make', () => {
  test('is told as a refusal, and nothing of its operation stays', async () => {
    const before = await content();
    const at = await version(1);
    const odd = await server.query(all.token, `mutation { ${update('a', 1, '{ note: "odd" }', at)} }`);
    expect([odd.data ?? null, codes(odd)]).toEqual([null, ['CONFLICT']]);
    expect(await content()).toBe(before);
    expect(await recordOf(server.database, odd)).toMatchObject({ outcome: 'failed' });
  });

  test('which ends its transaction, takes the changes after it along', async () => {
    const before = await content();
    const [one, two] = [await version(1), await version(2)];
    const first = isMysql
      ? `a: createItem(values: { no: 9, area: "north", title: "nine", note: "none" }, idempotencyKey: "none") { item { no } }`
      : update('a', 1, '{ note: "none" }', one);
    const answer = await server.query(
      all.token,
      `mutation { ${first} ${update('b', 2, '{ note: "orphan" }', two)} }`,
    );
    expect([answer.data ?? null, codes(answer)[0]]).toEqual([null, 'CONFLICT']);
    expect(await content()).toBe(before);
  });

  test('is no change of another row in its place', async () => {
    const before = await content();
    const answer = await server.query(
      north.token,
      'mutation { createItem(values: { no: 5, area: "north", title: "two" }, idempotencyKey: "replace") { item { no } } }',
    );
    expect(codes(answer)).toEqual(['CONFLICT']);
    expect(await content()).toBe(before);
  });

  test('is no deletion where the row stays', async () => {
    const before = await content();
    const at = await version(1);
    const answer = await server.query(
      all.token,
      `mutation { deleteItem(id: "${id(1)}", expectedVersion: "${at}", idempotencyKey: "stays") { deletedId } }`,
    );
    expect(codes(answer)).toEqual(['CONFLICT']);
    expect(await content()).toBe(before);
  });
});

test('a version tells nothing of values that the caller may not read', async () => {
  const before = await content();
  const at = await version(1);
  const guess = (secret: string): Promise<Answer> =>
    server.query(
      all.token,
      `mutation { ${update('one', 1, `{ secret: "${secret}" }`, at)} ${update('two', 1, '{ note: "n" }', at)} three: deleteItem(id: "x", expectedVersion: "", idempotencyKey: "never") { deletedId } }`,
    );
  const [right, wrong] = [await guess('hidden'), await guess('other')];
  expect(codes(right)).toEqual(codes(wrong));
  expect(await content()).toBe(before);
});

test.each(['ASC', 'DESC'])(
  'pages of a view have each row once, whatever its collation takes for equal: %s',
  async (way) => {
    const seen: string[] = [];
    for (let after: string | null = null; ;) {
      const at: string = after === null ? '' : `, after: "${after}"`;
      const { data } = await server.query(
        all.token,
        `{ words(first: 1, orderBy: { word: ${way} }${at}) { totalCount nodes { word } pageInfo { hasNextPage endCursor } } }`,
      );
      const { words } = data as {
        words: {
          totalCount: number;
          nodes: { word: string }[];
          pageInfo: { hasNextPage: boolean; endCursor: string };
        };
      };
      seen.push(...words.nodes.map(({ word }) => word));
      expect(words.totalCount).toBe(5);
      if (!words.pageInfo.hasNextPage) break;
      after = words.pageInfo.endCursor;
    }
    expect(seen.toSorted()).toEqual(['A', 'B', 'a', 'b', 'á']);
  },
);
