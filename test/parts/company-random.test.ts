// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { StoredBoundary } from '../../src/store/tables/identity.js';
import { testDatabase } from '../support/database.js';
import { idOf, Oracle } from '../support/samples/oracle.js';
import { chance, listText, RandomQueries, selectionText } from '../support/samples/random-query.js';
import { northwind } from '../support/samples/northwind.js';
import { SampleCompany, writeScope } from '../support/samples/sample-company.js';
import { sakila } from '../support/samples/sakila.js';
import { isThere } from '../support/samples/sample.js';
import { everywhere, type TestServer } from '../support/server.js';
import { volume } from '../support/volume.js';

vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 120_000 });

const sample = testDatabase() === 'sqlite' ? northwind : sakila;
const queriesOfCaller = 20;
const callers = volume(10_000 / queriesOfCaller);

describe.runIf(isThere(sample.name))(`${sample.name} (in the folder that BEHALF_TEST_DATA names)`, () => {
  let company: SampleCompany;
  let server: TestServer;
  let random: RandomQueries;
  beforeAll(async () => {
    company = await SampleCompany.open(sample);
    server = await company.start();
    random = await RandomQueries.of(company, server.database);
  });
  afterAll(async () => {
    await server.stop();
    await company.adopted.drop();
  });

  /** A person with a role for each boundary. */
  async function caller(boundaries: readonly StoredBoundary[]): Promise<string> {
    const { id, token } = await server.person({ scopes: company.scopes, boundary: boundaries[0] ?? {} });
    for (const boundary of boundaries.slice(1))
      await server.giveRole(id, { scopes: company.scopes, boundary });
    return token;
  }

  async function answer(token: string, text: string): Promise<Readonly<Record<string, unknown>>> {
    const { data, errors } = await server.query(token, `{ ${text} }`);
    expect(errors, text).toEqual([]);
    return (data as { rows: Readonly<Record<string, unknown>> }).rows;
  }

  const seen = { queries: 0, rows: 0, second: 0 };

  async function compare(g: fc.GeneratorValue, token: string, oracle: Oracle): Promise<void> {
    seen.queries += 1;
    const type = random.type(g);
    const of = random.selection(g, type, 1 + g(fc.nat, { max: 1 }));
    if (chance(g, 15) && random.hasRows(type)) {
      const key = random.keyOf(g, type);
      const id = idOf(type, Object.fromEntries(type.key.map((column, at) => [column, key[at]])));
      const text = `rows: ${type.one}(id: "${id}") ${selectionText(of)}`;
      expect(withoutCursors(await answer(token, text)), text).toEqual(await oracle.one(type, key, of));
      return;
    }
    const args = random.args(g, type, 6);
    const text = listText(`rows: ${type.list}`, args, of);
    const { pageInfo, ...page } = await answer(token, text);
    const { endCursor, ...info } = pageInfo as { endCursor: string | null; hasNextPage: boolean };
    const whole = { ...page, pageInfo: info };
    expect(withoutCursors(whole), text).toEqual(await oracle.page(type, args, of));
    seen.rows += (page.nodes as unknown[]).length;
    if (endCursor === null || !info.hasNextPage || chance(g, 50)) return;
    seen.second += 1;
    const next = listText(`rows: ${type.list}`, args, of, endCursor);
    expect(withoutCursors(await answer(token, next)), next).toEqual(
      await oracle.page(type, args, of, args.first),
    );
  }

  test('random queries under random boundaries are answered as plain SQL says', async () => {
    const boundaries = fc.array(random.boundary(), { minLength: 1, maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(boundaries, fc.gen(), async (given, g) => {
        const token = await caller(given);
        const oracle = new Oracle(server.database, company, given);
        for (let n = 0; n < queriesOfCaller; n += 1) await compare(g, token, oracle);
      }),
      { numRuns: callers, endOnFailure: true },
    );
    expect(seen.queries).toBeGreaterThanOrEqual(callers * queriesOfCaller);
    expect(seen.rows).toBeGreaterThan(seen.queries);
    expect(seen.second).toBeGreaterThan(seen.queries / 20);
  });

  test('random changes under random boundaries are made of the rows inside, and of no others', async () => {
    const [table = '', column = ''] = sample.written.split('.');
    const type = company.types.find((one) => one.table === table);
    const field = type?.fields.find(({ columns }) => columns.join() === column)?.name;
    if (type === undefined || field === undefined) throw new Error(`${sample.written} is not adopted.`);
    const scopes = [...company.scopes, writeScope];
    const everything = Object.fromEntries(
      Object.keys(sample.dimensions).map((name) => [name, 'all' as const]),
    );
    const all = await server.person({ scopes, boundary: { ...everywhere, ...everything } });
    // What the database itself notes.
    const content = async (): Promise<Readonly<Record<string, unknown>>[]> =>
      (await server.database.read.query(`SELECT * FROM \`${table}\``)).map((row) => ({
        ...row,
        last_update: null,
      }));
    const made = { changed: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(random.boundary(), fc.gen(), async (given, g) => {
        const { token } = await server.person({ scopes, boundary: given });
        const oracle = new Oracle(server.database, company, [given]);
        const before = await content();
        const index = g(fc.nat, { max: before.length - 1 });
        const row = before[index] ?? {};
        const id = idOf(type, row);
        const { version } = await answer(all.token, `rows: ${type.one}(id: "${id}") { version }`);
        const value = `changed ${String(made.changed + made.refused)}`;
        const mutation = `mutation { rows: changeRow(id: "${id}", changes: { ${field}: "${value}" },
          expectedVersion: ${JSON.stringify(version)}, idempotencyKey: "${value}") { ${type.one} { id ${field} } } }`;
        const { data, errors } = await server.query(token, mutation);
        const key = type.key.map((name) => row[name]);
        const of = { type, columns: [], references: [], children: [] };
        const isInside = (await oracle.one(type, key, of)) !== null;
        const after = isInside ? before.with(index, { ...row, [column]: value }) : before;
        expect(await content()).toEqual(after);
        made[isInside ? 'changed' : 'refused'] += 1;
        if (isInside) expect([data, errors]).toEqual([{ rows: { [type.one]: { id, [field]: value } } }, []]);
        else expect(errors.map(({ extensions }) => extensions.code)).toEqual(['NOT_FOUND']);
      }),
      { numRuns: volume(500), endOnFailure: true },
    );
    expect(made.changed).toBeGreaterThan(0);
    expect(made.refused).toBeGreaterThan(0);
  });
});

/** Cursors are sealed: SQL cannot tell them. */
function withoutCursors(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (name, one: unknown) => (name === 'endCursor' ? undefined : one)));
}
