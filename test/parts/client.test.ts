// databases: sqlite, mariadb
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAgent } from '../../src/admin/agents.js';
import { giveAgentRole } from '../../src/admin/assignments.js';
import { AgentError, agentClient } from '../../src/client/index.js';
import { ticketMessages } from '../../src/domains/business/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import type { Employee } from '../support/administration.js';
import { optionsOf, Wire } from '../support/client.js';
import { freePort } from '../support/free-port.js';
import { Office, type Agent } from '../support/office.js';
import { recordsOf } from '../support/records.js';
import { TestIssuers } from '../support/token-issuers.js';
import { secretsAllowed } from '../support/secrets-allowed.js';

const scopes = ['tickets:read', 'tickets:reply', 'customers:read'];
const subject = 'query Subject($id: ID!) { ticket(id: $id) { subject } }';
const reply = `mutation Reply($id: ID!, $body: String!, $key: String!) {
  replyToTicket(ticketId: $id, body: $body, idempotencyKey: $key) { message { id } }
}`;

let office: Office;
let rosa: Employee;
let helper: Agent;
let delegation: string;
let wire: Wire;
beforeAll(async () => {
  office = await Office.start({}, { BEHALF_PRIVATE_HOSTS: '127.0.0.1' });
  rosa = await office.company.employee('rosa', 'support-rep');
  helper = await office.agent('helper', rosa, 'support-agent');
});
afterAll(() => office.server.stop());
beforeEach(async () => {
  wire = new Wire();
  delegation = await office.delegate(rosa, { agent: 'helper', scopes });
});

const client = (more = {}) => wire.client({ ...optionsOf(office, helper, delegation), ...more });
const failure = (work: Promise<unknown>): Promise<AgentError> =>
  work.then(
    () => Promise.reject(new Error('It did not fail.')),
    (error: unknown) => {
      if (error instanceof AgentError) return error;
      throw error as Error;
    },
  );
const messages = (): Promise<number> =>
  office.server.database.read.count(ticketMessages, eq('ticketId', office.ticketId));
const refusal = (status: number, extensions: object, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ errors: [{ message: 'Not now.', extensions }] }), { status, headers });
const lost = async (url: URL, init: RequestInit): Promise<never> => {
  await fetch(url, init);
  throw new TypeError('fetch failed');
};

describe('an agent asks in three lines', () => {
  test('and its record has the whole chain', async () => {
    const agent = agentClient(optionsOf(office, helper, delegation));
    const { ticket } = await agent.request<{ ticket: { subject: string } }>(subject, { id: office.ticketId });
    expect(ticket.subject).toBe(office.data.tickets.find(({ id }) => id === office.ticketId)?.subject);
    expect((await recordsOf(office.server.database, 'graphql')).at(-1)).toMatchObject({
      chain: { person: { id: rosa.id }, agents: [{ id: helper.id }] },
      operation: { name: 'Subject' },
      delegation: { id: delegation },
    });
  });

  test('what it may not see is an error with code, hint and the id of its record, beside the rest', async () => {
    const { code, hint, missingScopes, operationId, status, data } = await failure(
      client().request('{ customers(first: 1) { nodes { name email } } }'),
    );
    expect([code, missingScopes, status]).toEqual(['FORBIDDEN', ['customers:read_contact'], 200]);
    expect(hint).toContain('Employee rosa');
    expect(data).toMatchObject({ customers: { nodes: [{ name: expect.any(String), email: null }] } });
    expect(operationId).toBe((await recordsOf(office.server.database)).at(-1)?.operationId);
  });

  test.each([
    ['{ ', 'BAD_USER_INPUT', 400],
    ['{ ticket(id: "x") { nothing } }', 'BAD_USER_INPUT', 400],
  ])('%s is told as the server tells it', async (query, code, status) => {
    expect(await failure(client().request(query))).toMatchObject({ code, status });
  });
});

