// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Company } from '../support/company.js';
import { testDatabase } from '../support/database.js';
import type { Answer, TestServer } from '../support/server.js';
import { mariaDbZoo, shownAs, sqliteZoo, type ZooColumn } from '../support/zoo.js';

const isMysql = testDatabase() === 'mariadb';
const zoo = isMysql ? mariaDbZoo : sqliteZoo;
const quoted = ({ name }: ZooColumn): string => `\`${name}\``;
const leniently = isMysql ? "SET STATEMENT sql_mode = '' FOR " : '';
const rowsMax = Math.max(...zoo.map(({ values }) => values.length));

/** One row with each first value, one with each second, and so on; and row 0, into which they are written. */
const tables = [
  `CREATE TABLE every_type (no INTEGER PRIMARY KEY, ${zoo.map((one) => `${quoted(one)} ${one.type}`).join(', ')})`,
  'INSERT INTO every_type (no) VALUES (0)',
  ...Array.from(
    { length: rowsMax },
    (_, at) =>
      `${leniently}INSERT INTO every_type (no, ${zoo.map(quoted).join(', ')}) ` +
      `VALUES (${String(at + 1)}, ${zoo.map(({ values }) => values[at] ?? 'NULL').join(', ')})`,
  ),
];
const schema = `
extend schema @defineScope(name: "zoo:all", description: "See and change the zoo.")

"A thing."
type Every
  @table(name: "every_type", one: "thing", many: "things", order: { by: "no" })
  @query(list: "every")
  @update(mutation: "updateEvery", scope: "zoo:all")
  @rows(scope: "zoo:all", unbounded: ["customer", "region", "collection", "classification", "person"]) {
  id: ID! @scope(name: "zoo:all")
  no: Int! @scope(name: "zoo:all")
  version: String! @scope(name: "zoo:all") @version
${zoo.map(({ name, of }) => `  ${name}: ${of} @scope(name: "zoo:all") @column(name: "${name}") @writable\n`).join('')}}
`;

let company: Company;
let server: TestServer;
let token: string;
beforeAll(async () => {
  company = await Company.of(tables, { 'schema/zoo.graphql': schema });
  server = await company.start();
  ({ token } = await server.person({ scopes: ['zoo:all'] }));
});
afterAll(async () => {
  await server.stop();
  await company.drop();
});

const query = `{ every(first: 50) { nodes { id no version ${zoo.map(({ name }) => name).join(' ')} } } }`;
type Node = Readonly<Record<string, unknown>>;
async function nodes(): Promise<readonly Node[]> {
  const answer = await server.query(token, query);
  expect(answer.errors).toEqual([]);
  return (answer.data as { every: { nodes: Node[] } }).every.nodes;
}
let keys = 0;
const write = (target: Node | undefined, name: string, value: unknown): Promise<Answer> =>
  server.query(
    token,
    `mutation ($id: ID!, $version: String!, $key: String!, $changes: EveryChanges!) {
       updateEvery(id: $id, changes: $changes, expectedVersion: $version, idempotencyKey: $key) { every { id version ${name} } } }`,
    {
      id: target?.id,
      version: target?.version,
      changes: { [name]: value },
      key: String((keys += 1)),
    },
  );

/** What SQLite holds in a column of times, and no program of ours would write. */
const isOdd = (value: unknown): boolean => typeof value === 'string' && /^\d+$|Z$/.test(value);

describe('a column of every type', () => {
  test('is written exactly as it is read, and as the database reads it', async () => {
    const [target, ...rows] = await nodes();
    let version = target?.version;
    for (const column of zoo)
      for (const [at] of column.values.entries()) {
        const value = rows[at]?.[column.name];
        if (column.name === 'at' && !isMysql && isOdd(value)) continue;
        const answer = await write({ ...target, version }, column.name, value);
        expect([column.name, value, answer.errors]).toEqual([column.name, value, []]);
        const { every } = (answer.data as { updateEvery: { every: Node } }).updateEvery;
        expect([column.name, every[column.name]]).toEqual([column.name, value]);
        ({ version } = every);
        const [stored] = await server.database.read.query(
          `SELECT ${column.text(quoted(column))} AS value FROM every_type WHERE no = 0`,
        );
        expect([column.name, shownAs(column, (stored?.value ?? null) as string | null)]).toEqual([
          column.name,
          value,
        ]);
      }
  });

  const wrong: Readonly<Record<string, readonly unknown[]>> = isMysql
    ? {
        ...{ tiny: [-129, 128], medium: [-1, 16_777_216], wide: ['-1', '4294967296'] },
        ...{ big: ['9223372036854775808', 'x', '1.5'], ubig: ['-1', '18446744073709551616'] },
        ...{ price: ['0.001', '100000000.00'], yr: [1, 1900, 2156], flags: ['18446744073709551616', '-1'] },
        ...{
          day: ['2026-02-30', '0000-00-00'],
          at: ['2026-02-30T00:00:00Z'],
          stamp: ['1960-01-01T00:00:00Z', '2026-03-01T00:00:00.0001Z'],
        },
        ...{ span: ['25:61:00', '839:00:00', '10:00:00.1234'], mood: ['Low', '', '0', 'middle'] },
        ...{ tags: ['x,x', 'X', 'x,', 'w'], latin: ['😀', 'x'.repeat(21)], swedish: ['a '] },
        ...{ bin: ['AA==', 'AAAAAAA=', '*'], vbin: [Buffer.alloc(21).toString('base64')] },
        ...{
          uid: ['x', '0b1f6c1e7d0a4c3e9a550d2f3c4b5a69'],
          ip4: ['::1', '10.0.0.256'],
          ip6: ['10.0.0.1', 'x'],
        },
      }
    : {
        ...{
          wide: ['9223372036854775808', 'x'],
          big: ['9223372036854775808'],
          price: ['0.001', '1234567.00'],
        },
        ...{ day: ['2026-02-30', 'today'], at: ['2026-02-30 10:00:00', '2026-03-01 25:00:00'] },
        ...{ doc: ['{'], ci: ['x'.repeat(21)], bin: ['AAAAAAA=', '*'] },
      };

  test('takes nothing that it could not hold exactly', async () => {
    const before = await server.database.read.query('SELECT * FROM every_type ORDER BY no');
    const [target] = await nodes();
    for (const [name, values] of Object.entries(wrong))
      for (const value of values) {
        const answer = await write(target, name, value);
        expect([name, value, answer.errors[0]?.extensions.code]).toEqual([name, value, 'BAD_USER_INPUT']);
      }
    expect(await server.database.read.query('SELECT * FROM every_type ORDER BY no')).toEqual(before);
  });
});
