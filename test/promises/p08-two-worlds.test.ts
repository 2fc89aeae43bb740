// databases: sqlite, mariadb
import { buildSchema, parse, validate, type GraphQLSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSchemaPolicy } from '../../src/graphql/schema/schema-policy.js';
import { readSdl } from '../../src/graphql/schema/sdl.js';
import { Views } from '../../src/graphql/view/views.js';
import { rawOf, type Raw } from '../support/no-oracle.js';
import { randomRequest } from '../support/random-documents.js';
import type { StoredBoundary } from '../../src/store/tables/identity.js';
import type { TestServer } from '../support/server.js';
import {
  makeCallers,
  seededDraw,
  startCut,
  startFull,
  type Caller,
  type FullWorld,
  type Plan,
} from '../support/two-worlds.js';
import { volume } from '../support/volume.js';

const seed = 20_261_129;
const documentsOfCaller = volume(84);
/** By each of the six callers of each of the four plans. */
const documents = 4 * 6 * documentsOfCaller;
/** Of so many documents one is asked again, by then known and compiled. */
const again = 6;

/** What every operation moves in either world: the log. What is left of a task is compared. */
const moving = new Set(['Query.auditRecord', 'Query.auditRecords', 'Delegation.records']);

const schema = buildSchema(readSdl());
const policy = readSchemaPolicy(schema);
const views = new Views(schema, policy);
const scopes = [...policy.definitions.keys()].filter((scope) => scope !== 'session:read');

const inside = (boundary: StoredBoundary): StoredBoundary => ({
  ...{ customer: 'all', region: 'all', collection: 'all', classification: 'all', person: ['self'] },
  ...boundary,
});

interface Comparison {
  readonly plan: Plan;
  readonly callers: readonly Caller[];
  readonly cut: TestServer;
  readonly removed: number;
}

let full: FullWorld;
const comparisons: Comparison[] = [];

beforeAll(async () => {
  full = await startFull(schema, scopes);
  const plans: Plan[] = [
    {
      name: 'a region and public guides',
      boundary: inside({
        region: ['europe'],
        collection: ['guides'],
        classification: ['public', 'internal'],
      }),
    },
    {
      name: 'three customers',
      boundary: inside({ customer: full.customers.slice(1, 4), classification: ['public', 'confidential'] }),
    },
    { name: 'all customers and one collection', boundary: inside({ collection: ['hr'] }) },
    {
      name: 'nobody and nothing confidential',
      boundary: inside({ customer: [], classification: ['public', 'internal', 'nowhere'] }),
    },
  ];
  const made = [];
  for (const plan of plans)
    made.push({ plan, callers: await makeCallers(full, plan, seededDraw(seed, plan.name), scopes) });
  for (const { plan, callers } of made) {
    const { server, removed } = await startCut(
      full,
      plan,
      callers.map((caller) => caller.personId),
    );
    comparisons.push({ plan, callers, cut: server, removed });
  }
}, 300_000);
afterAll(async () => {
  for (const { cut } of comparisons) await cut.stop();
  await full.server.stop();
});

interface Difference {
  readonly caller: string;
  readonly request: object;
  readonly full: Raw;
  readonly cut: Raw;
}

type Tally = Record<'asked' | 'errors' | 'rows' | 'refused' | 'conflicts' | 'spent', number>;
const tally: Tally = { asked: 0, errors: 0, rows: 0, refused: 0, conflicts: 0, spent: 0 };

