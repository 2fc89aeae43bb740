// databases: sqlite, mariadb
import { randomUUID } from 'node:crypto';
import { generateKeyPair, type JWTPayload } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { addGrantable } from '../../../src/admin/assignments.js';
import { agents, agentSecrets, oauthPayloads } from '../../../src/store/tables/identity.js';
import { all, eq } from '../../../src/store/sql/condition.js';
import { at, codes, type Employee } from '../../support/administration.js';
import { CommandLine } from '../../support/command-line.js';
import { Office, type Agent, type TokenAnswer } from '../../support/office.js';
import { auditText, recordsOf } from '../../support/records.js';
import { TestIssuers, type TestIssuer } from '../../support/token-issuers.js';
import { insecure } from './browser.js';

const bearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const spiffe = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe';
const subject = 'system:serviceaccount:support:helpdesk';

let office: Office;
let issuers: TestIssuers;
let cluster: TestIssuer;
let otherCluster: TestIssuer;
let github: TestIssuer;
let domain: TestIssuer;
let ines: Employee;
/** Acts in the cluster, on GitHub and in a trust domain. */
let agent: Agent;
let delegation: string;

const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const pod = { namespace: 'support', serviceaccount: { name: 'helpdesk', uid: 'u1' } };

/** What a Kubernetes service account's token says (TokenRequest API, without `typ`). */
const inCluster = (claims: JWTPayload = {}): JWTPayload => ({
  iss: cluster.url,
  sub: subject,
  aud: office.server.url,
  iat: nowSeconds(),
  exp: nowSeconds() + 600,
  jti: randomUUID(),
  'kubernetes.io': pod,
  ...claims,
});
const without = (name: string): JWTPayload =>
  Object.fromEntries(Object.entries(inCluster()).filter(([claim]) => claim !== name));

const bind = (id: string, workloads: string, who: { token: string } = office.company.root) =>
  office.change(
    who,
    'setAgentWorkloads',
    `id: "${id}" workloads: [${workloads}]`,
    'agent { authMethod } endedCount',
  );
const kubernetes = (more = ''): string =>
  `{ issuer: "${cluster.url}", subject: "${subject}",
     claims: [{ name: "/kubernetes.io/serviceaccount/uid", value: "u1" }] ${more} }`;

beforeAll(async () => {
  [office, issuers] = await Promise.all([
    Office.start({}, { BEHALF_PRIVATE_HOSTS: '127.0.0.1' }),
    TestIssuers.start(),
  ]);
  cluster = await issuers.add('cluster');
  otherCluster = await issuers.add('other-cluster');
  github = await issuers.add('github');
  domain = await issuers.add('domain');
  ines = await office.company.employee('ines', 'support-rep');
  agent = await office.agent('helpdesk', ines, 'support-agent');
  const answer = await bind(
    agent.id,
    `${kubernetes()}
     { issuer: "${github.url}", subject: "repo:acme/desk:ref:refs/heads/main",
       claims: [{ name: "workflow", value: "triage" }] }
     { issuer: "spiffe://acme.example", subject: "spiffe://acme.example/desk", keysUri: "${domain.url}/jwks", reusable: true }`,
  );
  expect(codes(answer)).toEqual([]);
  delegation = await office.delegate(ines, { agent: agent.name, scopes: ['tickets:read'] });
});
afterAll(() => Promise.all([issuers.stop(), office.server.stop()]));

const details = (): string => JSON.stringify([{ type: 'behalf_delegation', delegation }]);
const request = (assertion: string, form: Record<string, string> = {}): Promise<TokenAnswer> =>
  office.post('/oauth/token', {
    grant_type: 'client_credentials',
    authorization_details: details(),
    client_id: agent.name,
    client_assertion_type: bearer,
    client_assertion: assertion,
    ...form,
  });
const works = async (token: string): Promise<boolean> =>
  (await office.company.ask({ token }, '{ tickets { nodes { id } } }')).errors.length === 0;
const lastRecord = async () => (await recordsOf(office.server.database, 'token')).at(-1);

