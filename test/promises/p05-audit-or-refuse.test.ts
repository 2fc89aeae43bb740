// databases: sqlite, mariadb
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { orders, ticketMessages, tickets } from '../../src/domains/business/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { delegations, idempotencyKeys, users } from '../../src/store/tables/identity.js';
import { CodeFlow } from '../parts/oauth/browser.js';
import { at, codes, type Employee } from '../support/administration.js';
import { testDatabase } from '../support/database.js';
import { digestOf } from '../support/faults.js';
import { Office, type Agent } from '../support/office.js';
import { password } from '../support/passwords.js';
import { recordOf, recordsOf } from '../support/records.js';
import type { Answer } from '../support/server.js';

let office: Office;
let rosa: Employee;
let agent: Agent;
let delegationId: string;
let token: string;

beforeAll(async () => {
  office = await Office.start();
  rosa = await office.company.employee('rosa', 'support-rep');
  agent = await office.agent('helper', rosa, 'support-agent');
  const scopes = ['customers:read', 'tickets:read', 'tickets:reply', 'tickets:update_status'];
  delegationId = await office.delegate(rosa, { agent: 'helper', scopes });
  token = await office.tokenOf(agent, delegationId);
  await office.signIn(rosa);
});
afterAll(() => office.server.stop());

const { query, reply } = {
  query: '{ customers(first: 5) { nodes { id name } } }',
  reply: `mutation ($id: ID!, $body: String!, $key: String!) {
    replyToTicket(ticketId: $id, body: $body, idempotencyKey: $key) { ticket { version } message { id body } } }`,
};
const ask = (text = query, variables: object = {}): Promise<Answer> =>
  office.server.query(token, text, { ...variables });
const answering = (body: string, key: string): Promise<Answer> =>
  ask(reply, { id: office.ticketId, body, key });
const run = (sql: string) => office.server.database.transaction((tx) => tx.query(sql));

/** Ways in which the log can fail, each with how it is healed. */
const raise =
  testDatabase() === 'sqlite'
    ? "SELECT RAISE(ABORT, 'no more room'); END"
    : "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no more room'; END";
const failures: readonly [string, string, string][] = [
  [
    'is gone',
    'ALTER TABLE behalf_audit_records RENAME TO audit_lost',
    'ALTER TABLE audit_lost RENAME TO behalf_audit_records',
  ],
  [
    'takes no more',
    `CREATE TRIGGER full BEFORE INSERT ON behalf_audit_records FOR EACH ROW BEGIN ${raise}`,
    'DROP TRIGGER full',
  ],
];

/** Everything that a mutation or a token could have changed. */
async function state(): Promise<unknown> {
  const { read } = office.server.database;
  const all = { kind: 'all', of: [] } as const;
  return [
    await read.select(ticketMessages, all),
    await read.select(tickets, all),
    await read.select(orders, all),
    await read.select(idempotencyKeys, all),
    await read.select(delegations, all),
    await read.select(users, all),
  ];
}

const isRefusal = (answer: Answer): void => {
  expect(answer.status).toBe(503);
  expect(codes(answer)).toEqual(['AUDIT_UNAVAILABLE']);
  expect(answer.data).toBeUndefined();
};

describe.each(failures)('while the log %s', (_, fail, heal) => {
  let healed = true;
  const failing = async (): Promise<void> => {
    await run(fail);
    healed = false;
  };
  const healing = async (): Promise<void> => {
    if (!healed) await run(heal);
    healed = true;
  };
  afterEach(healing);

  test('no data leaves, nothing changes, and it goes on by itself afterwards', async () => {
    const key = `healed-${fail.slice(0, 60)}`.replaceAll(/\W/g, '-');
    const before = await state();
    await failing();
    isRefusal(await ask());
    isRefusal(await answering('Nobody will know.', key));
    isRefusal(await ask('{ nonsense }'));
    isRefusal(await ask('{ invoices { totalCount } }'));
    isRefusal(await office.server.post(token, '{'));
    const crowd = Array.from({ length: 8 }, (__, at) =>
      at % 2 === 0 ? ask() : answering('Nobody.', `${key}-${String(at)}`),
    );
    for (const answer of await Promise.all(crowd)) isRefusal(answer);
    const asAdministrator = await office.company.ask(
      office.company.root,
      `mutation { disableUser(id: "${rosa.id}" idempotencyKey: "${key}") { user { id } } }`,
    );
    isRefusal(asAdministrator);
    expect(await state()).toEqual(before);

    await healing();
    expect((await ask()).errors).toEqual([]);
    const answer = await answering('Somebody will know.', key);
    expect(answer.errors).toEqual([]);
    expect(await recordOf(office.server.database, answer)).toMatchObject({ outcome: 'succeeded' });
  });

  test('nobody gets a token, signs in, or makes a delegation', async () => {
    await office.done(rosa, 'giveConsent', 'input: { agent: "helper" }');
    const tokens = await office.signIn(rosa);
    const before = await office.server.database.read.count(delegations);
    await failing();
    const refused = await office.requestToken(agent, delegationId);
    expect(refused.status).toBe(503);
    expect(refused.body).toEqual({ error: 'temporarily_unavailable', error_description: expect.any(String) });
    const form = { grant_type: 'refresh_token', client_id: 'behalf-cli' };
    const refreshed = await office.post('/oauth/token', {
      ...form,
      refresh_token: tokens.refresh_token ?? '',
    });
    expect(refreshed.status).toBe(503);
    expect(refreshed.body.access_token).toBeUndefined();
    const exchanged = await office.exchange(agent, tokens.access_token, { task: 'ticket:T-1', purpose: 'x' });
    expect(exchanged.status).toBe(503);
    expect(exchanged.body.access_token).toBeUndefined();
    const flow = await CodeFlow.start({ issuer: office.server.url });
    const shown = await flow.signIn('rosa', password);
    expect(shown.status).toBe(503);
    expect(shown.url).not.toContain('code=');
    const delegate = office.delegate(rosa, { agent: 'helper', scopes: ['customers:read'] });
    await expect(delegate).rejects.toThrow('AUDIT_UNAVAILABLE');
    expect(await office.server.database.read.count(delegations)).toBe(before);
    await healing();
    expect((await office.requestToken(agent, delegationId)).status).toBe(200);
    await office.signIn(rosa);
  });
});

