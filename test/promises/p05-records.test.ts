// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sha256 } from '../../src/core/digest.js';
import { readEpoch } from '../../src/delegation/authority-epoch.js';
import { tokenIdOf } from '../../src/oauth/library/token-lookup.js';
import { users } from '../../src/store/tables/identity.js';
import { CodeFlow } from '../parts/oauth/browser.js';
import { at, type Employee } from '../support/administration.js';
import { malformed } from '../support/malformed.js';
import { given, Office, type Agent } from '../support/office.js';
import { password } from '../support/passwords.js';
import { auditText, recordOf, recordsOf } from '../support/records.js';
import type { Answer } from '../support/server.js';

const now = Date.parse('2026-03-02T08:00:00.000Z');
/** Every response to a recognised caller, and every secret that went over the wire. */
const answers: Answer[] = [];
const secrets: string[] = [];
let office: Office;
let rosa: Employee;
let agent: Agent;
let delegationId: string;
let token: string;

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now });
  office = await Office.start();
  rosa = await office.company.employee('rosa', 'support-rep');
  agent = await office.agent('helper', rosa, 'support-agent');
  delegationId = await office.delegate(rosa, {
    agent: 'helper',
    purpose: 'Answer the ticket about milk',
    task: 'ticket:T-4021',
    scopes: ['customers:read', 'orders:read', 'tickets:read', 'tickets:reply'],
  });
  token = await office.tokenOf(agent, delegationId);
  secrets.push(token, rosa.token, agent.secret, password);
});
afterAll(async () => {
  await office.server.stop();
  vi.useRealTimers();
});

async function send(body: string, headers: Record<string, string> = {}, as = token): Promise<Answer> {
  const answer = await office.server.post(as, body, { 'user-agent': 'helper/1.0', ...headers });
  answers.push(answer);
  return answer;
}
const ask = (query: string, variables: object = {}, as = token): Promise<Answer> =>
  send(JSON.stringify({ query, variables }), {}, as);
const recorded = (answer: Answer) => recordOf(office.server.database, answer);

const chain = () => ({
  person: { id: rosa.id, name: 'rosa', displayName: 'Employee rosa' },
  agents: [
    { id: agent.id, name: 'helper', displayName: 'Agent helper', delegationId, role: 'support-agent' },
  ],
});
const delegation = () => ({
  id: delegationId,
  ids: [delegationId],
  task: 'ticket:T-4021',
  purpose: 'Answer the ticket about milk',
});
const idsOf = (answer: Answer, path: string): string[] =>
  (at(answer, path) as { id: string }[]).map(({ id }) => id);
const digestOf = (ids: readonly string[]): string => sha256(ids.join('\n'));

