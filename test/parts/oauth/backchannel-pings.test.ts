// databases: sqlite, mariadb
import type { Client } from 'oidc-provider';
import * as oauth from 'oauth4webapi';
import { exportJWK, generateKeyPair, type CryptoKey } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Logger } from '../../../src/core/logger.js';
import { GuardedFetch } from '../../../src/core/outgoing/guarded-fetch.js';
import { Notifications } from '../../../src/oauth/backchannel/notifications.js';
import { all } from '../../../src/store/sql/condition.js';
import { clients } from '../../../src/store/tables/clients.js';
import { oauthPayloads } from '../../../src/store/tables/identity.js';
import { serverOf } from '../../support/asking-agents.js';
import { asked, BackChannel } from '../../support/back-channel.js';
import { at, codes, key, type Employee } from '../../support/administration.js';
import { ClientHost } from '../../support/client-host.js';
import { Office } from '../../support/office.js';
import { recordsOf } from '../../support/records.js';
import type { Answer } from '../../support/server.js';
import { insecure } from './browser.js';

const createDocument = `mutation ($input: CreateClientInput!, $key: String!) {
  createClient(input: $input, idempotencyKey: $key) { client { id version clientId notificationEndpoint } } }`;
const updateDocument = `mutation ($id: ID!, $input: UpdateClientInput!, $version: Int!, $key: String!) {
  updateClient(id: $id, input: $input, expectedVersion: $version, idempotencyKey: $key) {
    client { id version clientId notificationEndpoint } } }`;
const token = 'a-token-of-the-client';

let office: Office;
let backChannel: BackChannel;
let host: ClientHost;
let ines: Employee;
let signing: CryptoKey;
let publicKeys = '';
let made = 0;
let hint = '';

beforeAll(async () => {
  host = await ClientHost.start();
  office = await Office.start({}, { BEHALF_PRIVATE_HOSTS: '127.0.0.1' });
  backChannel = new BackChannel(office);
  const pair = await generateKeyPair('ES256', { extractable: true });
  signing = pair.privateKey;
  publicKeys = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256' }] });
});
afterAll(async () => {
  host.stop();
  await office.server.stop();
});
beforeEach(async () => {
  made += 1;
  hint = `ines-${String(made)}`;
  ines = await office.company.employee(hint, 'support-rep');
});

async function create(input: object, who = office.company.root): Promise<Answer> {
  const clientId = `desk-${String((made += 1))}`;
  const roleIds = [(await office.company.role('support-agent')).id];
  const agent = { name: clientId, businessTask: 'Answer tickets', ownerId: office.company.root.id, roleIds };
  const whole = { clientId, name: 'Desk', redirectUris: ['https://desk.example/back'], publicKeys, agent };
  return office.company.ask(who, createDocument, { input: { ...whole, ...input }, key: key() });
}
interface Made {
  readonly id: string;
  readonly version: number;
  readonly clientId: string;
}
async function pinged(notificationEndpoint: string): Promise<Made> {
  const answer = await create({ notificationEndpoint });
  expect(answer.errors).toEqual([]);
  return at(answer, 'createClient.client') as Made;
}

interface Told {
  readonly authorization: string | undefined;
  readonly body: unknown;
}
/** An endpoint that answers with this status, and what it is told first. */
function listen(status: number, headers: Record<string, string> = {}): [string, Promise<Told>] {
  const path = `/told-${String((made += 1))}`;
  let tell: (told: Told) => void;
  const told = new Promise<Told>((resolve) => {
    tell = resolve;
  });
  const address = host.answer(path, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(status, headers).end();
      tell({
        authorization: request.headers.authorization,
        body: JSON.parse(Buffer.concat(chunks).toString('utf8')),
      });
    });
  });
  return [address, told];
}

/** A request of this client, by an independent library. */
async function begin({ clientId }: Made, changes: Record<string, string> = {}): Promise<string> {
  const server = await serverOf(office);
  const proof = oauth.PrivateKeyJwt({ key: signing, kid: 'one' });
  const parameters = { ...asked, login_hint: hint, client_notification_token: token, ...changes };
  const me = { client_id: clientId };
  const response = await oauth.backchannelAuthenticationRequest(server, me, proof, parameters, insecure);
  return (await oauth.processBackchannelAuthenticationResponse(server, me, response)).auth_req_id;
}
async function redeemed({ clientId }: Made, id: string): Promise<oauth.TokenEndpointResponse> {
  const server = await serverOf(office);
  const proof = oauth.PrivateKeyJwt({ key: signing, kid: 'one' });
  const me = { client_id: clientId };
  const response = await oauth.backchannelAuthenticationGrantRequest(server, me, proof, id, insecure);
  return oauth.processBackchannelAuthenticationGrantResponse(server, me, response);
}

