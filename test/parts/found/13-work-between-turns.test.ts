// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { TextSeal } from '../../../src/core/text-seal.js';
import { Rows } from '../../../src/store/bounded/rows.js';
import { Connection } from '../../../src/store/sql/connection.js';
import { ReadingThread } from '../../../src/store/drivers/reading-thread.js';
import { MysqlStatements, SqliteStatements, type Outcome } from '../../../src/store/drivers/statements.js';
import { Turn } from '../../../src/store/drivers/row-steps.js';
import { loadBusiness, loadDocuments, smallBusiness } from '../../support/demo-rows.js';
import { everywhere, TestServer } from '../../support/server.js';

const lackingScopes = [
  'customers:read',
  'orders:read',
  'documents:read',
  'collections:read',
  'analytics:sales',
];
const scopes = [...lackingScopes, 'customers:read_credit'];

let server: TestServer;
let token: string;

beforeAll(async () => {
  server = await TestServer.start();
  await loadBusiness(server.database, smallBusiness(100));
  await loadDocuments(server.database, server.ids);
  const owner = await server.person({ scopes, boundary: everywhere });
  const given = { scopes: lackingScopes, boundary: everywhere };
  token = (await server.agent(owner, { scopes, boundary: everywhere }, given)).token;
});
afterAll(async () => {
  vi.restoreAllMocks();
  await server.stop();
});

const aliases = (count: number, field: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => `a${String(at)}: ${field(at)}`).join(' ');
const filtered = (at: number): string =>
  `filter: { totalAtLeast: { amount: "${String(1 + at)}.00", currency: "EUR" } }`;
const columns = ['id', 'number', 'name', 'region', 'country', 'city', 'currency', 'createdAt'];
/** Another set of columns for each number up to 255, and so a statement of its own. */
const columnsOf = (n: number): string => columns.filter((_, bit) => ((n >> bit) & 1) === 1).join(' ');

/** Each the dearest of its kind, or nearly. */
const operations: Readonly<Record<string, string>> = {
  'the longest page': `{ orders(first: 1000) { nodes { ${aliases(28, () => 'number')} } } }`,
  'fifty lists': `{ ${aliases(50, (at) => `orders(first: 50, ${filtered(at)}) { nodes { id number } }`)} }`,
  'fifty totals': `{ ${aliases(50, (at) => `orders(first: 1, ${filtered(at)}) { totalCount }`)} }`,
  'fifty kinds of look-ups': `{ orders(first: 60) { nodes { ${aliases(50, (at) => `customer { ${columnsOf(at + 1)} }`)} } } }`,
  'pages below a page': `{ customers(first: 500) { nodes { ${aliases(2, (at) => `orders(first: 1, ${filtered(at)}) { nodes { id } }`)} } } }`,
  'fifty kinds of pages below a page': `{ customers(first: 20) { nodes { ${aliases(50, (at) => `orders(first: 1, ${filtered(at)}) { nodes { id } }`)} } } }`,
  'totals below a page': '{ customers(first: 900) { nodes { orders(first: 1) { totalCount } } } }',
  cursors: '{ orders(first: 1000) { pageInfo { startCursor endCursor } edges { cursor node { id } } } }',
  'refused fields': `{ customers(first: 1000) { nodes { id ${aliases(3, () => 'creditLimit { amount }')} } } }`,
  'fifty searches': `{ ${aliases(50, (at) => `search(query: "leave pay ${String(at)}", first: 50) { nodes { score } }`)} }`,
  statistics: `{ ${aliases(9, (at) => `salesByPeriod(from: "202${String(at % 5)}-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z", bucket: MONTH) { suppressed }`)} }`,
};

interface Work {
  statements: number;
  /** That came, and on SQLite that were looked at. */
  rows: number;
  cursors: number;
  rankings: number;
}
const none = (): Work => ({ statements: 0, rows: 0, cursors: 0, rankings: 0 });

