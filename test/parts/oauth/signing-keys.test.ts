// databases: sqlite, mariadb
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock, type Clock } from '../../../src/core/clock.js';
import { makeLogger } from '../../../src/core/logger.js';
import { TextSeal } from '../../../src/core/text-seal.js';
import { SigningKeys } from '../../../src/oauth/signing/signing-keys.js';
import { all, eq } from '../../../src/store/sql/condition.js';
import { roles } from '../../../src/store/tables/identity.js';
import { ownTables } from '../../../src/store/tables/index.js';
import { signingKeys } from '../../../src/store/tables/signing-keys.js';
import type { Employee } from '../../support/administration.js';
import { CommandLine } from '../../support/command-line.js';
import { Office, type Agent } from '../../support/office.js';
import { recordsOf } from '../../support/records.js';
import { TestServer } from '../../support/server.js';
import { discover, insecure } from './browser.js';

const secret = 'a secret of a test that encrypts keys';
const settings = { BEHALF_SIGNING_KEY_SECRETS: secret };
const otherSecret = 'another secret of a test that encrypts keys';
const mediaType = 'application/token-introspection+jwt';
/** All that the servers log. */
const lines: string[] = [];
const logger = makeLogger('debug', { write: (line) => lines.push(line) });

/** The time of the servers, which a test moves on. */
let ahead = 0;
const clock: Clock = { now: () => systemClock.now() + ahead };

let office: Office;
let replica: TestServer;
let ines: Employee;
let agent: Agent;
let token: string;
let cli: CommandLine;

beforeAll(async () => {
  office = await Office.start({ clock, logger }, settings);
  replica = await TestServer.start({ clock, logger }, settings, { databaseUrl: office.server.databaseUrl });
  ines = await office.company.employee('ines', 'support-rep');
  await office.company.do(async ({ tx }) => {
    const { scopes, ...role } = await office.company.role('administrator');
    const fewer = scopes.filter((scope) => scope !== 'resource_servers:manage');
    await tx.insert(roles, [{ ...role, id: office.server.ids.next(), name: 'fewer', scopes: fewer }]);
  });
  await office.company.employee('adam', 'fewer');
  agent = await office.agent('desk', ines, 'support-agent');
  const delegation = await office.delegate(ines, { agent: agent.name, scopes: ['tickets:read'] });
  token = await office.tokenOf(agent, delegation);
  cli = await CommandLine.open({ DATABASE_URL: office.server.databaseUrl, ...settings });
});
afterAll(async () => {
  await cli.close();
  await replica.stop();
  await office.server.stop();
});

const rows = () => office.server.database.read.select(signingKeys, all());
const published = async ({ url }: { url: string }): Promise<JSONWebKeySet> => {
  const response = await fetch(`${url}/oauth/jwks`);
  expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'max-age=300']);
  return (await response.json()) as JSONWebKeySet;
};
const kidsAt = async (server: { url: string }): Promise<(string | undefined)[]> =>
  (await published(server)).keys.map(({ kid }) => kid);

async function introspected({ url }: { url: string } = office.server, accept = mediaType): Promise<Response> {
  return fetch(`${url}/oauth/introspect`, {
    method: 'POST',
    headers: {
      accept,
      authorization: `Basic ${Buffer.from(`${agent.name}:${agent.secret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ token }),
  });
}
const jwtOf = async (response: Response): Promise<string> => {
  const text = await response.text();
  if (response.headers.get('content-type') !== mediaType)
    throw new Error(`${String(response.status)} ${text}`);
  return text;
};
const kidNow = async (server?: { url: string }): Promise<string | undefined> =>
  decodeProtectedHeader(await jwtOf(await introspected(server))).kid;

describe('the server signs', () => {
  test('with one key that the first start made, encrypted, for all replicas', async () => {
    const [row, ...others] = await rows();
    expect(others).toEqual([]);
    expect(row?.sealedKey).not.toContain('"d"');
    expect(Buffer.from(row?.sealedKey ?? '', 'base64url').toString('latin1')).not.toContain('"d"');
    expect(await kidsAt(office.server)).toEqual([row?.kid]);
    expect(await kidsAt(replica)).toEqual([row?.kid]);
    for (const key of (await published(replica)).keys) expect(Object.keys(key)).not.toContain('d');
    expect(await kidNow(replica)).toBe(row?.kid);
  });

  test('introspection for a client that asks, which an independent client verifies (RFC 9701)', async () => {
    const as = await discover({ issuer: office.server.url });
    expect(as.introspection_signing_alg_values_supported).toEqual(['ES256']);
    const client: oauth.Client = { client_id: agent.name, introspection_signed_response_alg: 'ES256' };
    const asked = await oauth.introspectionRequest(as, client, oauth.ClientSecretBasic(agent.secret), token, {
      requestJwtResponse: true,
      ...insecure,
    });
    const answer = await oauth.processIntrospectionResponse(as, client, asked);
    expect(answer).toMatchObject({ active: true, sub: ines.id });
    await oauth.validateApplicationLevelSignature(as, asked, insecure);
    const unknown = await introspected({ url: office.server.url }, 'application/json');
    expect(((await unknown.json()) as { active: boolean }).active).toBe(true);
  });

  test.each(['application/json', '*/*', 'application/*', `${mediaType};q=0`])(
    'nothing for %s',
    async (accept) => {
      const response = await introspected(office.server, accept);
      expect(response.headers.get('content-type')).toContain('application/json');
    },
  );

  test('for the client that asked, as this issuer, and says so in its type', async () => {
    const jwt = await (await introspected()).text();
    const keys = createLocalJWKSet(await published(replica));
    const { payload, protectedHeader } = await jwtVerify(jwt, keys, {
      issuer: office.server.url,
      audience: agent.name,
      typ: 'token-introspection+jwt',
    });
    expect(protectedHeader.alg).toBe('ES256');
    expect(Object.keys(payload).sort()).toEqual(['aud', 'iat', 'iss', 'token_introspection']);
  });
});