describe('a client with a notification endpoint', () => {
  test('is told that the person has decided, with its own token, and gets its tokens', async () => {
    const [endpoint, told] = listen(204);
    const client = await pinged(endpoint);
    const id = await begin(client);
    await backChannel.allow(ines);
    expect(await told).toEqual({ authorization: `Bearer ${token}`, body: { auth_req_id: id } });
    expect(await redeemed(client, id)).toMatchObject({ scope: 'customers:read tickets:read' });
  });

  test('is told that the person refused', async () => {
    const [endpoint, told] = listen(204);
    const client = await pinged(endpoint);
    const id = await begin(client);
    const [browser, page] = await backChannel.opened(await backChannel.linkOf(ines), ines);
    await browser.submit(page, { action: 'cancel' });
    expect((await told).body).toEqual({ auth_req_id: id });
    await expect(redeemed(client, id)).rejects.toMatchObject({ error: 'access_denied' });
  });

  test.each([
    ['fails', 500, {}],
    ['leads elsewhere', 302, { location: 'http://127.0.0.1:1/' }],
  ])('that %s polls; the person notices nothing', async (_how, status, headers) => {
    const [endpoint, told] = listen(status, headers);
    const client = await pinged(endpoint);
    const id = await begin(client);
    expect((await backChannel.allow(ines)).html).toContain('The agent goes on');
    await told;
    expect((await redeemed(client, id)).access_token).toEqual(expect.any(String));
  });

  test('must give a token, of which the database and the records have nothing readable', async () => {
    const [endpoint] = listen(204);
    const client = await pinged(endpoint);
    for (const wrong of ['', 'two words', 'x'.repeat(1_025)])
      await expect(begin(client, { client_notification_token: wrong })).rejects.toMatchObject({
        error: 'invalid_request',
      });
    const id = await begin(client);
    const { database } = office.server;
    const stored = JSON.stringify([
      await database.read.select(oauthPayloads, all()),
      await recordsOf(database, 'token'),
    ]);
    for (const secret of [id, token]) expect(stored).not.toContain(secret);
  });

  test('is one with keys, of an administrator’s choice', async () => {
    const rows = () => office.server.database.read.select(clients, all());
    const before = await rows();
    const https = 'https://desk.example/told';
    const rejected = [
      { notificationEndpoint: https, publicKeys: null },
      { notificationEndpoint: 'http://desk.example/told' },
      { notificationEndpoint: 'https://a:b@desk.example/told' },
      { notificationEndpoint: `${https}#part` },
    ];
    for (const input of rejected) expect(codes(await create(input))).toEqual(['BAD_USER_INPUT']);
    // Nobody else sees that there is such a mutation.
    expect(new Set(codes(await create({ notificationEndpoint: https }, ines)))).toEqual(
      new Set(['BAD_USER_INPUT']),
    );
    expect(await rows()).toEqual(before);

    const client = await pinged(https);
    const change = ({ id, version }: Made, notificationEndpoint: string | null) =>
      office.company.ask(office.company.root, updateDocument, {
        ...{ id, version, key: key() },
        input: { notificationEndpoint },
      });
    const changed = at(await change(client, null), 'updateClient.client') as Made;
    expect(changed).toMatchObject({ notificationEndpoint: null });
    expect(at(await change(changed, https), 'updateClient.client.notificationEndpoint')).toBe(https);
  });
});

describe('a notification is not sent', () => {
  /** Why there was none. */
  async function warning(endpoint: string, privateHosts: readonly string[] = []): Promise<unknown> {
    let warn: (fact: { readonly why: string }) => void;
    const warned = new Promise<{ readonly why: string }>((resolve) => {
      warn = resolve;
    });
    const logger = { warn: (fact: { readonly why: string }) => warn(fact) } as unknown as Logger;
    const outgoing = new GuardedFetch({ allowHttp: false, privateHosts });
    const notifications = new Notifications({ outgoing, logger, keys: ['k'.repeat(32)] });
    const known = { clientId: 'desk', behalf_notification_endpoint: endpoint } as unknown as Client;
    const sealed = notifications.sealed('request', 'id', token);
    notifications.tell(known, { request: 'request', person: null, ...sealed });
    return (await warned).why;
  }

  test.each([
    ['https://127.0.0.1/told', 'the host is not on the public internet'],
    ['https://[::ffff:127.0.0.1]/told', 'the host is not on the public internet'],
    ['https://2130706433/told', 'the host is not on the public internet'],
    ['https://169.254.169.254/latest', 'the host is not on the public internet'],
    ['https://localhost/told', 'the host is not on the public internet'],
    ['http://desk.example/told', 'the URL is without https'],
  ])('to %s', async (endpoint, why) => {
    expect(await warning(endpoint)).toBe(why);
  });

  test('anywhere else than to where its client is told', async () => {
    const [endpoint, told] = listen(302, { location: host.address('/elsewhere') });
    expect(await warning(endpoint, ['127.0.0.1'])).toBe('it answered with a redirect');
    await told;
    expect(host.asked).not.toContain('/elsewhere');
  });

  test('for another request than the one for which it was sealed, or with other keys', () => {
    const warned: unknown[] = [];
    const logger = { warn: (fact: unknown) => warned.push(fact) } as unknown as Logger;
    const outgoing = new GuardedFetch({ allowHttp: false, privateHosts: [] });
    const made = (secret: string) => new Notifications({ outgoing, logger, keys: [secret.repeat(32)] });
    const known = {
      clientId: 'desk',
      behalf_notification_endpoint: 'https://desk.example/',
    } as unknown as Client;
    const { notice } = made('k').sealed('request', 'id', token);
    made('k').tell(known, { request: 'another', person: null, notice });
    made('l').tell(known, { request: 'request', person: null, notice });
    expect(warned).toHaveLength(2);
  });
});
