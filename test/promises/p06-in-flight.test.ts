// databases: sqlite, mariadb
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Connection } from '../../src/store/sql/connection.js';
import { eq } from '../../src/store/sql/condition.js';
import { ticketMessages } from '../../src/domains/business/tables.js';
import { delegations, idempotencyKeys } from '../../src/store/tables/identity.js';
import { completeDelegation } from '../../src/delegation/end-delegation.js';
import { codes, key, type Employee } from '../support/administration.js';
import { boundaryInput, changeRole, makeCase, makeRole, taskScopes, type Case } from '../support/case.js';
import { testDatabase } from '../support/database.js';
import { Gate, gatedParts } from '../support/gate.js';
import { Office } from '../support/office.js';
import { recordOf } from '../support/records.js';
import { withoutBackgroundJobs, type Answer } from '../support/server.js';

const gate = new Gate();
let office: Office;
let root: Employee;
let one: Case;

beforeAll(async () => {
  office = await Office.start({ ...gatedParts(gate), ...withoutBackgroundJobs });
  root = office.company.root;
});
afterAll(() => office.server.stop());
beforeEach(async () => {
  one = await makeCase(office);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const query = '{ customers(first: 100) { nodes { id name } } }';
const reply =
  'mutation ($id: ID!, $body: String!, $key: String!) { replyToTicket(ticketId: $id, body: $body, idempotencyKey: $key) { ticket { id } message { body } } }';
const ask = (token: string): Promise<Answer> => office.company.ask({ token }, query);
const replying = (token: string, body: string): Promise<Answer> =>
  office.company.ask({ token }, reply, { id: office.ticketId, body, key: key() });
const messages = (body: string): Promise<number> =>
  office.server.database.read.count(ticketMessages, eq('body', body));

/** Runs `work` while an operation has its rows in hand and has not answered yet. */
async function meanwhile(
  operation: Promise<Answer>,
  held: ReturnType<Gate['arm']>,
  work: () => Promise<unknown>,
) {
  await held.arrived;
  try {
    await work();
  } finally {
    held.open();
  }
  return operation;
}

const revokeToken = ({ agent, token }: Case) => office.post('/oauth/revoke', { token }, agent);
type Loss = [string, (one: Case) => Promise<unknown>, string];
const ends: readonly Loss[] = [
  ['its token revoked', revokeToken, 'UNAUTHENTICATED'],
  [
    'its delegation revoked',
    ({ person, delegationId }) => office.done(person, 'revokeDelegation', `id: "${delegationId}"`),
    'UNAUTHENTICATED',
  ],
  [
    'its agent stopped',
    ({ agent }) => office.done(root, 'stopAgent', `id: "${agent.id}"`),
    'UNAUTHENTICATED',
  ],
  [
    'its person disabled',
    ({ person }) => office.done(root, 'disableUser', `id: "${person.id}"`),
    'UNAUTHENTICATED',
  ],
  ['everything stopped', () => office.done(root, 'stopEverything'), 'UNAUTHENTICATED'],
];
/** What narrows the role of the agent, for a query of customers and for an answer to a ticket. */
const narrowings = (scope: string): Loss[] => [
  [
    'a scope taken from its role',
    ({ roleId }) => changeRole(office, roleId, { scopes: taskScopes.filter((held) => held !== scope) }),
    'FORBIDDEN',
  ],
  [
    'the boundary of its role narrowed',
    ({ roleId }) => changeRole(office, roleId, { boundary: boundaryInput({ region: ['nowhere'] }) }),
    'FORBIDDEN',
  ],
  [
    'an approval asked for',
    ({ roleId }) => changeRole(office, roleId, { approvalScopes: [scope] }),
    'FORBIDDEN',
  ],
];

describe('a query in flight', () => {
  test.each([...ends, ...narrowings('customers:read')])(
    'gives out nothing with %s',
    async (_, lose, code) => {
      const held = gate.arm();
      const answer = await meanwhile(ask(one.token), held, () => lose(one));
      expect(codes(answer)).toEqual([code]);
      expect(answer.data ?? null).toBeNull();
      const record = await recordOf(office.server.database, answer);
      expect(record).toMatchObject({ outcome: 'refused', errors: [{ code }] });
      // What it had read is told all the same.
      expect(record.resources).toMatchObject([{ type: 'Customer', action: 'read' }]);
      await office.done(root, 'resumeEverything');
    },
  );

  test('under a sub-delegation gives out nothing when the parent ends', async () => {
    const held = gate.arm();
    const end = () => office.done(one.person, 'revokeDelegation', `id: "${one.delegationId}"`);
    expect(codes(await meanwhile(ask(one.nextToken), held, end))).toEqual(['UNAUTHENTICATED']);
  });

  test('is not refused for a right that grew, or that it does not use', async () => {
    const roleId = await makeRole(office, 'PERSON', ['orders:read']);
    const other = await makeCase(office);
    const held = gate.arm();
    const answer = await meanwhile(ask(one.token), held, async () => {
      await office.done(root, 'assignRole', `userId: "${one.person.id}" roleId: "${roleId}"`);
      await office.done(root, 'unassignRole', `userId: "${one.person.id}" roleId: "${roleId}"`);
      await changeRole(office, one.roleId, {
        scopes: ['customers:read', 'orders:read', 'tickets:read', 'tickets:reply'],
      });
      await office.done(other.person, 'revokeDelegation', `id: "${other.delegationId}"`);
      await office.done(one.person, 'revokeDelegation', `id: "${one.nextDelegationId}"`);
    });
    expect(answer.errors).toEqual([]);
    expect(answer.data).toMatchObject({ customers: { nodes: expect.arrayContaining([]) } });
  });

  test('whose token is revoked between the look for it and the look at its rights gives out nothing', async () => {
    const { read } = office.server.app.database;
    const query = read.query.bind(read);
    let revoked = false;
    vi.spyOn(read, 'query').mockImplementation(async (sql, params) => {
      const rows = await query(sql, params);
      if (sql.includes("t.model = 'AccessToken'") && !revoked) {
        revoked = true;
        await revokeToken(one);
      }
      return rows;
    });
    const answer = await ask(one.token);
    expect(revoked).toBe(true);
    expect(codes(answer)).toEqual(['UNAUTHENTICATED']);
    expect(answer.data ?? null).toBeNull();
  });
});

describe('a mutation in flight', () => {
  /** Takes the right in a transaction that commits when the mutation has begun and waits for its own. */
  async function losing(
    take: (tx: Connection) => Promise<unknown>,
    operation: () => Promise<Answer>,
  ): Promise<Answer> {
    const { database } = office.server.app;
    const begin = database.transaction.bind(database);
    let begun = (): void => undefined;
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    let answer: Promise<Answer> | undefined;
    await begin(async (tx) => {
      await take(tx);
      vi.spyOn(database, 'transaction').mockImplementation((work) => {
        begun();
        return begin(work);
      });
      answer = operation();
      await beginning;
    });
    if (answer === undefined) throw new Error('It did not begin.');
    return answer;
  }

  test('changes nothing when its right was lost before it could commit', async () => {
    const { clock } = office.server;
    const answer = await losing(
      (tx) => completeDelegation({ tx, clock, by: null }, one.delegationId),
      () => replying(one.token, 'lost'),
    );
    expect(codes(answer)).toEqual(['UNAUTHENTICATED']);
    expect(answer.data ?? null).toBeNull();
    expect(await messages('lost')).toBe(0);
    const { read } = office.server.database;
    expect(await read.count(idempotencyKeys, eq('ownerId', one.delegationId))).toBe(0);
    expect(await read.byId(delegations, one.delegationId)).toMatchObject({ operationsUsed: 0, rowsUsed: 0 });
    expect(await recordOf(office.server.database, answer)).toMatchObject({
      outcome: 'refused',
      errors: [{ code: 'UNAUTHENTICATED' }],
      operation: { type: 'mutation' },
      changes: [],
    });
  });

  test.each([...ends, ...narrowings('tickets:reply')])(
    'with %s meanwhile is rolled back, or was committed before',
    async (name, lose) => {
      const held = gate.arm();
      const operation = replying(one.token, name);
      if (testDatabase() === 'mariadb') {
        const answer = await meanwhile(operation, held, () => lose(one));
        expect(answer.data ?? null).toBeNull();
        expect(codes(answer)).not.toEqual([]);
        expect(await messages(name)).toBe(0);
      } else {
        // One transaction at a time: the revocation waits for the mutation, which so came first.
        let lost: Promise<unknown> | undefined;
        const answer = await meanwhile(operation, held, () => {
          lost = lose(one);
          return Promise.resolve();
        });
        await lost;
        expect(answer.errors).toEqual([]);
        expect(await messages(name)).toBe(1);
      }
      const again = await replying(one.token, `${name} again`);
      expect(again.data ?? null).toBeNull();
      expect(await messages(`${name} again`)).toBe(0);
      await office.done(root, 'resumeEverything');
    },
  );

  test('is made once when others’ rights change meanwhile, or its own grow', async () => {
    const other = await makeCase(office);
    const roleId = await makeRole(office, 'PERSON', ['orders:read']);
    const change = async (): Promise<void> => {
      await office.done(other.person, 'revokeDelegation', `id: "${other.delegationId}"`);
      await office.done(root, 'assignRole', `userId: "${one.person.id}" roleId: "${roleId}"`);
    };
    const held = gate.arm();
    let changed: Promise<void> | undefined;
    const answer = await meanwhile(replying(one.token, 'unmoved'), held, () => {
      changed = change();
      return testDatabase() === 'mariadb' ? changed : Promise.resolve();
    });
    await changed;
    expect(answer.errors).toEqual([]);
    expect(await messages('unmoved')).toBe(1);
    expect(await recordOf(office.server.database, answer)).toMatchObject({ outcome: 'succeeded' });
    const { read } = office.server.database;
    expect(await read.byId(delegations, one.delegationId)).toMatchObject({ operationsUsed: 1 });
  });

  test('that committed before the revocation is answered', async () => {
    const { database } = office.server.app;
    const begin = database.transaction.bind(database);
    vi.spyOn(database, 'transaction').mockImplementationOnce(async (work) => {
      const result = await begin(work);
      await office.done(one.person, 'revokeDelegation', `id: "${one.delegationId}"`);
      return result;
    });
    const answer = await replying(one.token, 'in time');
    expect(answer.errors).toEqual([]);
    expect(answer.data).toMatchObject({ replyToTicket: { message: { body: 'in time' } } });
    expect(await recordOf(office.server.database, answer)).toMatchObject({ outcome: 'succeeded' });
    expect(codes(await replying(one.token, 'too late'))).toEqual(['UNAUTHENTICATED']);
  });
});