describe('a workload is an agent', () => {
  test('through an independent client, at every endpoint that knows clients', async () => {
    const as = await oauth
      .discoveryRequest(new URL(office.server.url), { algorithm: 'oauth2', ...insecure })
      .then((response) => oauth.processDiscoveryResponse(new URL(office.server.url), response));
    const client: oauth.Client = { client_id: agent.name };
    const assertion = async (): Promise<oauth.ClientAuth> => {
      const jwt = await cluster.sign(inCluster({ aud: as.token_endpoint ?? '' }), { typ: undefined });
      return (_as, { client_id: id }, body) => {
        body.set('client_id', id);
        body.set('client_assertion_type', bearer);
        body.set('client_assertion', jwt);
      };
    };
    const parameters = { authorization_details: details() };
    const response = await oauth.clientCredentialsGrantRequest(
      as,
      client,
      await assertion(),
      parameters,
      insecure,
    );
    const { access_token: token } = await oauth.processClientCredentialsResponse(as, client, response);
    expect(await works(token)).toBe(true);
    const asked = await oauth.introspectionRequest(as, client, await assertion(), token, insecure);
    expect(await oauth.processIntrospectionResponse(as, client, asked)).toMatchObject({
      active: true,
      sub: ines.id,
    });
    const ended = await oauth.revocationRequest(as, client, await assertion(), token, insecure);
    await oauth.processRevocationResponse(ended);
    expect(await works(token)).toBe(false);
  });

  test('and its record says which workload it was', async () => {
    const claims = inCluster();
    expect((await request(await cluster.sign(claims))).status).toBe(200);
    const record = await lastRecord();
    expect(record).toMatchObject({ outcome: 'succeeded' });
    expect(JSON.stringify(record)).toContain(`iss ${cluster.url}, sub ${subject}, jti ${claims.jti ?? ''}`);
  });

  test('on GitHub Actions', async () => {
    const claims = { iss: github.url, sub: 'repo:acme/desk:ref:refs/heads/main', workflow: 'triage' };
    expect((await request(await github.sign(inCluster(claims), { typ: 'JWT' }))).status).toBe(200);
  });

  test('in a trust domain of SPIFFE, whose JWT-SVID has no issuer and is used again', async () => {
    const { iss: _, jti: __, ...claims } = inCluster({ sub: 'spiffe://acme.example/desk' });
    const svid = await domain.sign(claims);
    for (const type of [spiffe, bearer, spiffe])
      expect((await request(svid, { client_assertion_type: type })).status).toBe(200);
  });

  test('no token of the workload is stored or recorded', async () => {
    const assertion = await cluster.sign(inCluster());
    await request(assertion);
    await request(assertion);
    const [, payload = '', signature = ''] = assertion.split('.');
    const stored = JSON.stringify(await office.server.database.read.select(oauthPayloads, all()));
    for (const text of [stored, await auditText(office.server.database)]) {
      expect(text).not.toContain(payload);
      expect(text).not.toContain(signature);
    }
  });
});