describe('a token', () => {
  test('is asked for once by all who need it, kept, and renewed once before its end', async () => {
    const agent = client();
    const many = () => Promise.all(Array.from({ length: 20 }, () => agent.request('{ viewer { scopes } }')));
    await many();
    expect(wire.count('/oauth/token')).toBe(1);
    expect(wire.sent.map(({ form }) => form.get('resource'))).toContain(agent.endpoint);
    const first = await agent.accessToken();
    wire.now += 269_000;
    await many();
    expect(await agent.accessToken()).toBe(first);
    wire.now += 2_000;
    await many();
    expect(wire.count('/oauth/token')).toBe(2);
    expect(await agent.accessToken()).not.toBe(first);
    expect(wire.count('/.well-known/oauth-authorization-server')).toBe(1);
  });

  test('that ended is replaced once, for a mutation too, which runs once', async () => {
    const agent = client();
    await office.post('/oauth/revoke', { token: await agent.accessToken() }, helper);
    const before = await messages();
    await agent.request(reply, { id: office.ticketId, body: 'Soon.' });
    expect(await messages()).toBe(before + 1);
    expect([wire.count('/oauth/token'), wire.count('/graphql')]).toEqual([2, 2]);
  });

  test('that the server never takes is asked for twice, not for ever', async () => {
    const challenge = () =>
      refusal(401, { code: 'UNAUTHENTICATED' }, { 'www-authenticate': 'Bearer error="invalid_token"' });
    wire.next('/graphql', challenge, challenge, challenge);
    expect(await failure(client().request('{ viewer { scopes } }'))).toMatchObject({
      code: 'UNAUTHENTICATED',
      status: 401,
    });
    expect([wire.count('/oauth/token'), wire.count('/graphql')]).toEqual([2, 2]);
  });

  test('is not renewed where the person has to sign in again', async () => {
    const challenge = 'Bearer error="insufficient_user_authentication"';
    wire.next('/graphql', () =>
      refusal(401, { code: 'INSUFFICIENT_USER_AUTHENTICATION' }, { 'www-authenticate': challenge }),
    );
    expect((await failure(client().request('{ viewer { scopes } }'))).code).toBe(
      'INSUFFICIENT_USER_AUTHENTICATION',
    );
    expect(wire.count('/oauth/token')).toBe(1);
  });

  test('is not given once the person has taken the task back', async () => {
    const agent = client();
    await agent.request('{ viewer { scopes } }');
    await office.done(rosa, 'revokeDelegation', `id: "${delegation}"`);
    expect(await failure(agent.request('{ viewer { scopes } }'))).toMatchObject({
      code: 'invalid_grant',
      status: 400,
    });
    expect(wire.count('/graphql')).toBe(2);
  });

  test('is not given for a wrong secret', async () => {
    expect((await failure(client({ secret: 'wrong' }).request('{ viewer { scopes } }'))).code).toBe(
      'invalid_client',
    );
    expect(wire.count('/graphql')).toBe(0);
  });

  test('has the scopes that were asked for', async () => {
    const agent = client({ scopes: ['tickets:read'] });
    expect(await agent.request('{ viewer { scopes } }')).toMatchObject({
      viewer: { scopes: expect.not.arrayContaining(['customers:read']) },
    });
  });

  test('needs no delegation by name where the agent has one; the client stays with it', async () => {
    const alone = await office.agent('alone', rosa, 'support-agent');
    const agent = client({ agent: 'alone', secret: alone.secret, delegation: undefined });
    expect((await failure(agent.accessToken())).code).toBe('invalid_grant');
    const first = await office.delegate(rosa, { agent: 'alone', scopes });
    await agent.request(subject, { id: office.ticketId });
    await office.delegate(rosa, { agent: 'alone', scopes });
    wire.now += 280_000;
    await agent.request(subject, { id: office.ticketId });
    expect((await recordsOf(office.server.database, 'graphql')).at(-1)?.delegation?.id).toBe(first);
    const { code, message } = await failure(
      client({ agent: 'alone', secret: alone.secret, delegation: undefined }).accessToken(),
    );
    expect([code, message]).toEqual(['invalid_authorization_details', expect.stringContaining(first)]);
  });

  test('goes to no other address, and not in the clear', async () => {
    const agent = client();
    for (const url of ['http://127.0.0.1:1/graphql', `${office.server.url}/graphqlx`])
      await expect(agent.fetch(url)).rejects.toThrow(/for .*\/graphql alone/);
    expect(() => client({ server: 'http://behalf.example.com' })).toThrow(/https/);
    expect(wire.sent).toEqual([]);
  });
});