function count({ text }: Raw): void {
  const codes = new Set([...text.matchAll(/"code":"([A-Z_]+)"/g)].map(([, code]) => code));
  tally.asked += 1;
  if (codes.size > 0) tally.errors += 1;
  if (codes.has('FORBIDDEN')) tally.refused += 1;
  if (codes.has('CONFLICT')) tally.conflicts += 1;
  if (codes.has('LIMIT_EXCEEDED')) tally.spent += 1;
  if (/"nodes":\[\{|"edges":\[\{/.test(text)) tally.rows += 1;
}

/** In turn, as what is left of a task follows from what was asked before. */
async function differencesOf(
  cut: TestServer,
  caller: Caller,
  requests: Iterable<object>,
): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const request of requests) {
    const [one, other] = await Promise.all([
      rawOf(full.server, caller.token, request),
      rawOf(cut, caller.token, request),
    ]);
    count(one);
    if (JSON.stringify(one) !== JSON.stringify(other))
      differences.push({ caller: caller.name, request, full: one, cut: other });
  }
  return differences;
}

const viewOf = ({ ceiling }: Caller): GraphQLSchema => views.of(new Set([...ceiling, 'session:read'])).schema;

function* randomRequests(caller: Caller, at: number): Generator<object> {
  const draw = seededDraw(seed, `${caller.name} ${String(at)}`);
  const view = viewOf(caller);
  for (let number = 0; number < documentsOfCaller; number += 1) {
    const { query, operationName, variables } = randomRequest(draw, view, schema, moving, full.pools);
    const sets = number % again === 0 ? variables.slice(0, 4) : variables.slice(0, 1);
    for (const set of sets) yield { query, operationName, variables: set };
  }
}

const lists =
  'users agents roles customers products orders invoices payments refunds tickets delegations consents trustedDocuments collections documents';
const range = 'from: "2020-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z"';
const money = 'amount: { amount: "99999999.00", currency: "EUR" }';
/** Of the rows that a change names, seen and hidden. */
const rowsOfChange = 6;

const changes: Readonly<Record<string, (id: string) => string>> = {
  'Query.payment(id:)': (id) => `issueRefund(paymentId: "${id}", ${money}, reason: "x", idempotencyKey: "k")`,
  'Query.invoice(id:)': (id) =>
    `recordPayment(invoiceId: "${id}", ${money}, method: CASH, receivedAt: "2026-01-01T00:00:00Z", idempotencyKey: "k")`,
  'Query.ticket(id:)': (id) =>
    `setTicketStatus(ticketId: "${id}", status: OPEN, expectedVersion: 999, idempotencyKey: "k")`,
  'Query.document(id:)': (id) =>
    `updateDocument(id: "${id}", title: "x", expectedVersion: 999, idempotencyKey: "k")`,
  'Query.user(id:)': (id) =>
    `updateUser(id: "${id}", input: { displayName: "x" }, expectedVersion: 999, idempotencyKey: "k")`,
};

/** Every list from its beginning to its end, in all that counts, sorts, searches and adds up; and changes that fail. */
function* fixedQueries(): Generator<string> {
  for (const list of lists.split(' ')) {
    yield `{ ${list}(first: 1000) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { id } } } }`;
    yield `{ ${list}(first: 1) { totalCount pageInfo { hasNextPage hasPreviousPage } } }`;
    yield `{ ${list}(first: 0) { totalCount pageInfo { hasNextPage } } }`;
  }
  for (const order of ['placedAt: ASC', 'placedAt: DESC', 'number: DESC', 'total: DESC'])
    yield `{ orders(first: 7, orderBy: { ${order} }) { totalCount nodes { number customer { name orders { totalCount } } lines { totalCount } } } }`;
  for (const words of ['coffee', 'milk hr', 'café', 'restricted', 'nothing', 'confidential internal'])
    yield `{ search(query: ${JSON.stringify(words)}) { edges { cursor } pageInfo { hasNextPage } nodes { score snippet passage { id } document { title versions { totalCount } } } } }`;
  for (const bucket of ['MONTH', 'YEAR']) {
    yield `{ salesByPeriod(${range}, bucket: ${bucket}) { period currency amount { amount } orders suppressed } }`;
    yield `{ salesByCategory(${range}, bucket: ${bucket}) { period category amount { amount } quantity suppressed } }`;
    yield `{ salesByRegion(${range}, bucket: ${bucket}) { period region amount { amount } orders suppressed } }`;
    yield `{ ticketVolumes(${range}, bucket: ${bucket}) { period tickets suppressed } }`;
    yield `{ ticketVolumesByCategory(${range}, bucket: ${bucket}) { period category tickets suppressed } }`;
  }
  for (const [at, change] of Object.entries(changes)) {
    const ids = (full.pools[at] ?? []).map(String);
    const some = ids.filter((_, index) => index % Math.ceil(ids.length / rowsOfChange) === 0);
    for (const id of some) yield `mutation { ${change(id)} { __typename } }`;
  }
  yield '{ __schema { types { name fields { name description args { name } } } } }';
  yield '{ viewer { scopes task { operationsLeft rowsLeft } } }';
}

/** How many there are, and the smallest. */
const told = (differences: Difference[]): unknown[] => [
  differences.length,
  ...differences
    .sort((a, b) => JSON.stringify(a.request).length - JSON.stringify(b.request).length)
    .slice(0, 2),
];

async function compare(requests: (caller: Caller, at: number) => Iterable<object>): Promise<Difference[]> {
  const found = await Promise.all(
    comparisons.flatMap(({ cut, callers }) =>
      callers.map((caller, at) => differencesOf(cut, caller, requests(caller, at))),
    ),
  );
  return found.flat();
}

describe('a world from which all is gone that the caller may not see gives the very same bytes', () => {
  test('much is gone there, and whoever sees it tells the two apart', async () => {
    for (const { plan, cut, removed } of comparisons) {
      expect(removed, plan.name).toBeGreaterThan(20);
      const everyone = { ...full.everyone, personId: full.everyone.id, ceiling: scopes };
      const [one, other] = await Promise.all(
        [full.server, cut].map((server) =>
          rawOf(server, everyone.token, { query: '{ documents { totalCount } }' }),
        ),
      );
      expect(one?.status).toBe(200);
      expect(other?.text).not.toBe(one?.text);
    }
  });

  test('counts, aggregates, searches, sorts, pages, relations, the schema, and changes that fail', async () => {
    const queries = [...fixedQueries()];
    expect(queries.filter((query) => validate(schema, parse(query)).length > 0)).toEqual([]);
    const requests = [...queries, '{ customers { nodes { nmae } } }'].map((query) => ({ query }));
    expect(told(await compare(() => requests))).toEqual([0]);
  }, 300_000);

  test(`${documents.toLocaleString('en')} random documents of random callers`, async () => {
    const before = tally.asked;
    expect(told(await compare(randomRequests))).toEqual([0]);
    expect(tally.asked - before).toBeGreaterThanOrEqual(documents);
    for (const [what, share] of Object.entries({
      errors: 0.2,
      rows: 0.1,
      refused: 0.05,
      conflicts: 0.001,
      spent: 0.001,
    }))
      expect(tally[what as keyof Tally] / tally.asked, what).toBeGreaterThan(share);
  }, 600_000);
});