describe('the record of an operation', () => {
  test('that succeeded tells all of it', async () => {
    const query = 'query Some($first: Int) { customers(first: $first) { nodes { id } } }';
    const answer = await ask(query, { first: 2 });
    const ids = idsOf(answer, 'customers.nodes');
    const { version } = await readEpoch(office.server.database.read);
    expect(await recorded(answer)).toEqual({
      operationId: answer.headers.get('behalf-operation-id'),
      at: '2026-03-02T08:00:00.000Z',
      kind: 'graphql',
      outcome: 'succeeded',
      chain: chain(),
      delegation: delegation(),
      tokenId: tokenIdOf(token),
      authority: {
        version,
        layers: [
          { layer: 'person', id: rosa.id },
          { layer: 'agent', id: agent.id },
          { layer: 'delegation', id: delegationId },
        ],
      },
      operation: { name: 'Some', type: 'query', documentHash: sha256(query) },
      variables: '{"first":2}',
      decisions: [],
      resources: [{ type: 'Customer', action: 'read', count: 2, ids, digest: digestOf(ids) }],
      changes: [],
      errors: [],
      rowCount: 2,
      durationMs: 0,
      source: { address: '127.0.0.1', userAgent: 'helper/1.0' },
      detail: {},
    });
  });

  test('with a long list names some rows, and stands for all of them', async () => {
    const answer = await ask('{ orders(first: 1000) { nodes { id } } }');
    const ids = idsOf(answer, 'orders.nodes');
    const record = await recorded(answer);
    expect(record.rowCount).toBe(ids.length);
    const whole = { type: 'Order', action: 'read', count: ids.length, digest: digestOf(ids) };
    expect(record.resources).toMatchObject([whole]);
    const named = record.resources.flatMap((touched) => touched.ids);
    expect(named.length).toBeLessThan(ids.length);
    expect(named).toEqual(ids.slice(0, named.length));
  });

  test('that was refused in part tells what, by which layer, and the rest', async () => {
    const answer = await ask('{ customers(first: 1) { nodes { id email } } }');
    expect(at(answer, 'customers.nodes')).toMatchObject([{ email: null }]);
    expect(await recorded(answer)).toMatchObject({
      outcome: 'partial',
      decisions: [
        {
          coordinate: 'Customer.email',
          scope: 'customers:read_contact',
          outcome: 'deny',
          reason: 'missing_scope',
          layer: 'delegation',
        },
      ],
      errors: [{ code: 'FORBIDDEN', path: 'customers.nodes.0.email' }],
      resources: [{ type: 'Customer', count: 1 }],
    });
  });

  test('that was refused whole tells that nothing was touched', async () => {
    const close = `mutation { setTicketStatus(ticketId: "${office.ticketId}" status: CLOSED expectedVersion: 1 idempotencyKey: "c") { ticket { id } } }`;
    for (const query of ['{ invoices { totalCount } }', close]) {
      expect(await recorded(await ask(query))).toMatchObject({
        outcome: 'refused',
        chain: chain(),
        decisions: [{ outcome: 'deny', layer: 'delegation' }],
        errors: [{ code: 'FORBIDDEN' }],
        resources: [],
        rowCount: 0,
      });
    }
  });

  test('that failed tells the error, and no change', async () => {
    const reply = `mutation { replyToTicket(ticketId: "nowhere" body: "x" idempotencyKey: "n") { ticket { id } } }`;
    expect(await recorded(await ask(reply))).toMatchObject({
      outcome: 'failed',
      operation: { type: 'mutation' },
      errors: [{ code: 'NOT_FOUND' }],
      resources: [],
      changes: [],
    });
  });

  test('that changed something tells what, and keeps personal values out', async () => {
    const text = 'Dear Ada Lovelace, your milk jug is on its way.';
    const answer = await ask(
      'mutation Reply($ticket: ID!, $body: String!, $key: String!) { replyToTicket(ticketId: $ticket, body: $body, idempotencyKey: $key) { message { id } } }',
      { ticket: office.ticketId, body: text, key: 'reply-1' },
    );
    const id = at(answer, 'replyToTicket.message.id') as string;
    const record = await recorded(answer);
    expect(record.outcome).toBe('succeeded');
    expect(JSON.parse(record.variables ?? '')).toEqual({
      ticket: office.ticketId,
      body: '[redacted]',
      key: 'reply-1',
    });
    expect(record.resources).toContainEqual({
      type: 'TicketMessage',
      action: 'create',
      count: 1,
      ids: [id],
      digest: digestOf([id]),
    });
    expect(record.resources).toContainEqual(
      expect.objectContaining({ type: 'Ticket', action: 'update', ids: [office.ticketId] }),
    );
    expect(await auditText(office.server.database)).not.toContain('Lovelace');
  });

  test('of a person in person has no agent, and tells an account before and after', async () => {
    const { root } = office.company;
    const create = `mutation ($name: String!, $more: String!) {
      createUser(input: { name: $name, displayName: $more, email: "grace@example.com" }, idempotencyKey: "u") { user { id } password } }`;
    const made = await ask(create, { name: 'grace', more: 'Grace Hopper' }, root.token);
    secrets.push(at(made, 'createUser.password') as string);
    const id = at(made, 'createUser.user.id') as string;
    const record = await recorded(made);
    expect(record).toMatchObject({
      chain: { person: { id: root.id, name: 'root' }, agents: [] },
      delegation: null,
      authority: { layers: [{ layer: 'person', id: root.id }] },
    });
    expect(JSON.parse(record.variables ?? '')).toEqual({ name: '[redacted]', more: '[redacted]' });
    const created = { type: 'User', id, before: null, after: expect.objectContaining({ status: 'active' }) };
    expect(record.changes).toEqual([created]);
    const disable = `mutation { disableUser(id: "${id}" idempotencyKey: "d") { user { id } } }`;
    expect((await recorded(await ask(disable, {}, root.token))).changes).toContainEqual({
      type: 'User',
      id,
      before: { status: 'active' },
      after: { status: 'disabled' },
    });
    const text = await auditText(office.server.database);
    expect(text).not.toContain('Hopper');
    expect(text).not.toContain('grace@example.com');
  });

  test.each(malformed)('that was malformed is there: %s', async (_, body, headers, status) => {
    const answer = await send(body, headers);
    expect(answer.status).toBe(status);
    expect(answer.data ?? null).toBeNull();
    expect(await recorded(answer)).toMatchObject({
      kind: 'graphql',
      outcome: 'failed',
      chain: chain(),
      errors: [{ code: 'BAD_USER_INPUT' }],
      resources: [],
    });
  });

  test('that came by GET is there', async () => {
    const url = `${office.server.url}/graphql?query=${encodeURIComponent('{ viewer { person { id } } }')}`;
    const authorization = `Bearer ${token}`;
    for (const preflight of ['', '1']) {
      const headers = { authorization, 'apollo-require-preflight': preflight };
      const answer = await fetch(url, { headers });
      expect((await recordOf(office.server.database, answer)).chain).toEqual(chain());
    }
  });
});