describe('behalf keys rotate', () => {
  const rotate = (...more: string[]) => cli.run(['keys', 'rotate', ...more, '--as', 'root', '--json']);
  const madeIn = (kid: string) => ({ type: 'SigningKey', id: kid, before: null });

  test('publishes a new key before it signs, and the old one after, on every replica without a restart', async () => {
    const before = await kidNow();
    const signed = await (await introspected()).text();
    const { code, stdout, stderr } = await rotate();
    expect([code, stderr]).toEqual([0, '']);
    const { kid } = JSON.parse(stdout) as { kid: string };
    for (const server of [office.server, replica]) {
      expect(await kidsAt(server)).toEqual([before, kid]);
      expect(await kidNow(server)).toBe(before);
    }
    ahead = 660_000;
    token = await office.server.token(ines.id, undefined);
    for (const server of [office.server, replica]) expect(await kidNow(server)).toBe(kid);
    await jwtVerify(signed, createLocalJWKSet(await published(replica)));
    ahead += 86_400_000;
    for (const server of [office.server, replica]) expect(await kidsAt(server)).toEqual([kid]);
    const recorded = (await recordsOf(office.server.database, 'command')).at(-1);
    expect(recorded).toMatchObject({ operation: { name: 'keys rotate' }, changes: [madeIn(kid)] });
    const listed = await cli.run(['keys', 'list', '--json']);
    expect((JSON.parse(listed.stdout) as { kid: string }[]).map((one) => one.kid)).toEqual([before, kid]);
    for (const row of await rows()) expect(listed.stdout).not.toContain(row.sealedKey);
  });

  test('at once, for a key that has leaked', async () => {
    const signed = await (await introspected()).text();
    const before = await rows();
    const { stdout } = await rotate('--at-once');
    const { kid } = JSON.parse(stdout) as { kid: string };
    const gone = before.map((row) => ({ type: 'SigningKey', id: row.kid, after: null }));
    expect((await recordsOf(office.server.database, 'command')).at(-1)).toMatchObject({
      changes: [madeIn(kid), ...gone],
    });
    for (const server of [office.server, replica]) {
      expect(await kidsAt(server)).toEqual([kid]);
      expect(await kidNow(server)).toBe(kid);
    }
    await expect(jwtVerify(signed, createLocalJWKSet(await published(replica)))).rejects.toThrow();
  });

  test.each([
    ['without a person', ['keys', 'rotate']],
    ['for somebody who may not', ['keys', 'rotate', '--as', 'ines']],
    ['for somebody who manages agents, and no resource servers', ['keys', 'rotate', '--as', 'adam']],
  ])('is refused %s, and changes nothing', async (_, command) => {
    const before = await rows();
    expect((await cli.run(command)).code).not.toBe(0);
    expect(await rows()).toEqual(before);
  });

  test('is refused with a secret that does not open the key, unless all others go', async () => {
    const before = await rows();
    const env = { BEHALF_SIGNING_KEY_SECRETS: otherSecret };
    const { code, stderr } = await cli.run(['keys', 'rotate', '--as', 'root'], env);
    expect([code, stderr]).toEqual([78, expect.stringContaining('--at-once')]);
    const none = await cli.run(['keys', 'rotate', '--as', 'root'], { BEHALF_SIGNING_KEY_SECRETS: '' });
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('BEHALF_SIGNING_KEY_SECRETS')]);
    expect(await rows()).toEqual(before);
    const record = JSON.stringify((await recordsOf(office.server.database, 'command')).at(-1));
    expect(record).toContain('"failed"');
  });

  test('deletes what is published no longer, and every other key at once', async () => {
    const keys = new SigningKeys(office.server.database, clock, [secret]);
    const rotateNow = async (isAtOnce: boolean) =>
      (await office.server.database.transaction((tx) => keys.rotate(tx, isAtOnce))).made;
    const kids = async (): Promise<string[]> => (await rows()).map((row) => row.kid);
    const [first] = await kids();
    const second = await rotateNow(false);
    expect(await kids()).toEqual([first, second.kid]);
    ahead += 660_000 + 86_400_000;
    const third = await rotateNow(false);
    expect(await kids()).toEqual([second.kid, third.kid]);
    const { kid } = await rotateNow(true);
    expect(await kids()).toEqual([kid]);
  });

  test('where there is no key makes one that signs at once, also for a server whose clock is behind', async () => {
    await office.server.database.transaction((tx) => tx.delete(signingKeys, all()));
    const { kid } = JSON.parse((await rotate()).stdout) as { kid: string };
    expect(await kidNow()).toBe(kid);
    const slow: Clock = { now: () => systemClock.now() - 60_000 };
    const keys = new SigningKeys(office.server.database, slow, [secret]);
    await keys.ensure();
    expect(decodeProtectedHeader(await keys.sign({}, 'JWT')).kid).toBe(kid);
  });

  test('of two at once, each makes a key or neither harms the other', async () => {
    const keys = new SigningKeys(office.server.database, clock, [secret]);
    const before = (await rows()).length;
    const made = await Promise.allSettled(
      [1, 2].map(() => office.server.database.transaction((tx) => keys.rotate(tx, false))),
    );
    const succeeded = made.filter(({ status }) => status === 'fulfilled').length;
    expect(succeeded).toBeGreaterThan(0);
    expect(await rows()).toHaveLength(before + succeeded);
  });
});