describe('a thief gets neither credentials nor tokens', () => {
  let thief: Server;
  let thiefUrl: string;
  let stolen: number;
  beforeAll(async () => {
    thief = createServer((_, response) => {
      stolen += 1;
      response.setHeader('content-type', 'application/json').end('{}');
    });
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
    thiefUrl = `http://127.0.0.1:${String((thief.address() as AddressInfo).port)}`;
  });
  afterAll(async () => {
    thief.closeAllConnections();
    await new Promise((resolve) => thief.close(resolve));
  });
  beforeEach(() => {
    stolen = 0;
  });

  const metadata = '/.well-known/oauth-authorization-server';
  const described = (changes: object) =>
    Response.json({
      issuer: office.server.url,
      token_endpoint: `${office.server.url}/oauth/token`,
      ...changes,
    });
  const redirect = () => Response.redirect(`${thiefUrl}/oauth/token`, 307);
  const token = (changes: object) => Response.json({ access_token: 'x', token_type: 'Bearer', ...changes });

  test.each([
    ['metadata of another issuer', metadata, () => described({ issuer: thiefUrl })],
    ['metadata with another token endpoint', metadata, () => described({ token_endpoint: thiefUrl })],
    ['metadata without a token endpoint', metadata, () => described({ token_endpoint: undefined })],
    ['metadata elsewhere', metadata, redirect],
    ['a token endpoint elsewhere', '/oauth/token', redirect],
    ['a token of an unknown type', '/oauth/token', () => token({ token_type: 'mac' })],
    ['a token that is no text', '/oauth/token', () => token({ access_token: 1 })],
    ['an endpoint elsewhere', '/graphql', redirect],
  ])('by %s', async (_name, path, answer) => {
    wire.next(path, answer);
    const before = (await recordsOf(office.server.database, 'graphql')).length;
    expect((await failure(client().request(reply, { id: office.ticketId, body: 'x' }))).code).toBe(
      'BAD_ANSWER',
    );
    expect(stolen).toBe(0);
    expect(await recordsOf(office.server.database, 'graphql')).toHaveLength(before);
  });
});

describe('an agent proves who it is', () => {
  const keyAgent = async (name: string, algorithm: string): Promise<{ jwk: object; id: string }> => {
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
    const publicKeys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }] });
    const of = { displayName: name, businessTask: 'a task of a test', ownerId: rosa.id };
    await office.company.do(async (unit) => {
      const { agent } = await createAgent(unit, { name, ...of, publicKeys }, secretsAllowed);
      await giveAgentRole(unit, agent, await office.company.role('support-agent'), null);
    });
    const jwk = { ...(await exportJWK(privateKey)), kid: 'k1' };
    return { jwk, id: await office.delegate(rosa, { agent: name, scopes }) };
  };

  test.each(['ES256', 'Ed25519', 'PS256'])('by a private key: %s', async (algorithm) => {
    const { jwk, id } = await keyAgent(`key-${algorithm.toLowerCase()}`, algorithm);
    const of = { secret: undefined, delegation: id, agent: `key-${algorithm.toLowerCase()}` };
    expect(await client({ ...of, privateKey: jwk }).request('{ viewer { scopes } }')).toBeDefined();
  });

  test('by a JWT of its platform, anew for each token', async () => {
    const issuers = await TestIssuers.start();
    const cluster = await issuers.add('cluster');
    const pod = await office.agent('pod', rosa, 'support-agent');
    const workload = `{ issuer: "${cluster.url}", subject: "system:pod" }`;
    await office.done(office.company.root, 'setAgentWorkloads', `id: "${pod.id}" workloads: [${workload}]`);
    let made = 0;
    const assertion = async (): Promise<string> => {
      made += 1;
      const of = { iss: cluster.url, sub: 'system:pod', aud: office.server.url, jti: `j-${String(made)}` };
      const iat = Math.floor(Date.now() / 1000);
      // As a file of the platform may end.
      return `${await cluster.sign({ ...of, iat, exp: iat + 600 })}\n`;
    };
    const id = await office.delegate(rosa, { agent: 'pod', scopes });
    const agent = client({ secret: undefined, delegation: id, agent: 'pod', assertion });
    await agent.request('{ viewer { scopes } }');
    wire.now += 280_000;
    await agent.request('{ viewer { scopes } }');
    expect([made, wire.count('/oauth/token')]).toEqual([2, 2]);
    await issuers.stop();
  });

  test('whose maker may fail, which is told as it is', async () => {
    const assertion = () => Promise.reject(new Error('no file'));
    await expect(client({ secret: undefined, assertion }).accessToken()).rejects.toThrow('no file');
    expect(wire.count('/oauth/token')).toBe(0);
  });

  test('by one of them', () => {
    for (const credentials of [{ secret: undefined }, { assertion: () => 'x' }])
      expect(() => client(credentials)).toThrow('Give one of');
  });
});