describe('the record at the authorization server', () => {
  const last = async (kind: 'token' | 'sign_in' | 'revocation') =>
    (await recordsOf(office.server.database, kind)).at(-1);

  test('of a token that was given out', async () => {
    const fresh = await office.tokenOf(agent, delegationId);
    secrets.push(fresh);
    expect(await last('token')).toMatchObject({
      outcome: 'succeeded',
      chain: { person: { id: rosa.id, name: 'rosa' }, agents: [{ id: agent.id, name: 'helper' }] },
      delegation: delegation(),
      tokenId: tokenIdOf(fresh),
      source: { address: '127.0.0.1' },
      detail: { clientName: 'helper', grantType: 'client_credentials' },
    });
    await office.post('/oauth/revoke', { token: fresh }, agent);
    expect(await last('revocation')).toMatchObject({ outcome: 'succeeded', tokenId: tokenIdOf(fresh) });
  });

  test('of a delegation that an exchange made, and of its token', async () => {
    await office.done(rosa, 'giveConsent', 'input: { agent: "helper" }');
    const mine = (await office.signIn(rosa)).access_token;
    const task = { task: 'ticket:T-9', purpose: 'Look it up' };
    const exchanged = given(await office.exchange(agent, mine, task));
    secrets.push(mine, exchanged);
    const [made, told] = (await recordsOf(office.server.database, 'token')).slice(-2);
    expect(made).toMatchObject({ outcome: 'succeeded', delegation: task, tokenId: null });
    expect(made?.changes).toMatchObject([
      { type: 'Delegation', before: null, after: { ...task, userId: rosa.id } },
    ]);
    expect(told).toMatchObject({ delegation: made?.delegation, tokenId: tokenIdOf(exchanged), changes: [] });
  });

  test('of one that was refused', async () => {
    secrets.push('a wrong secret');
    expect((await office.requestToken({ ...agent, secret: 'a wrong secret' }, delegationId)).status).toBe(
      401,
    );
    expect(await last('token')).toMatchObject({
      outcome: 'refused',
      tokenId: null,
      errors: [{ code: 'UNAUTHENTICATED' }],
      detail: { errorCode: 'invalid_client' },
    });
  });

  test('of a person who signed in, and of one who did not', async () => {
    const tokens = await office.signIn(rosa);
    secrets.push(tokens.access_token, tokens.refresh_token ?? '');
    expect(await last('sign_in')).toMatchObject({
      outcome: 'succeeded',
      chain: { person: { name: 'rosa' } },
    });
    expect(await last('token')).toMatchObject({ tokenId: tokenIdOf(tokens.access_token), delegation: null });
    const flow = await CodeFlow.start({ issuer: office.server.url });
    secrets.push('not the password');
    await flow.signIn('rosa', 'not the password');
    expect(await last('sign_in')).toMatchObject({
      outcome: 'refused',
      errors: [{ code: 'UNAUTHENTICATED' }],
    });
  });
});

test('every response has exactly one record', async () => {
  const ids = answers.map((answer) => answer.headers.get('behalf-operation-id') ?? '');
  expect(new Set(ids).size).toBe(answers.length);
  const records = (await recordsOf(office.server.database)).map(({ operationId }) => operationId);
  for (const id of ids) expect(records.filter((one) => one === id)).toEqual([id]);
});

test('no token, secret, password or hash is anywhere in the log', async () => {
  const { read } = office.server.database;
  const hashes = (await read.select(users, { kind: 'all', of: [] })).map((user) => user.passwordHash);
  const stored = await read.query('SELECT secret_hash AS hash FROM behalf_agent_secrets');
  const log = await auditText(office.server.database);
  expect(log).toContain(tokenIdOf(token));
  for (const secret of [...secrets, ...hashes, ...stored.map(({ hash }) => String(hash))]) {
    expect(secret.length).toBeGreaterThan(3);
    expect(log).not.toContain(secret);
  }
});
