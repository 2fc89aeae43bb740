// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { eq } from '../../src/store/sql/condition.js';
import { delegations, type DelegationRow } from '../../src/store/tables/identity.js';
import { at, type Employee } from '../support/administration.js';
import { boundaryInput, makeCase, makeRole, taskScopes, type Case } from '../support/case.js';
import { given, Office, type Agent, type TokenAnswer } from '../support/office.js';

const start = Date.parse('2026-03-02T08:00:00.000Z');
let office: Office;

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
  office = await Office.start();
});
afterAll(async () => {
  await office.server.stop();
  vi.useRealTimers();
});
beforeEach(() => void vi.setSystemTime(start));

const forward = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);
const rowOf = async (condition: Parameters<typeof eq<DelegationRow>>): Promise<DelegationRow> => {
  const row = await office.server.database.read.one(delegations, eq<DelegationRow>(...condition), {
    order: [{ column: 'id', direction: 'desc' }],
  });
  if (row === undefined) throw new Error('no such delegation');
  return row;
};
const scopesOf = ({ body }: TokenAnswer): string[] => body.scope?.split(' ') ?? [];
const within = (inner: Iterable<string>, outer: Iterable<string>): void => {
  expect([...outer]).toEqual(expect.arrayContaining([...inner]));
};

/** What a token is worth: its scopes as the server sees them, and the rows that it reaches. */
async function worthOf(token: string): Promise<{ scopes: string[]; customers: string[] }> {
  const { data } = await office.server.query(token, '{ viewer { scopes } }');
  const { viewer } = data as { viewer: { scopes: string[] } };
  const rows = await office.server.query(token, '{ customers(first: 1000) { nodes { id } } }');
  const held = viewer.scopes.includes('customers:read');
  expect(rows.errors.length === 0).toBe(held);
  const customers = held ? (at(rows, 'customers.nodes') as { id: string }[]).map(({ id }) => id) : [];
  return { scopes: viewer.scopes, customers };
}

const regions = ['asia-pacific', 'europe', 'latin-america', 'north-america'];
interface Asked {
  readonly scopes: string[] | undefined;
  readonly regions: string[] | undefined;
}
const asked: fc.Arbitrary<Asked> = fc.record({
  scopes: fc.option(fc.subarray([...taskScopes, 'invoices:read'], { minLength: 1 }), { nil: undefined }),
  regions: fc.option(fc.subarray(regions, { minLength: 1 }), { nil: undefined }),
});

/** Their rows lie in regions. */
const readsRegions = new Set(['customers:read', 'tickets:read', 'invoices:read']);
const whole: Asked = { scopes: undefined, regions: undefined };
const replyAlone = [{ ...whole, scopes: ['tickets:reply'] }, { ...whole, regions: ['latin-america'] }, whole];

const handOn = (to: Agent, subject: string, { scopes, regions: some }: Asked): Promise<TokenAnswer> =>
  office.exchange(
    to,
    subject,
    { task: 'ticket:T-1', purpose: 'A part of it', ...(some && { boundary: { region: some } }) },
    scopes === undefined ? {} : { scope: scopes.join(' ') },
  );

