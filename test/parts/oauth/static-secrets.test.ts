// databases: sqlite, mariadb
import { exportJWK, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createAgent } from '../../../src/admin/agents.js';
import { hashClientSecret } from '../../../src/core/client-secrets.js';
import { giveAgentRole } from '../../../src/admin/assignments.js';
import { loadDemoCompany } from '../../../src/demo/load-demo-company.js';
import { all } from '../../../src/store/sql/condition.js';
import { agents, agentSecrets, oauthPayloads } from '../../../src/store/tables/identity.js';
import { resourceServers } from '../../../src/store/tables/resource-servers.js';
import { at, codes, type Employee } from '../../support/administration.js';
import { CommandLine } from '../../support/command-line.js';
import { Office, type Agent } from '../../support/office.js';
import { recordsOf } from '../../support/records.js';
import { discover, insecure } from './browser.js';
import { secretsAllowed } from '../../support/secrets-allowed.js';

let office: Office;
let ines: Employee;
/** Got its secret before secrets were refused. */
let old: Agent;
let delegation: string;
let keys: Awaited<ReturnType<typeof generateKeyPair>>;
let cli: CommandLine;

beforeAll(async () => {
  office = await Office.start({}, { BEHALF_STATIC_SECRETS: 'off' });
  ines = await office.company.employee('ines', 'support-rep');
  old = await office.agent('old', ines, 'support-agent');
  delegation = await office.delegate(ines, { agent: old.name, scopes: ['tickets:read'] });
  keys = await generateKeyPair('ES256', { extractable: true });
  await office.company.do(async (unit) => {
    const publicKeys = JSON.stringify({ keys: [await exportJWK(keys.publicKey)] });
    const of = { displayName: 'Signer', businessTask: 'Sign', ownerId: ines.id, publicKeys };
    const { agent } = await createAgent(unit, { name: 'signer', ...of }, secretsAllowed);
    await giveAgentRole(unit, agent, await office.company.role('support-agent'), null);
  });
  cli = await CommandLine.open({ DATABASE_URL: office.server.databaseUrl, BEHALF_STATIC_SECRETS: 'off' });
});
afterAll(async () => {
  await cli.close();
  await office.server.stop();
});

const stored = async (): Promise<unknown> => {
  const { read } = office.server.database;
  return Promise.all([
    read.select(agents, all()),
    read.select(agentSecrets, all()),
    read.select(oauthPayloads, all()),
  ]);
};
let before: unknown;
beforeEach(async () => {
  before = await stored();
});

const details = JSON.stringify([{ type: 'behalf_delegation' }]);

test.each(['/oauth/token', '/oauth/introspect', '/oauth/revoke'])(
  'secrets are refused at %s, right and wrong ones alike',
  async (path) => {
    const form = { grant_type: 'client_credentials', authorization_details: details, token: 'x'.repeat(43) };
    const answers = [
      await office.post(path, form, old),
      await office.post(path, form, { ...old, secret: 'wrong' }),
      await office.post(path, { ...form, client_id: old.name, client_secret: old.secret }),
    ];
    for (const { status, body } of answers) {
      expect([status, body.error]).toEqual([401, 'invalid_client']);
      expect(body.error_description).toContain('BEHALF_STATIC_SECRETS');
    }
    expect(await stored()).toEqual(before);
    if (path === '/oauth/token') {
      const record = (await recordsOf(office.server.database, 'token')).at(-1);
      expect(JSON.stringify(record)).toContain('invalid_client');
    }
  },
);

test('the metadata offers no secret, and an agent with a key gets its token', async () => {
  const as = await discover({ issuer: office.server.url });
  for (const methods of [
    as.token_endpoint_auth_methods_supported,
    as.introspection_endpoint_auth_methods_supported,
    as.revocation_endpoint_auth_methods_supported,
  ]) {
    expect(methods).toContain('private_key_jwt');
    expect(methods?.filter((method) => method.startsWith('client_secret'))).toEqual([]);
  }
  const task = await office.delegate(ines, { agent: 'signer', scopes: ['tickets:read'] });
  const client: oauth.Client = { client_id: 'signer' };
  const response = await oauth.clientCredentialsGrantRequest(
    as,
    client,
    oauth.PrivateKeyJwt(keys.privateKey),
    { authorization_details: JSON.stringify([{ type: 'behalf_delegation', delegation: task }]) },
    insecure,
  );
  expect((await oauth.processClientCredentialsResponse(as, client, response)).access_token).toBeDefined();
});