/** What was done of each in one turn of the event loop at most, and how many statements were under way at once. */
async function mostOf(work: () => Promise<unknown>): Promise<Work & { underWay: number }> {
  let turn = none();
  const most = { ...none(), underWay: 0 };
  let [underWay, isWatching] = [0, true];
  const close = (): void => {
    for (const name of ['statements', 'rows', 'cursors', 'rankings'] as const)
      most[name] = Math.max(most[name], turn[name]);
    turn = none();
    if (isWatching) setImmediate(close);
  };
  setImmediate(close);
  const spies = [MysqlStatements, SqliteStatements, ReadingThread].map(({ prototype }) => {
    const run = Object.getOwnPropertyDescriptor(prototype, 'run')?.value as (
      ...args: unknown[]
    ) => Promise<Outcome>;
    return vi.spyOn(prototype as { run: typeof run }, 'run').mockImplementation(async function (
      this: unknown,
      ...args
    ) {
      // What the server does beside its requests is not the operation's.
      const isOurs = /FROM.*`behalf_(customers|orders|order_lines)`|JOIN `behalf_passages`/.test(
        String(args[0]),
      );
      if (!isOurs) return run.apply(this, args);
      turn.statements += 1;
      underWay += 1;
      most.underWay = Math.max(most.underWay, underWay);
      try {
        const outcome = await run.apply(this, args);
        turn.rows += outcome.rows.length;
        return outcome;
      } finally {
        underWay -= 1;
      }
    });
  });
  const add = Object.getOwnPropertyDescriptor(Turn.prototype, 'add')?.value as Turn['add'];
  const looks = vi.spyOn(Turn.prototype, 'add').mockImplementation(function (this: Turn, rows) {
    turn.rows += rows;
    add.call(this, rows);
  });
  const seal = Object.getOwnPropertyDescriptor(TextSeal.prototype, 'seal')?.value as TextSeal['seal'];
  const seals = vi.spyOn(TextSeal.prototype, 'seal').mockImplementation(function (this: TextSeal, ...args) {
    turn.cursors += 1;
    return seal.apply(this, args);
  });
  // Ranking and showing what was found are one piece.
  const show = Object.getOwnPropertyDescriptor(Rows.prototype, 'show')?.value as Rows['show'];
  const shows = vi.spyOn(Rows.prototype, 'show').mockImplementation(function (this: Rows, ...args) {
    turn.rankings += 1;
    return show.apply(this, args);
  });
  try {
    await work();
  } finally {
    isWatching = false;
    close();
    for (const spy of [...spies, looks, seals, shows]) spy.mockRestore();
  }
  return most;
}

/** Fields of an answer, those above others among them. */
function fieldsIn(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + fieldsIn(one), 0);
  if (value === null || typeof value !== 'object') return 0;
  return Object.values(value).reduce<number>((sum, one) => sum + 1 + fieldsIn(one), 0);
}

describe('13 what one legal operation does between two turns of the event loop is bounded', () => {
  test.each(Object.entries(operations))('%s', async (name, query) => {
    // The first times it goes the long way, then it is compiled.
    for (let time = 0; time < 3; time += 1) {
      let body = '';
      const most = await mostOf(async () => {
        body = await (await ask(query)).text();
      });
      const {
        data,
        errors = [],
        extensions,
      } = JSON.parse(body) as {
        data: unknown;
        errors?: readonly unknown[];
        extensions: { cost: { requested: number; max: number } };
      };
      const { requested, max } = extensions.cost;
      expect(max).toBe(30_000);
      expect(requested).toBeLessThanOrEqual(max);
      expect(data).not.toBeNull();
      // Nothing runs in between where fields are resolved: their number is bounded by the cost.
      expect(fieldsIn(data)).toBeGreaterThan(0);
      expect(fieldsIn(data)).toBeLessThanOrEqual(requested);
      expect(most.cursors * 20).toBeLessThanOrEqual(requested);
      expect(errors.length * 8).toBeLessThanOrEqual(requested);
      expect(errors.length > 0).toBe(name === 'refused fields');
      expect(most.statements).toBeLessThanOrEqual(4);
      expect(most.underWay).toBeLessThanOrEqual(4);
      expect(most.rankings).toBe(name === 'fifty searches' ? 1 : 0);
      expect(most.rows).toBeLessThanOrEqual(10_000);
    }
  });

  test('a cursor is made once, however often it is asked for', async () => {
    const query = `{ orders(first: 20) { edges { ${aliases(20, () => 'cursor')} } } }`;
    for (let time = 0; time < 4; time += 1) {
      const { cursors } = await mostOf(async () => {
        await (await ask(query)).text();
      });
      expect(cursors).toBe(20);
    }
  });

  test('all statements of an operation are told when it ends', async () => {
    const query = vi.spyOn(Connection.prototype, 'query');
    try {
      const begin = Date.now();
      await (await ask('{ orders(first: 5) { totalCount nodes { id } } }')).text();
      const ours = query.mock.calls.filter(([sql]) => sql.includes('`behalf_orders`'));
      expect(ours).toHaveLength(2);
      for (const [, , , untilMs] of ours) {
        expect(untilMs).toBeGreaterThan(begin);
        expect(untilMs).toBeLessThanOrEqual(Date.now() + 30_000);
      }
    } finally {
      query.mockRestore();
    }
  });

  test('a list that is under way ends at that time, wherever it runs', async () => {
    const { read } = server.database;
    const names = Array.from({ length: 8 }, (_, at) => (at === 0 ? 't' : `o${String(at)}`));
    const rows = names.map((name) => `behalf_customers ${name}`).join(' CROSS JOIN ');
    const counted = read.dialect === 'sqlite' ? 'behalf_step(o7.rowid)' : '1 = 1';
    const lengths = names.map((name) => `LENGTH(${name}.number)`).join(' + ');
    // More rows than could be looked at in an hour.
    const sql = `SELECT COUNT(*) AS n FROM ${rows} WHERE ${counted} AND ${lengths} < 0`;
    await expect(read.query(sql, [], false, Date.now() + 50)).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      details: { limit: 'time' },
    });
  });
});

const ask = (query: string): Promise<Response> =>
  fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