describe('is refused, recorded, and gets nothing:', () => {
  let tokensBefore: number;
  const tokens = async (): Promise<number> =>
    (await office.server.database.read.select(oauthPayloads, eq('model', 'AccessToken'))).length;
  beforeEach(async () => {
    tokensBefore = await tokens();
  });

  const unproven = 'is not signed by the issuer of a workload that is bound';
  const attacks: Record<string, [attempt: () => Promise<TokenAnswer>, reason: string]> = {
    'another subject': [
      async () => request(await cluster.sign(inCluster({ sub: `${subject}2` }))),
      'claim sub',
    ],
    'a subject in other case': [
      async () => request(await cluster.sign(inCluster({ sub: subject.toUpperCase() }))),
      'claim sub',
    ],
    'no subject': [async () => request(await cluster.sign(without('sub'))), 'claim sub'],
    'another cluster': [
      async () => request(await otherCluster.sign(inCluster({ iss: otherCluster.url }))),
      unproven,
    ],
    'another cluster in the name of this one': [
      async () => request(await otherCluster.sign(inCluster())),
      unproven,
    ],
    'a key of nobody': [
      async () => request(await cluster.sign(inCluster(), {}, (await generateKeyPair('ES256')).privateKey)),
      unproven,
    ],
    'a secret key': [
      async () => request(await cluster.sign(inCluster(), { alg: 'HS256' }, new Uint8Array(32))),
      unproven,
    ],
    'another audience': [
      async () => request(await cluster.sign(inCluster({ aud: 'kubernetes' }))),
      'claim aud',
    ],
    'an audience beside ours': [
      async () => request(await cluster.sign(inCluster({ aud: [office.server.url, 'vault'] }))),
      'claim aud',
    ],
    'the resource as audience': [
      async () => request(await cluster.sign(inCluster({ aud: `${office.server.url}/graphql` }))),
      'claim aud',
    ],
    'no audience': [async () => request(await cluster.sign(without('aud'))), 'claim aud'],
    'no end': [async () => request(await cluster.sign(without('exp'))), 'exp'],
    'an end in the past': [
      async () => request(await cluster.sign(inCluster({ exp: nowSeconds() - 60 }))),
      'exp',
    ],
    'an end too far away': [
      async () => request(await cluster.sign(inCluster({ exp: nowSeconds() + 7_200 }))),
      'lasts',
    ],
    'a long life near its end': [
      async () => request(await cluster.sign(inCluster({ iat: nowSeconds() - 86_400 }))),
      'lasts',
    ],
    'a beginning in the future': [
      async () => request(await cluster.sign(inCluster({ iat: nowSeconds() + 300 }))),
      'claim iat',
    ],
    'a use in the future': [
      async () => request(await cluster.sign(inCluster({ nbf: nowSeconds() + 300 }))),
      'nbf',
    ],
    'another service account of the same name': [
      async () =>
        request(
          await cluster.sign(
            inCluster({ 'kubernetes.io': { ...pod, serviceaccount: { name: 'helpdesk', uid: 'u2' } } }),
          ),
        ),
      'claim /kubernetes.io/serviceaccount/uid',
    ],
    'a claim that is no text': [
      async () =>
        request(await cluster.sign(inCluster({ 'kubernetes.io': { serviceaccount: { uid: ['u1'] } } }))),
      'claim /kubernetes.io/serviceaccount/uid',
    ],
    'another workflow of the repository': [
      async () =>
        request(
          await github.sign(
            inCluster({ iss: github.url, sub: 'repo:acme/desk:ref:refs/heads/main', workflow: 'deploy' }),
          ),
        ),
      'claim workflow',
    ],
    'another kind of JWT': [
      async () => request(await cluster.sign(inCluster(), { typ: 'secevent+jwt' })),
      'header typ',
    ],
    'no agent': [async () => request(await cluster.sign(inCluster()), { client_id: '' }), 'client_id'],
    'an agent that nobody knows': [
      async () => request(await cluster.sign(inCluster()), { client_id: 'nobody' }),
      unproven,
    ],
    'an agent with a secret': [
      async () => {
        const other = await office.agent(`other-${randomUUID()}`, ines, 'support-agent');
        return request(await cluster.sign(inCluster()), { client_id: other.name });
      },
      unproven,
    ],
    'a replay': [
      async () => {
        const assertion = await cluster.sign(inCluster());
        expect((await request(assertion)).status).toBe(200);
        tokensBefore += 1;
        return request(assertion);
      },
      'used before',
    ],
    'a replay without an id': [
      async () => {
        const assertion = await cluster.sign(without('jti'));
        expect((await request(assertion)).status).toBe(200);
        tokensBefore += 1;
        return request(assertion);
      },
      'used before',
    ],
    'a text that is no JWT': [() => request('a.b.c', { client_assertion_type: spiffe }), 'no signed JWT'],
    'an assertion that is too long': [
      async () => request(await cluster.sign(inCluster({ filler: 'x'.repeat(17_000) }))),
      'longer than',
    ],
  };

  test.each(Object.entries(attacks))('%s', async (_, [attempt, reason]) => {
    const answer = await attempt();
    expect(answer.body).toMatchObject({ error: 'invalid_client' });
    expect(answer.status).toBe(401);
    expect(answer.body.error_description).toContain(reason);
    expect(await tokens()).toBe(tokensBefore);
    const record = JSON.stringify(await lastRecord());
    expect(record).toContain('invalid_client');
    expect(record).toContain(reason);
  });

  test('an assertion of the agent’s own, as its keys are not known outside', async () => {
    const claims = { ...inCluster(), iss: agent.name, sub: agent.name };
    for (const header of [{}, { kid: undefined }])
      expect((await request(await cluster.sign(claims, header))).body.error).toBe('invalid_client');
    expect(await tokens()).toBe(tokensBefore);
  });

  test('an assertion beside a secret', async () => {
    const answer = await request(await cluster.sign(inCluster()), { client_secret: 'secret' });
    expect(answer.body.error).toBe('invalid_request');
    expect(await tokens()).toBe(tokensBefore);
  });

  test('of many uses at once all but one', async () => {
    const assertion = await cluster.sign(inCluster());
    const answers = await Promise.all(Array.from({ length: 8 }, () => request(assertion)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('a stopped agent', async () => {
    await office.done(office.company.root, 'stopAgent', `id: "${agent.id}"`);
    const { body } = await request(await cluster.sign(inCluster()));
    await office.done(office.company.root, 'startAgent', `id: "${agent.id}"`);
    expect(body.error).toBe('invalid_client');
    expect(await tokens()).toBe(tokensBefore);
  });
});

test('keys that cannot be read have the answer of an issuer that is not bound; the record knows better', async () => {
  const down = await issuers.add('down');
  down.status = 500;
  const one = await office.agent('unlucky', ines, 'support-agent');
  await bind(one.id, `{ issuer: "${down.url}", subject: "${subject}" }`);
  const token = await down.sign(inCluster({ iss: down.url }));
  const answer = await request(token, { client_id: one.name });
  expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
  expect(JSON.stringify((await recordsOf(office.server.database, 'token')).at(-1))).toContain(
    'the keys of the issuer cannot be read',
  );
  const other = await office.agent('unbound', ines, 'support-agent');
  expect(await request(await down.sign(inCluster({ iss: down.url })), { client_id: other.name })).toEqual(
    answer,
  );
  const nobody = { client_id: 'nobody' };
  expect(await request(await down.sign(inCluster({ iss: down.url })), nobody)).toEqual(answer);
});

test('keys in the own network are not asked for, unless the operator names the host', async () => {
  const one = await office.agent('inside', ines, 'support-agent');
  const inside = { issuer: 'https://10.0.0.1', subject };
  await bind(one.id, `{ issuer: "${inside.issuer}", subject: "${subject}" }`);
  const answer = await request(await cluster.sign(inCluster({ iss: inside.issuer })), {
    client_id: one.name,
  });
  expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
});

describe('behalf agent bind-workload', () => {
  const binding = (name: string, ...more: string[]): string[] => [
    ...['agent', 'bind-workload', name, '--issuer', cluster.url, '--subject', subject],
    ...['--claim', '/kubernetes.io/namespace=support', ...more, '--as', 'root', '--json'],
  ];
  let cli: CommandLine;
  beforeAll(async () => {
    cli = await CommandLine.open({ DATABASE_URL: office.server.databaseUrl });
  });
  afterAll(() => cli.close());

  test('binds one workload, keeps others where asked, and is recorded', async () => {
    const one = await office.agent('by-command', ines, 'support-agent');
    const id = await office.delegate(ines, { agent: one.name, scopes: ['tickets:read'] });
    const authorization_details = JSON.stringify([{ type: 'behalf_delegation', delegation: id }]);
    const asked = async () =>
      request(await cluster.sign(inCluster()), { client_id: one.name, authorization_details });
    const dry = await cli.run(binding(one.name, '--dry-run'));
    expect([dry.code, (await asked()).body.error]).toEqual([0, 'invalid_client']);
    const bound = await cli.run(binding(one.name));
    expect(JSON.parse(bound.stdout)).toEqual({ name: one.name, issuer: cluster.url, subject, ended: [] });
    expect((await asked()).status).toBe(200);
    const more = await cli.run(binding(one.name, '--subject', 'another', '--keep'));
    expect([more.code, more.stderr]).toEqual([0, '']);
    expect((await asked()).status).toBe(200);
    const row = await office.server.database.read.byId(agents, one.id);
    expect(row?.workloads?.map((workload) => workload.subject)).toEqual([subject, 'another']);
    const record = (await recordsOf(office.server.database, 'command')).at(-1);
    expect(JSON.stringify(record)).toContain('agent bind-workload');
  });

  test.each([
    ['without TLS', ['--issuer', 'http://c.example'], 'https://'],
    ['with a claim that is checked anyway', ['--claim', 'aud=x'], 'checked anyway'],
    ['with a claim without a value', ['--claim', 'aud'], 'claim=value'],
  ])('refuses one %s, and changes nothing', async (_, options, reason) => {
    const before = await office.server.database.read.byId(agents, agent.id);
    const refused = await cli.run(binding(agent.name, ...options));
    expect([refused.code, refused.stderr]).toEqual([expect.any(Number), expect.stringContaining(reason)]);
    expect(refused.code).not.toBe(0);
    expect(await office.server.database.read.byId(agents, agent.id)).toEqual(before);
  });
});

describe('binding a workload', () => {
  const shown =
    '{ agent(id: $id) { authMethod workloads { issuer subject keysUri reusable claims { name value } } } }';
  const read = async (id: string) =>
    at(await office.company.ask(office.company.root, `query ($id: ID!) ${shown}`, { id }), 'agent');

  test('ends the secret and the tokens before, and a new secret ends the binding', async () => {
    const one = await office.agent('changing', ines, 'support-agent');
    const id = await office.delegate(ines, { agent: one.name, scopes: ['tickets:read'] });
    const token = await office.tokenOf(one, id);
    expect(await works(token)).toBe(true);
    expect(at(await bind(one.id, kubernetes('reusable: true')), 'setAgentWorkloads')).toEqual({
      agent: { authMethod: 'WORKLOAD_JWT' },
      endedCount: 0,
    });
    expect(await read(one.id)).toEqual({
      authMethod: 'WORKLOAD_JWT',
      workloads: [
        {
          ...{ issuer: cluster.url, subject, keysUri: null, reusable: true },
          claims: [{ name: '/kubernetes.io/serviceaccount/uid', value: 'u1' }],
        },
      ],
    });
    expect(await works(token)).toBe(false);
    expect((await office.requestToken(one, id)).body.error).toBe('invalid_client');
    const assertion = await cluster.sign(inCluster());
    const form = {
      client_id: one.name,
      authorization_details: JSON.stringify([{ type: 'behalf_delegation', delegation: id }]),
    };
    for (const _ of [1, 2]) expect((await request(assertion, form)).status).toBe(200);
    const args = `id: "${one.id}" overlapSeconds: 3600`;
    await office.done(office.company.root, 'rotateAgentSecret', args);
    expect((await request(assertion, form)).body.error).toBe('invalid_client');
    expect(await read(one.id)).toEqual({ authMethod: 'CLIENT_SECRET_BASIC', workloads: null });
  });

  test('comes with a new agent, which then has no secret', async () => {
    const input = `name: "born-bound", displayName: "B", businessTask: "t", ownerId: "${ines.id}", workloads: [${kubernetes()}]`;
    const answer = await office.change(
      office.company.root,
      'createAgent',
      `input: { ${input} }`,
      'secret agent { id authMethod }',
    );
    const made = at(answer, 'createAgent') as { secret: null; agent: { id: string; authMethod: string } };
    expect(made).toMatchObject({ secret: null, agent: { authMethod: 'WORKLOAD_JWT' } });
    const secrets = await office.server.database.read.select(agentSecrets, eq('agentId', made.agent.id));
    expect(secrets).toEqual([]);
  });

  test('is for those who may grant all that the agent holds', async () => {
    const lead = await office.company.employee('lead', 'administrator');
    const before = await office.server.database.read.byId(agents, agent.id);
    expect(codes(await bind(agent.id, kubernetes(), lead))).toEqual(['FORBIDDEN']);
    expect(codes(await bind(agent.id, kubernetes(), ines))).not.toEqual([]);
    expect(await office.server.database.read.byId(agents, agent.id)).toEqual(before);
    const row = await office.server.database.read.byId(agents, agent.id);
    expect(row?.authMethod).toBe('workload_jwt');
    await office.company.do(async (unit) =>
      addGrantable(unit, lead.id, [await office.company.role('support-agent')]),
    );
  });

  test.each([
    ['none', ''],
    ['an issuer that is no URL', '{ issuer: "cluster", subject: "s" }'],
    ['an issuer without TLS', '{ issuer: "http://cluster.example", subject: "s" }'],
    ['keys without TLS', '{ issuer: "https://c.example", subject: "s", keysUri: "http://c.example/jwks" }'],
    ['no subject', '{ issuer: "https://c.example", subject: "" }'],
    [
      'a trust domain without keys',
      '{ issuer: "spiffe://acme.example", subject: "spiffe://acme.example/a" }',
    ],
    [
      'a subject of another trust domain',
      '{ issuer: "spiffe://acme.example", subject: "spiffe://acme.example.org/a", keysUri: "https://a.example/k" }',
    ],
    [
      'a claim twice',
      '{ issuer: "https://c.example", subject: "s", claims: [{ name: "a", value: "b" }, { name: "a", value: "c" }] }',
    ],
    [
      'a claim that is checked anyway',
      '{ issuer: "https://c.example", subject: "s", claims: [{ name: "aud", value: "b" }] }',
    ],
    [
      'a pointer that is none',
      '{ issuer: "https://c.example", subject: "s", claims: [{ name: "/a~2", value: "b" }] }',
    ],
    [
      'two addresses of one issuer’s keys',
      '{ issuer: "https://c.example", subject: "s" } { issuer: "https://c.example", subject: "t", keysUri: "https://c.example/k" }',
    ],
    ['eleven', '{ issuer: "https://c.example", subject: "s" }'.repeat(11)],
  ])('refuses %s, and changes nothing', async (_, workloads) => {
    const before = await office.server.database.read.byId(agents, agent.id);
    expect(codes(await bind(agent.id, workloads))).toEqual(['BAD_USER_INPUT']);
    expect(await office.server.database.read.byId(agents, agent.id)).toEqual(before);
  });
});
