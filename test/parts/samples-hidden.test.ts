// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { shippedRoles } from '../../src/admin/shipped-roles.js';
import { testDatabase } from '../support/database.js';
import { northwind } from '../support/samples/northwind.js';
import { SampleCompany, type SampleType } from '../support/samples/sample-company.js';
import { sakila } from '../support/samples/sakila.js';
import { isThere } from '../support/samples/sample.js';
import { everywhere, type TestServer } from '../support/server.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const sample = testDatabase() === 'sqlite' ? northwind : sakila;

describe.runIf(isThere(sample.name))(`${sample.name} (in the folder that BEHALF_TEST_DATA names)`, () => {
  let company: SampleCompany;
  let server: TestServer;
  beforeAll(async () => {
    company = await SampleCompany.open(sample);
    await company.adopted.cli.ok(['check', 'company']);
    server = await company.start();
  });
  afterAll(async () => {
    await server.stop();
    await company.adopted.drop();
  });

  test('every coordinate that is made of the tables is as if it did not exist, for each role that ships', async () => {
    const asked = company.types.flatMap(coordinates);
    expect(asked.length).toBeGreaterThan(150);
    const names = company.types.flatMap(({ one, list }) => [one, list]);
    for (const role of shippedRoles) {
      const { token } = await server.person({ scopes: role.scopes, boundary: everywhereOf(company) });
      for (let at = 0; at < asked.length; at += chunk) {
        const some = asked.slice(at, at + chunk);
        const { data, errors } = await server.query(token, `{ ${some.join('\n')} }`);
        expect(data ?? null).toBeNull();
        const suggested = errors
          .flatMap(({ message }) => / Did you mean (.*)/.exec(message)?.[1] ?? [])
          .join();
        expect(names.filter((name) => suggested.includes(`"${name}"`))).toEqual([]);
        expect(errors.map(({ message }) => message.replace(/ Did you mean [^?]*\?$/, ''))).toEqual(
          some.map(
            (field) => `Cannot query field "${/\w+(?= *[({])/.exec(field)?.[0] ?? ''}" on type "Query".`,
          ),
        );
      }
      const known = company.types.flatMap(({ name }) =>
        ['', 'Filter', 'Order', 'Connection', 'Edge'].map(
          (suffix) => `__type(name: "${name}${suffix}") { name }`,
        ),
      );
      for (let at = 0; at < known.length; at += chunk) {
        const some = known.slice(at, at + chunk).map((field, n) => `a${String(n)}: ${field}`);
        const { data } = await server.query(token, `{ ${some.join('\n')} }`);
        expect(new Set(Object.values(data as Record<string, unknown>))).toEqual(new Set([null]));
      }
    }
  });

  test('with the scopes and without a word on its dimensions, no bounded row is seen', async () => {
    const { token } = await server.person({ scopes: company.scopes, boundary: everywhere });
    for (const { list, table } of company.types) {
      const { data, errors } = await server.query(token, `{ ${list} { totalCount } }`);
      expect(errors).toEqual([]);
      const isBounded = Object.keys(sample.bounds[table] ?? {}).some((name) => !(name in everywhere));
      const [all] = await server.database.read.query(`SELECT COUNT(*) AS n FROM \`${table}\``);
      expect(data).toEqual({ [list]: { totalCount: isBounded ? 0 : Number(all?.n) } });
    }
  });
});

/** Few enough for each to be told its error. */
const chunk = 10;

const everywhereOf = ({ sample: { dimensions } }: SampleCompany) => ({
  ...everywhere,
  ...Object.fromEntries(Object.keys(dimensions).map((name) => [name, 'all' as const])),
});

/** A root field for every field, condition and order that is made of a type. */
function coordinates({ one, list, fields }: SampleType, index: number): string[] {
  let count = 0;
  const next = (): string => `a${String(index)}_${String(count++)}`;
  const sorts = fields.filter(({ isSorted }) => isSorted);
  return [
    ...[
      'totalCount',
      'pageInfo { hasNextPage endCursor }',
      'edges { cursor node { id } }',
      'nodes { id }',
    ].map((selection) => `${next()}: ${list} { ${selection} }`),
    `${next()}: ${one} (id: "WyIxIl0") { id }`,
    ...fields.flatMap(({ name, kind, filters }) => {
      const selection =
        kind === 'column' ? name : `${name} { ${kind === 'reference' ? 'id' : 'totalCount'} }`;
      return [
        `${next()}: ${list} { nodes { ${selection} } }`,
        ...filters.map((filter) => `${next()}: ${list} (filter: { ${filter.name}: "1" }) { totalCount }`),
      ];
    }),
    ...sorts.map(({ name }) => `${next()}: ${list} (orderBy: { ${name}: ASC }) { totalCount }`),
  ];
}
