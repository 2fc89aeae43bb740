// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256Hex } from '../../../src/core/digest.js';
import { testDatabase } from '../../support/database.js';
import { metricsOf } from '../../support/metrics.js';
import { addRegions } from '../../support/regions.js';
import { postGraphQL, TestServer, type AgentFixture } from '../../support/server.js';

let server: TestServer;
let agent: AgentFixture;

beforeAll(async () => {
  // So that a caller may come from ever other addresses.
  server = await TestServer.start({}, { BEHALF_TRUSTED_PROXIES: '1' });
  await addRegions(server);
  const scopes = ['customers:read', 'orders:read'];
  const person = await server.person({ scopes });
  agent = await server.agent(person, { scopes }, { scopes });
});
afterAll(() => server.stop());

interface Request {
  readonly query?: string;
  readonly operationName?: string;
  readonly variables?: Record<string, unknown>;
  readonly documentId?: string;
  readonly extensions?: unknown;
}

/** Sends so many requests, some at once; returns how many were answered with data. */
async function send(count: number, make: (n: number) => Request): Promise<number> {
  let answered = 0;
  const from = async (first: number): Promise<void> => {
    for (let n = first; n < count; n += 20) {
      const { data } = await postGraphQL(server.url, agent.token, JSON.stringify(make(n)));
      if (data !== undefined && data !== null) answered += 1;
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, first) => from(first)));
  return answered;
}

/** By cache, what a metric tells of it. */
async function told(metric: string): Promise<Record<string, number>> {
  const lines = (await metricsOf(server.url)).matchAll(
    new RegExp(`^${metric}{cache="(\\w+)"} (\\S+)$`, 'gm'),
  );
  return Object.fromEntries([...lines].map(([, cache = '', value]) => [cache, Number(value)]));
}
const entries = () => told('behalf_cache_entries');
const ratios = () => told('behalf_cache_used_ratio');

async function expectBounded(): Promise<void> {
  const over = Object.entries(await ratios()).filter(([, ratio]) => !(ratio <= 1));
  expect(over).toEqual([]);
}

describe('16 memory under ever-new documents has a bound', () => {
  test('documents that come once, and large ones', async () => {
    const long = 'x'.repeat(50_000);
    await send(170, (n) => ({
      query: `{ customers(filter: { nameStartsWith: "${String(n)}${long}" }) { nodes { id } } }`,
    }));
    await expectBounded();
    expect((await ratios()).parsed_documents).toBeGreaterThan(0.9);
  });

  test('documents that come again and again', async () => {
    const make = (n: number): Request => ({
      query: `{ customers(first: 1) { nodes { a${String(n)}: id } } }`,
    });
    for (let time = 1; time <= 2; time += 1) expect(await send(270, make)).toBe(270);
    expect(await send(100, (n) => make(269 - n))).toBe(100);
    await expectBounded();
    expect((await ratios()).compiled_documents).toBeGreaterThan(0.5);
    expect((await entries()).compiled_fields).toBeGreaterThan(50);
  });

  test('shapes that ask for ever other statements', async () => {
    const columns = ['name', 'region', 'createdAt', 'country'];
    const make = (n: number): Request => {
      const some = columns.filter((_, bit) => ((Math.floor(n / 50) >> bit) & 1) === 1).join(' ');
      return { query: `{ customers(first: ${String(1 + (n % 50))}) { nodes { id ${some} } } }` };
    };
    expect(await send(520, make)).toBe(520);
    await expectBounded();
    expect((await entries()).statements_reading).toBe(testDatabase() === 'sqlite' ? 500 : undefined);
  });

  test('introspection under ever other names', async () => {
    const make = (n: number): Request => ({
      query: `query Q${String(n)} { __type(name: "Query") { name } }`,
    });
    expect(await send(620, make)).toBe(620);
    await expectBounded();
    const { introspection } = await entries();
    expect(introspection).toBeGreaterThan(500);
    expect(introspection).toBeLessThan(600);
  });

  test('documents, names, variables and hashes that are wrong in ever other ways', async () => {
    const known = 'query Q($n: Int) { customers(first: $n) { nodes { id } } }';
    const wrong: ((text: string) => Request)[] = [
      (text) => ({ query: `{ ${text} }` }),
      (text) => ({ query: `{ customers { ${text} ` }),
      (text) => ({ query: known, operationName: text }),
      (text) => ({ query: known, variables: { n: text } }),
      (text) => ({ query: known, variables: { [text]: 1 } }),
      (text) => ({ documentId: text }),
      (text) => ({ documentId: `sha256:${sha256Hex(text)}` }),
      (text) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: sha256Hex(text) } } }),
    ];
    await send(400, (n) => wrong[n % wrong.length]?.(`w${String(n)}`) ?? {});
    await expectBounded();
    const { registered_lookups: lookups } = await entries();
    expect(lookups).toBeGreaterThan(100);
  });

  test('callers without a token, from ever other addresses', async () => {
    for (let n = 0; n < 100; n += 1) {
      const from = { 'x-forwarded-for': `10.1.${String(n)}.1` };
      expect(
        (await postGraphQL(server.url, `t${String(n)}`, '{"query":"{ __typename }"}', from)).status,
      ).toBe(401);
    }
    await expectBounded();
    expect((await entries()).unknown_callers).toBeGreaterThanOrEqual(100);
  });

  test('every cache tells how full it is', async () => {
    const caches = Object.keys(await entries());
    expect(caches).toEqual(Object.keys(await ratios()));
    expect(caches).toEqual(expect.arrayContaining(['authorities', 'views', 'shapes', 'guesses_by_account']));
    expect(caches.length).toBeGreaterThanOrEqual(26);
  });
});