describe('a start', () => {
  const starting = (env: Record<string, string>) =>
    TestServer.start({ clock }, env, { databaseUrl: office.server.databaseUrl });

  test('with another secret is refused, and says what to do', async () => {
    await expect(starting({ BEHALF_SIGNING_KEY_SECRETS: 'x'.repeat(32) })).rejects.toThrow('--at-once');
  });

  test('without the secret of a key that will sign soon is refused, and so is a rotation', async () => {
    const { database } = office.server;
    const newer = new SigningKeys(database, clock, [otherSecret, secret]);
    const { made } = await database.transaction((tx) => newer.rotate(tx, false));
    const before = await rows();
    await expect(starting(settings)).rejects.toThrow('--at-once');
    const keys = new SigningKeys(database, clock, [secret]);
    await expect(database.transaction((tx) => keys.rotate(tx, false))).rejects.toThrow('--at-once');
    expect(await rows()).toEqual(before);
    const server = await starting({ BEHALF_SIGNING_KEY_SECRETS: `${secret},${otherSecret}` });
    expect(await kidsAt(server)).toContain(made.kid);
    await server.stop();
    await database.transaction((tx) => tx.delete(signingKeys, eq('kid', made.kid)));
  });

  test('with a new secret before the old one goes on', async () => {
    const server = await starting({ BEHALF_SIGNING_KEY_SECRETS: `${'x'.repeat(32)},${secret}` });
    expect(await kidsAt(server)).toEqual(await kidsAt(office.server));
    await server.stop();
  });

  test('without a secret signs nothing and keeps no key', async () => {
    const server = await starting({});
    const metadata = await discover({ issuer: server.url });
    expect([metadata.jwks_uri, metadata.introspection_signing_alg_values_supported]).toEqual([
      undefined,
      undefined,
    ]);
    expect((await fetch(`${server.url}/oauth/jwks`)).status).toBe(404);
    expect((await introspected(server)).headers.get('content-type')).toContain('application/json');
    await server.stop();
  });

  test('of two replicas at the same moment makes one key', async () => {
    const { database } = office.server;
    await database.transaction((tx) => tx.delete(signingKeys, all()));
    const servers = await Promise.all([starting(settings), starting(settings)]);
    const [row, ...others] = await rows();
    expect(others).toEqual([]);
    for (const server of servers) {
      expect([await kidsAt(server), await kidNow(server)]).toEqual([[row?.kid], row?.kid]);
      await server.stop();
    }
  });
});

test('no private key stands in a table, a record, a log or an answer', async () => {
  const seal = new TextSeal([secret]);
  const { database } = office.server;
  const kept: unknown[] = [lines];
  for (const table of ownTables) kept.push(await database.read.select(table, all()));
  const text = JSON.stringify([kept, await published(office.server), await cli.run(['keys', 'list'])]);
  const keys = await rows();
  expect(keys.length).toBeGreaterThan(0);
  for (const { kid, sealedKey } of keys) {
    const opened = seal.open(JSON.stringify(['signing key', kid]), sealedKey) ?? '{}';
    const { d } = JSON.parse(opened) as { d?: string };
    expect(d).toMatch(/^[\w-]{43}$/);
    expect(text).not.toContain(d);
    expect(text).toContain(sealedKey);
  }
  expect(text).not.toContain(secret);
});