test('a record of which only a part can be written is not written', async () => {
  const before = await digestOf(office.server.database);
  const records = await office.server.database.read.count(auditRecords);
  await run(`CREATE TRIGGER full BEFORE INSERT ON behalf_audit_unindexed FOR EACH ROW BEGIN ${raise}`);
  try {
    isRefusal(await ask());
    expect(await office.server.database.read.count(auditRecords)).toBe(records);
    const answer = await answering('Nobody will know.', 'in-part');
    expect(codes(answer)).toEqual(['AUDIT_UNAVAILABLE']);
    expect(answer.data ?? null).toBeNull();
    expect(await office.server.database.read.count(auditRecords)).toBe(records);
  } finally {
    await run('DROP TRIGGER full');
  }
  expect(await digestOf(office.server.database)).toBe(before);
});

describe('a change that is asked for again', () => {
  const count = (body: string): Promise<number> =>
    office.server.database.read.count(ticketMessages, eq('body', body));

  test('with the same key and input is made once, and answered as at first', async () => {
    const first = await answering('Once.', 'once-1');
    const second = await answering('Once.', 'once-1');
    expect(second.errors).toEqual([]);
    expect(second.data).toEqual(first.data);
    expect(await count('Once.')).toBe(1);
    const [one, two] = [
      await recordOf(office.server.database, first),
      await recordOf(office.server.database, second),
    ];
    expect([one.outcome, two.outcome]).toEqual(['succeeded', 'succeeded']);
    // Only one of the records tells a change.
    const changing = [one, two].map(({ resources }) => resources.filter(({ action }) => action === 'create'));
    expect(changing.map(({ length }) => length)).toEqual([1, 0]);
  });

  test('with another input is a conflict, and changes nothing', async () => {
    await answering('First.', 'once-2');
    const other = await answering('Second.', 'once-2');
    expect(codes(other)).toEqual(['CONFLICT']);
    expect(other.data ?? null).toBeNull();
    const field = `mutation { setTicketStatus(ticketId: "${office.ticketId}" status: PENDING expectedVersion: 1 idempotencyKey: "once-2") { ticket { id } } }`;
    expect(codes(await ask(field))).toEqual(['CONFLICT']);
    expect(await count('Second.')).toBe(0);
    expect(await recordOf(office.server.database, other)).toMatchObject({
      outcome: 'failed',
      errors: [{ code: 'CONFLICT' }],
    });
  });

  test('at the same moment is made once', async () => {
    const crowd = await Promise.all(Array.from({ length: 6 }, () => answering('At once.', 'once-3')));
    for (const answer of crowd) expect(answer.errors).toEqual([]);
    expect(new Set(crowd.map((answer) => at(answer, 'replyToTicket.message.id'))).size).toBe(1);
    expect(await count('At once.')).toBe(1);
    const records = await Promise.all(crowd.map((answer) => recordOf(office.server.database, answer)));
    const creating = records.filter(({ resources }) => resources.some(({ action }) => action === 'create'));
    expect(creating).toHaveLength(1);
  });

  test('at the same moment with two inputs is one of them, and a conflict', async () => {
    const crowd = await Promise.all(['This.', 'That.'].map((body) => answering(body, 'once-4')));
    expect(crowd.flatMap(codes)).toEqual(['CONFLICT']);
    expect((await count('This.')) + (await count('That.'))).toBe(1);
  });

  test('under another delegation is another change', async () => {
    const other = await office.delegate(rosa, { agent: 'helper', scopes: ['tickets:read', 'tickets:reply'] });
    await answering('Twice.', 'once-5');
    const variables = { id: office.ticketId, body: 'Twice.', key: 'once-5' };
    const answer = await office.server.query(await office.tokenOf(agent, other), reply, variables);
    expect(answer.errors).toEqual([]);
    expect(await count('Twice.')).toBe(2);
  });
});

test('requests by nobody are recorded together, not one by one', async () => {
  const before = (await recordsOf(office.server.database, 'rejected')).length;
  for (let sent = 0; sent < 5; sent += 1) {
    const answer = await office.server.query('x'.repeat(43), query);
    expect(answer.status).toBe(401);
    expect(answer.data).toBeUndefined();
  }
  const records = await recordsOf(office.server.database, 'rejected');
  expect(records.length).toBe(before + 1);
  expect(records.at(-1)).toMatchObject({
    chain: null,
    errors: [{ code: 'UNAUTHENTICATED' }],
    detail: { requests: { UNAUTHENTICATED: 1 } },
  });
});