describe('a token that is bound to a key', () => {
  test('works with the proofs of this client, and is worth nothing to a thief', async () => {
    const agent = client({ dpop: true });
    await Promise.all([1, 2, 3].map(() => agent.request('{ viewer { scopes } }')));
    const token = await agent.accessToken();
    const stolen = await office.server.query(token, '{ viewer { scopes } }');
    expect([stolen.status, stolen.errors[0]?.extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(wire.sent.filter(({ headers }) => headers.has('dpop'))).toHaveLength(4);
  });

  test('is asked for again with the nonce that the server gives, and so is an operation', async () => {
    const nonce = (jwt: string | null): unknown =>
      (JSON.parse(Buffer.from(jwt?.split('.')[1] ?? '', 'base64url').toString()) as { nonce?: string }).nonce;
    const agent = client({ dpop: true });
    wire.next('/graphql', () =>
      refusal(
        401,
        { code: 'UNAUTHENTICATED' },
        { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'n-1' },
      ),
    );
    await agent.request(reply, { id: office.ticketId, body: 'With a nonce.' });
    const proofs = (path: string) =>
      wire.sent.filter((one) => one.path === path).map(({ headers }) => nonce(headers.get('dpop')));
    expect(proofs('/graphql')).toEqual([undefined, 'n-1']);
    expect(wire.count('/oauth/token')).toBe(1);
    const another = client({ dpop: true });
    const asks =
      (body: object, headers = {}) =>
      () =>
        Response.json(body, { status: 400, headers });
    wire.sent.length = 0;
    wire.next(
      '/oauth/token',
      asks({ error: 'use_dpop_nonce' }, { 'dpop-nonce': 'n-2' }),
      asks({ error: 'use_dpop_nonce' }, { 'dpop-nonce': 'n-3' }),
    );
    expect((await failure(another.accessToken())).code).toBe('use_dpop_nonce');
    expect(proofs('/oauth/token')).toEqual([undefined, 'n-2']);
  });

  test('may be bound to a key of one’s own', async () => {
    const keys = await generateKeyPair('ES256');
    const agent = client({ dpop: keys });
    const body = { token: await agent.accessToken() };
    const { body: seen } = await office.post('/oauth/introspect', body, helper);
    expect(seen).toMatchObject({
      cnf: { jkt: await calculateJwkThumbprint(await exportJWK(keys.publicKey)) },
    });
  });
});

describe('a task is handed on', () => {
  test.each([false, true])(
    'by an exchange, once; then tokens come by its delegation (dpop: %s)',
    async (dpop) => {
      const next = await office.agent(`next-${String(dpop)}`, rosa, 'support-agent');
      const first = client({ dpop });
      const second = first.handOn({
        ...{ agent: next.name, secret: next.secret, scopes: ['tickets:read'] },
        task: { purpose: 'Read the ticket' },
      });
      await second.request(subject, { id: office.ticketId });
      wire.now += 280_000;
      await second.request(subject, { id: office.ticketId });
      expect(wire.sent.map(({ form }) => form.get('grant_type')).filter((one) => one !== null)).toEqual([
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'client_credentials',
      ]);
      expect((await recordsOf(office.server.database, 'graphql')).at(-1)).toMatchObject({
        chain: { person: { id: rosa.id }, agents: [{ id: helper.id }, { id: next.id }] },
        delegation: { purpose: 'Read the ticket' },
      });
      const { code } = await failure(second.request('{ customers(first: 1) { nodes { id } } }'));
      expect(code).toBe('FORBIDDEN');
    },
  );

  test('from another process by the text of a token, which gives no more than it had', async () => {
    const next = await office.agent('next-elsewhere', rosa, 'support-agent');
    const token = await client({ scopes: ['tickets:read'] }).accessToken();
    const options = { agent: next.name, secret: next.secret, delegation: undefined };
    const wider = client({ ...options, subjectToken: () => token, scopes });
    expect((await failure(wider.accessToken())).code).toBe('invalid_scope');
    const agent = client({ ...options, subjectToken: () => token });
    expect(await agent.request(subject, { id: office.ticketId })).toHaveProperty('ticket.subject');
    expect(() => client({ subjectToken: () => token })).toThrow('not both');
  });
});

describe('after 429 and 503', () => {
  const busy = () => refusal(503, { code: 'LIMIT_EXCEEDED', limit: 'load' }, { 'retry-after': '2' });

  test('an operation goes out again when the server says, also a mutation, which runs once', async () => {
    wire.next('/graphql', busy, busy);
    const before = await messages();
    await client().request(reply, { id: office.ticketId, body: 'Again.' });
    expect([wire.waited, wire.count('/graphql')]).toEqual([[2_000, 2_000], 3]);
    expect(await messages()).toBe(before + 1);
  });

  test('a message of MCP goes out again where the server did nothing, and else not', async () => {
    const told = (data: object) => (): Response =>
      Response.json(
        { jsonrpc: '2.0', id: null, error: { code: 503, message: 'Not now.', data } },
        { status: 503, headers: { 'retry-after': '2' } },
      );
    const agent = client({ path: '/mcp' });
    const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const send = async (): Promise<number> =>
      (await agent.fetch(agent.endpoint, { method: 'POST', headers, body })).status;
    wire.next('/mcp', told({ code: 'LIMIT_EXCEEDED', limit: 'load' }));
    expect([await send(), wire.waited, wire.count('/mcp')]).toEqual([200, [2_000], 2]);
    wire.next('/mcp', told({ code: 'AUDIT_UNAVAILABLE' }));
    expect([await send(), wire.waited, wire.count('/mcp')]).toEqual([503, [2_000], 3]);
  });

  test('the time may be a date, and a token is waited for, too', async () => {
    const date = new Date(wire.now + 3_000).toUTCString();
    wire.next('/graphql', () => refusal(429, { code: 'UNAUTHENTICATED' }, { 'retry-after': date }));
    wire.next('/oauth/token', () =>
      Response.json({ error: 'slow_down' }, { status: 429, headers: { 'retry-after': '1' } }),
    );
    await client().request('{ viewer { scopes } }');
    expect(wire.waited).toEqual([1_000, 2_000]);
  });

  test('of an address with too many bad tokens, a fresh one need not wait; a second bad one does', async () => {
    const agent = client();
    await office.post('/oauth/revoke', { token: await agent.accessToken() }, helper);
    const guess = async (): Promise<number> => (await office.server.query('x'.repeat(43), '{ a }')).status;
    for (let tries = 0; (await guess()) !== 429; tries += 1) expect(tries).toBeLessThan(500);
    await agent.request('{ viewer { scopes } }');
    expect([wire.waited, wire.count('/oauth/token'), wire.count('/graphql')]).toEqual([[], 2, 2]);
    const headers = { 'retry-after': '1', 'www-authenticate': 'Bearer error="invalid_token"' };
    const flooded = () => refusal(429, { code: 'UNAUTHENTICATED' }, headers);
    wire.next('/graphql', flooded, flooded);
    await agent.request('{ viewer { scopes } }');
    expect([wire.waited, wire.count('/oauth/token')]).toEqual([[1_000], 3]);
  });

  test('waiting has an end: no longer than is allowed, no more than five requests, none without a time', async () => {
    wire.next('/graphql', () => refusal(503, { code: 'AUDIT_UNAVAILABLE' }, { 'retry-after': '31' }));
    const late = await failure(client().request('{ viewer { scopes } }'));
    expect([late.code, late.retryAfterSeconds, late.status]).toEqual(['AUDIT_UNAVAILABLE', 31, 503]);
    wire.next('/graphql', () => refusal(503, { code: 'UNAVAILABLE' }));
    expect((await failure(client().request('{ viewer { scopes } }'))).code).toBe('UNAVAILABLE');
    expect(wire.waited).toEqual([]);
    wire.sent.length = 0;
    wire.next('/graphql', busy, busy, busy, busy, busy, busy);
    expect((await failure(client().request('{ viewer { scopes } }'))).limit).toBe('load');
    expect(wire.count('/graphql')).toBe(5);
  });

  test('a spent budget stays spent: nothing goes out again', async () => {
    const small = await office.delegate(rosa, { agent: 'helper', scopes, operations: 1 });
    const agent = client({ delegation: small });
    await agent.request('{ viewer { scopes } }');
    const { code, limit } = await failure(agent.request('{ viewer { scopes } }'));
    expect([code, limit, wire.count('/graphql')]).toEqual(['LIMIT_EXCEEDED', 'operations', 2]);
    wire.next('/graphql', () =>
      refusal(429, { code: 'LIMIT_EXCEEDED', limit: 'rows' }, { 'retry-after': '1' }),
    );
    expect((await failure(client().request('{ viewer { scopes } }'))).limit).toBe('rows');
    expect([wire.count('/graphql'), wire.waited]).toEqual([3, []]);
  });

  test('who no longer waits gets no answer and sends no more', async () => {
    const stop = new AbortController();
    const work = client().request('{ viewer { scopes } }', undefined, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(work).rejects.toThrow('enough');
    expect(wire.count('/graphql')).toBe(0);
  });
});

describe('an answer that is lost', () => {
  test('is asked for again where the mutation has a key: it ran once, and the answer is the first', async () => {
    const before = await messages();
    wire.next('/graphql', lost, lost);
    const { replyToTicket } = await client().request(reply, { id: office.ticketId, body: 'Once.' });
    expect(replyToTicket).toHaveProperty('message.id');
    expect([await messages(), wire.count('/graphql')]).toEqual([before + 1, 3]);
  });

  test('keeps the key of the caller', async () => {
    const variables = { id: office.ticketId, body: 'By my key.', key: 'mine' };
    const first = await client().request(reply, variables);
    expect(await client().request(reply, variables)).toEqual(first);
  });

  test('is not asked for again where something may have happened', async () => {
    const agent = client();
    const { ticketId: id } = office;
    for (const body of [
      { query: `mutation { replyToTicket(ticketId: "${id}", body: "No key.") { message { id } } }` },
      { documentId: 'sha256:unknown', variables: { id } },
    ]) {
      wire.sent.length = 0;
      wire.next('/graphql', lost);
      const work = agent.fetch(agent.endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect((await failure(work)).code).toBe('NO_ANSWER');
      wire.next('/graphql', () => new Response('proxy', { status: 503, headers: { 'retry-after': '1' } }));
      const { status } = await agent.fetch(agent.endpoint, { method: 'POST', body: JSON.stringify(body) });
      expect([status, wire.count('/graphql'), wire.waited]).toEqual([503, 2, []]);
    }
  });

  test('for good is an error, as is an answer of somebody else', async () => {
    const { code, message } = await failure(
      client({ server: `http://127.0.0.1:${String(await freePort())}` }).request('{ viewer { scopes } }'),
    );
    expect([code, message]).toEqual(['NO_ANSWER', expect.stringContaining('did not answer')]);
    const other = createServer((_, response) => response.end('<html>'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const server = `http://127.0.0.1:${String(port)}`;
    expect((await failure(client({ server }).accessToken())).code).toBe('BAD_ANSWER');
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
    wire.next('/graphql', () => new Response('<html>', { status: 200 }));
    expect((await failure(client().request('{ viewer { scopes } }'))).code).toBe('BAD_ANSWER');
  });

  test('that comes of this side is thrown as it is, at once', async () => {
    wire.next('/graphql', () => ({}) as Response);
    await expect(client().request('{ viewer { scopes } }')).rejects.toThrow(TypeError);
    expect([wire.count('/graphql'), wire.waited]).toEqual([1, []]);
  });
});