test('no mutation makes a secret', async () => {
  const { root } = office.company;
  const input = `name: "new", displayName: "N", businessTask: "t", ownerId: "${ines.id}"`;
  const made = await office.change(root, 'createAgent', `input: { ${input} }`, 'secret');
  const rotated = await office.change(
    root,
    'rotateAgentSecret',
    `id: "${old.id}" overlapSeconds: 0`,
    'secret',
  );
  const resource = 'name: "desk", identifier: "https://desk.example/mcp", scopes: ["tickets:read"]';
  const server = await office.change(root, 'addResourceServer', `input: { ${resource} }`, 'secret');
  for (const answer of [made, rotated, server]) {
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
    expect(answer.errors[0]?.message).toContain('BEHALF_STATIC_SECRETS');
  }
  expect(await stored()).toEqual(before);
});

test('no command makes a secret', async () => {
  const create = ['agent', 'create', 'new', '--task', 't', '--owner', 'ines', '--as', 'root'];
  const refused = [
    await cli.run(create),
    await cli.run(['agent', 'rotate-secret', old.name, '--yes', '--as', 'root']),
    await cli.run([
      ...['resource', 'add', 'desk', '--identifier', 'https://desk.example/mcp'],
      ...['--scope', 'tickets:read', '--as', 'root'],
    ]),
  ];
  for (const { code, stderr } of refused)
    expect([code, stderr]).toEqual([1, expect.stringContaining('BEHALF_STATIC_SECRETS')]);
  const half = await cli.run([...create, '--issuer', 'https://cluster.example']);
  expect([half.code, half.stderr]).toEqual([1, expect.stringContaining('say both')]);
  expect(await stored()).toEqual(before);
  const workload = ['--issuer', 'https://cluster.example', '--subject', 'desk', '--json'];
  const made = await cli.run([...create, ...workload]);
  expect([made.code, made.stderr]).toEqual([0, '']);
  expect(made.stdout).not.toContain('secret');
});

test('the demo company, whose agents have secrets, is not loaded', async () => {
  const { database, clock, ids } = office.server;
  const rules = { ...secretsAllowed, staticSecrets: false };
  await expect(loadDemoCompany(database, { clock, ids, rules })).rejects.toThrow('BEHALF_STATIC_SECRETS=on');
  expect(await stored()).toEqual(before);
});

test('a report says which agents and resource servers still have a secret, and since when', async () => {
  const row = { id: office.server.ids.next(), name: 'mcp', identifier: 'https://mcp.example/mcp' };
  const added = '2026-01-02T03:04:05.678Z';
  const more = { scopes: ['tickets:read'], jwks: null, createdAt: added, version: 1 };
  const keyed = { id: office.server.ids.next(), name: 'signing', identifier: 'https://sign.example/' };
  await office.server.database.transaction((tx) =>
    tx.insert(resourceServers, [
      { ...row, ...more, authMethod: 'client_secret_basic', secretHash: hashClientSecret('secret') },
      { ...keyed, ...more, authMethod: 'private_key_jwt', secretHash: null },
    ]),
  );
  const [secret] = await office.server.database.read.select(agentSecrets, all());
  const since = secret?.createdAt;
  const reported = await cli.run(['agent', 'secrets', '--json']);
  expect(JSON.parse(reported.stdout)).toEqual([
    { kind: 'agent', name: 'old', owner: 'ines', status: 'active', secrets: 1, since },
    { ...{ kind: 'resource server', name: 'mcp', owner: null, status: 'active', secrets: 1 }, since: added },
  ]);
  expect((await cli.run(['agent', 'secrets'])).stdout).toMatch(/resource server +mcp/);
  const query = '{ agents(filter: { authMethod: CLIENT_SECRET_BASIC }) { nodes { name secretSince } } }';
  const answer = await office.company.ask(office.company.root, query);
  expect(at(answer, 'agents.nodes')).toEqual([{ name: 'old', secretSince: since }]);
  const everyone = await office.company.ask(office.company.root, '{ agents { nodes { name secretSince } } }');
  expect(at(everyone, 'agents.nodes')).toContainEqual({ name: 'signer', secretSince: null });
  expect(delegation).toBeDefined();
});