describe('what is handed on is never more than what one has', () => {
  let person: Employee;
  let personToken: string;
  let chain: Agent[];

  beforeAll(async () => {
    const one = await makeCase(office);
    ({ person } = one);
    const third = await office.agent('third', person);
    await office.done(
      office.company.root,
      'assignAgentRole',
      `agentId: "${third.id}" roleId: "${one.roleId}"`,
    );
    chain = [one.agent, one.next, third];
    for (const { name } of chain) await office.done(person, 'giveConsent', `input: { agent: "${name}" }`);
  });

  test('from a person’s token on, over three agents: scopes, rows, limits and expiry', async () => {
    personToken = (await office.signIn(person, [...taskScopes, 'delegations:create'].join(' '))).access_token;
    await fc.assert(
      fc.asyncProperty(fc.array(asked, { minLength: 3, maxLength: 3 }), async (hops) => {
        let subject = personToken;
        let worth = await worthOf(subject);
        let reach = new Set(regions);
        let isNamed = false;
        let above: DelegationRow | undefined;
        for (const [hop, ask] of hops.entries()) {
          const agent = chain[hop];
          if (agent === undefined) return;
          const answer = await handOn(agent, subject, ask);
          const fits = [
            ask.scopes?.every((scope) => worth.scopes.includes(scope)),
            ask.regions?.every((one) => reach.has(one)),
            // Who can read nothing that lies in a region can name those alone that were named to them.
            ask.regions === undefined || isNamed || worth.scopes.some((scope) => readsRegions.has(scope)),
          ];
          expect(answer.body.access_token !== undefined, JSON.stringify([ask, answer.body])).toBe(
            !fits.includes(false),
          );
          if (answer.body.access_token === undefined) return;
          const row = await rowOf(['agentId', agent.id]);
          const next = await worthOf(answer.body.access_token);
          within(scopesOf(answer), ask.scopes ?? worth.scopes);
          within(next.scopes, worth.scopes);
          within(next.customers, worth.customers);
          expect(row.parentId).toBe(above?.id ?? null);
          if (above !== undefined) {
            expect(row.expiresAt <= above.expiresAt).toBe(true);
            expect(row.operationsMax).toBeLessThanOrEqual(above.operationsMax);
            expect(row.rowsMax).toBeLessThanOrEqual(above.rowsMax);
            expect(row.depthMax).toBeLessThanOrEqual(above.depthMax);
          }
          reach = new Set(ask.regions ?? reach);
          isNamed ||= ask.regions !== undefined;
          [subject, worth, above] = [answer.body.access_token, next, row];
        }
      }),
      { numRuns: 15, examples: [[replyAlone]] },
    );
  });

  test('a token that says less hands on less, whatever its delegation says', async () => {
    const { agent, next, delegationId } = await makeCase(office);
    const less = await office.tokenOf(agent, delegationId, { scope: 'customers:read' });
    expect((await office.exchange(next, less, {}, { scope: 'tickets:read' })).body.error).toBe(
      'invalid_scope',
    );
    expect(scopesOf(await office.exchange(next, less))).toEqual(['customers:read']);
    const more = await office.requestToken(agent, delegationId, { scope: 'customers:read orders:read' });
    expect(more.body.error).toBe('invalid_scope');
  });

  test('a role that grows later adds nothing to what was handed over', async () => {
    const one = await makeCase(office, {
      scopes: ['tickets:read'],
      boundary: boundaryInput({ region: ['europe'] }),
    });
    const roleId = await makeRole(office, 'AGENT', [...taskScopes, 'orders:read', 'invoices:read']);
    const wide = await makeRole(office, 'PERSON', [...taskScopes, 'orders:read', 'invoices:read']);
    const before = await worthOf(one.nextToken);
    await office.done(
      office.company.root,
      'assignAgentRole',
      `agentId: "${one.next.id}" roleId: "${roleId}"`,
    );
    await office.done(office.company.root, 'assignRole', `userId: "${one.person.id}" roleId: "${wide}"`);
    expect(await worthOf(one.nextToken)).toEqual(before);
    const anew = await office.tokenOf(one.next, one.nextDelegationId);
    expect(await worthOf(anew)).toEqual(before);
  });

  test('it ends no later, and no token outlives it', async () => {
    const one = await makeCase(office, { expiresInSeconds: 200 });
    const [parent, child] = [
      await rowOf(['id', one.delegationId]),
      await rowOf(['id', one.nextDelegationId]),
    ];
    expect(child.expiresAt).toBe(parent.expiresAt);
    expect((await office.requestToken(one.next, child.id)).body.expires_in).toBe(200);
    forward(150);
    const late = await office.requestToken(one.next, child.id);
    expect(late.body.expires_in).toBe(50);
    forward(50);
    for (const token of [one.token, one.nextToken, given(late)]) {
      expect((await office.server.query(token, '{ viewer { scopes } }')).status).toBe(401);
    }
    expect((await office.exchange(one.next, one.token)).body.access_token).toBeUndefined();
  });

  test('as often as it was allowed to be', async () => {
    const one = await makeCase(office, { depth: 1 });
    const third = await office.agent('deeper', one.person);
    await office.done(
      office.company.root,
      'assignAgentRole',
      `agentId: "${third.id}" roleId: "${one.roleId}"`,
    );
    expect((await office.exchange(third, one.nextToken)).body).toMatchObject({ error: 'invalid_request' });
    expect(await office.server.database.read.count(delegations, eq('agentId', third.id))).toBe(0);
  });

  test('and no more than is left of it', async () => {
    const one = await makeCase(office, { operations: 10, rows: 100 });
    for (let done = 0; done < 4; done += 1)
      await office.server.query(one.token, '{ customers(first: 2) { nodes { id } } }');
    given(await office.exchange(one.next, one.token));
    expect(await rowOf(['agentId', one.next.id])).toMatchObject({ operationsMax: 6, rowsMax: 92 });
  });
});

describe('a refreshed token', () => {
  const refresh = (token: string | undefined, form: Record<string, string> = {}): Promise<TokenAnswer> =>
    office.post('/oauth/token', {
      grant_type: 'refresh_token',
      client_id: 'behalf-cli',
      refresh_token: token ?? '',
      ...form,
    });

  test('holds what was signed in for, or less; never what came later', async () => {
    const { person }: Case = await makeCase(office);
    const wide = await makeRole(office, 'PERSON', ['orders:read']);
    const first = await office.signIn(person, 'customers:read tickets:read');
    await office.done(office.company.root, 'assignRole', `userId: "${person.id}" roleId: "${wide}"`);
    const second = await refresh(first.refresh_token);
    expect(scopesOf(second)).toEqual(['customers:read', 'tickets:read']);
    within((await worthOf(given(second))).scopes, ['customers:read', 'tickets:read', 'session:read']);
    const third = await refresh(second.body.refresh_token, { scope: 'tickets:read' });
    expect(scopesOf(third)).toEqual(['tickets:read']);
    expect((await worthOf(given(third))).customers).toEqual([]);
    const wider = await refresh(third.body.refresh_token, { scope: 'tickets:read orders:read' });
    expect(wider.body).toMatchObject({ error: 'invalid_scope' });
  });

  test('does not lengthen the sign-in', async () => {
    const { person } = await makeCase(office);
    let { refresh_token: token } = await office.signIn(person);
    for (let hour = 0; hour < 11; hour += 1) {
      forward(3600);
      const answer = await refresh(token);
      expect(answer.status).toBe(200);
      token = answer.body.refresh_token;
    }
    forward(3600);
    expect((await refresh(token)).body).toMatchObject({ error: 'invalid_grant' });
  });
});
