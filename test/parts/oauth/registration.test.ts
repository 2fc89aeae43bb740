// databases: sqlite, mariadb
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { all, eq } from '../../../src/store/sql/condition.js';
import { auditRecords } from '../../../src/store/tables/audit.js';
import { clients, type ClientRow } from '../../../src/store/tables/clients.js';
import { agents } from '../../../src/store/tables/identity.js';
import { key } from '../../support/administration.js';
import { Office } from '../../support/office.js';
import { CodeFlow, discover, insecure } from './browser.js';

const back = 'https://older.example/back';
let office: Office;
let caller = 0;

beforeAll(async () => {
  office = await Office.start({}, { BEHALF_CLIENT_REGISTRATION: 'true', BEHALF_TRUSTED_PROXIES: '1' });
});
afterAll(() => office.server.stop());

interface Registered {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A registration from an address of its own, unless one is given. */
async function register(
  body: unknown,
  address = `192.0.2.${String((caller += 1))}`,
  type = 'application/json',
): Promise<Registered> {
  const response = await fetch(`${office.server.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': type, 'x-forwarded-for': address },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Registered['body'] };
}
const rows = (): Promise<ClientRow[]> => office.server.database.read.select(clients, all());
const refusals = async (): Promise<number> =>
  (await office.server.database.read.select(auditRecords, eq('kind', 'client'))).filter(
    ({ outcome }) => outcome === 'refused',
  ).length;

describe('a client that registers itself', () => {
  test('is told what it became by an independent library, waits, and can do nothing', async () => {
    const server = await discover({ issuer: office.server.url });
    const response = await oauth.dynamicClientRegistrationRequest(
      server,
      {
        ...{ client_name: 'Older assistant', redirect_uris: [back, 'older://back'] },
        ...{ token_endpoint_auth_method: 'client_secret_basic', scope: 'users:manage' },
      },
      insecure,
    );
    const client = await oauth.processDynamicClientRegistrationResponse(response);
    expect(client).toMatchObject({
      ...{ client_name: 'Older assistant', redirect_uris: [back], token_endpoint_auth_method: 'none' },
      ...{ response_types: ['code'], client_id_issued_at: expect.any(Number) as number },
    });
    expect(client.client_secret).toBeUndefined();
    const row = await office.server.database.read.one(clients, eq<ClientRow>('clientId', client.client_id));
    expect(row).toMatchObject({
      registration: 'dynamic',
      status: 'quarantined',
      agentId: null,
      scopes: null,
    });
    expect(await office.server.database.read.count(agents)).toBe(0);
    const flow = await CodeFlow.start(
      { issuer: office.server.url },
      { client_id: client.client_id, redirect_uri: back },
    );
    const page = await flow.browser.open(flow.url.href);
    expect([page.status, page.html.includes('Older assistant')]).toEqual([403, true]);
    expect(page.html).toContain('it registered itself');
    const admission = await office.change(
      office.company.root,
      'admitClient',
      `id: "${row?.id ?? ''}", expectedVersion: 1, input: { agent: { name: "${key()}", businessTask: "t", ownerId: "${office.company.root.id}" } },`,
    );
    expect(admission.errors).toEqual([]);
    const admitted = await flow.browser.open(flow.url.href);
    expect(admitted.status).toBe(200);
  });

  test('may be a program on the person’s machine', async () => {
    const programs = ['com.example.app:/back', 'http://127.0.0.1/back', 'http://[::1]/back'];
    const { status, body } = await register({ redirect_uris: [...programs, 'older:/back'] });
    expect([status, body.redirect_uris]).toEqual([201, programs]);
  });

  test.each([
    ['dpop', { dpop_bound_access_tokens: true }],
    ['certificate', { tls_client_certificate_bound_access_tokens: true }],
    ['any', { dpop_bound_access_tokens: false }],
  ])('may say that its tokens are bound (%s)', async (tokenBinding, members) => {
    const { body } = await register({ redirect_uris: [back], ...members });
    expect(body).toMatchObject(members);
    const row = await office.server.database.read.one(
      clients,
      eq<ClientRow>('clientId', String(body.client_id)),
    );
    expect(row?.tokenBinding).toBe(tokenBinding);
  });

  test.each<[string, unknown, string]>([
    ['no JSON', '{', 'invalid_client_metadata'],
    ['no object', [], 'invalid_client_metadata'],
    ['a prototype', '{"__proto__":{},"redirect_uris":["https://a.example/"]}', 'invalid_client_metadata'],
    ['no redirect URI', { client_name: 'x' }, 'invalid_client_metadata'],
    ['a script', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['plain http', { redirect_uris: ['http://older.example/'] }, 'invalid_redirect_uri'],
    ['a scheme that is no domain', { redirect_uris: ['older://back'] }, 'invalid_redirect_uri'],
    ['a text as address', { redirect_uris: ['data:text/html,x.y'] }, 'invalid_redirect_uri'],
    ['an invisible name', { client_name: 'A\u202eB', redirect_uris: [back] }, 'invalid_client_metadata'],
    ['keys elsewhere', { jwks_uri: 'https://10.0.0.1/', redirect_uris: [back] }, 'invalid_client_metadata'],
    ['the implicit flow', { response_types: ['token'], redirect_uris: [back] }, 'invalid_client_metadata'],
    [
      'a method that is none',
      { token_endpoint_auth_method: 'tls_client_auth', redirect_uris: [back] },
      'invalid_client_metadata',
    ],
    [
      'two bindings of its tokens',
      {
        ...{ dpop_bound_access_tokens: true, tls_client_certificate_bound_access_tokens: true },
        redirect_uris: [back],
      },
      'invalid_client_metadata',
    ],
    [
      'a private key',
      {
        ...{ jwks: { keys: [{ kty: 'EC', d: 'x' }] }, redirect_uris: [back] },
        token_endpoint_auth_method: 'private_key_jwt',
      },
      'invalid_client_metadata',
    ],
  ])('with %s is refused, recorded, and nobody waits', async (_what, body, error) => {
    const [before, recorded] = [await rows(), await refusals()];
    const answer = await register(body);
    expect([answer.status, answer.body.error]).toEqual([400, error]);
    expect(await rows()).toEqual(before);
    expect(await refusals()).toBe(recorded + 1);
  });

  test('with null is told what is not valid', async () => {
    const { status, body } = await register('null');
    expect([status, body.error]).toEqual([400, 'invalid_client_metadata']);
    expect(body.error_description).toMatch(/^the metadata: /);
  });

  test('with a body that is too long, or a form, is refused', async () => {
    const before = await rows();
    expect((await register({ client_name: 'x'.repeat(30_000), redirect_uris: [back] })).status).toBe(413);
    expect((await register('a=b', undefined, 'application/x-www-form-urlencoded')).status).toBe(415);
    expect(await rows()).toEqual(before);
  });
});

test('a flood of registrations is held up, and others register meanwhile', async () => {
  const before = (await rows()).length;
  const answers: Registered[] = [];
  for (let count = 0; count < 25; count += 1)
    answers.push(await register({ redirect_uris: [back] }, '198.51.100.7'));
  const held = answers.filter(({ status, body }) => status === 429 && body.error === 'slow_down');
  expect(held.length).toBeGreaterThan(0);
  expect((await rows()).length - before).toBe(25 - held.length);
  expect((await register({ redirect_uris: [back] })).status).toBe(201);
});

describe('where a thousand wait that registered themselves', () => {
  const fill = async (members: Partial<ClientRow> = {}): Promise<readonly ClientRow[]> => {
    const { body } = await register({ redirect_uris: [back] });
    const row = await office.server.database.read.one(
      clients,
      eq<ClientRow>('clientId', String(body.client_id)),
    );
    if (row === undefined) throw new Error('nobody registered');
    const many = Array.from({ length: 1_000 }, (_, at): ClientRow => {
      const id = office.server.ids.next();
      const expiresAt = new Date(Date.parse(row.createdAt) + at).toISOString();
      return { ...row, id, clientId: id, expiresAt, ...members };
    });
    await office.company.do(async ({ tx }) => {
      await tx.delete(clients, eq<ClientRow>('status', 'quarantined'));
      await tx.insert(clients, many);
    });
    return many;
  };
  const requestedAt = '2026-01-01T00:00:00.000Z';

  test('the oldest for which nobody asked gives way to a new one, with a record', async () => {
    const many = await fill();
    const [asked, oldest] = many;
    if (asked === undefined || oldest === undefined) throw new Error('nobody waits');
    await office.company.do(({ tx }) => tx.update(clients, eq('id', asked.id), { requestedAt }));
    const answer = await register({ redirect_uris: [back] });
    expect(answer.status).toBe(201);
    const left = (await rows()).filter(({ status }) => status === 'quarantined');
    const expected = [...many.filter(({ id }) => id !== oldest.id).map(({ clientId }) => clientId)];
    expect(new Set(left.map(({ clientId }) => clientId))).toEqual(
      new Set([...expected, answer.body.client_id]),
    );
    const told = (await office.server.database.read.select(auditRecords, eq('kind', 'client'))).map(
      ({ body }) => (JSON.parse(body) as { detail: { detail?: string } }).detail.detail,
    );
    expect(told).toContain(
      `client ${oldest.clientId}: forgotten, since newer ones wait and nobody asked for it`,
    );
  });

  test('many at once each find room', async () => {
    await fill();
    const answers = await Promise.all(Array.from({ length: 8 }, () => register({ redirect_uris: [back] })));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201));
    const left = await rows();
    const known = new Set(left.map(({ clientId }) => clientId));
    expect(answers.every(({ body }) => known.has(String(body.client_id)))).toBe(true);
    expect(left.filter(({ status }) => status === 'quarantined')).toHaveLength(1_000);
  });

  test('nothing gives way for which people asked', async () => {
    await fill({ requestedAt });
    const before = await rows();
    const answer = await register({ redirect_uris: [back] });
    expect([answer.status, answer.body.error]).toEqual([503, 'temporarily_unavailable']);
    expect(await rows()).toEqual(before);
  });

  // The last one: it uses up the registrations of an hour.
  test('a flood from as many addresses is held up, and leaves two records of each that gets in', async () => {
    const recorded = () => office.server.database.read.count(auditRecords, eq('kind', 'client'));
    await office.company.do(({ tx }) => tx.delete(clients, eq<ClientRow>('status', 'quarantined')));
    await fill();
    const before = await recorded();
    const answers: Registered[] = [];
    for (let block = 0; block < 14; block += 1) {
      const addresses = Array.from({ length: 15 }, (_, at) => `198.18.${String(block)}.${String(at)}`);
      const sent = addresses.map((address) => register({ redirect_uris: [back] }, address));
      answers.push(...(await Promise.all(sent)));
    }
    const held = answers.filter(({ status, body }) => status === 429 && body.error === 'slow_down');
    expect(held.length).toBeGreaterThan(0);
    const kept = answers.filter(({ status }) => status === 201);
    expect((await recorded()) - before).toBe(2 * kept.length);
  });
});
