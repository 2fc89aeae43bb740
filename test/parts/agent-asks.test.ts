// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { giveAgentRole } from '../../src/admin/assignments.js';
import { createAgent } from '../../src/admin/agents.js';
import { sha256 } from '../../src/core/digest.js';
import { parsePayload } from '../../src/oauth/library/payload-adapter.js';
import { all, eq, not } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import {
  agents,
  consents,
  delegations,
  oauthPayloads,
  type DelegationRow,
  type OAuthPayloadRow,
} from '../../src/store/tables/identity.js';
import { withPassword } from '../support/account.js';
import { at, codes, key, type Employee } from '../support/administration.js';
import { given, Office, type Agent, type TokenAnswer } from '../support/office.js';
import { password } from '../support/passwords.js';
import { CodeFlow, type Shown } from './oauth/browser.js';
import { secretsAllowed } from '../support/secrets-allowed.js';

const callback = 'https://helper.example/callback';

let office: Office;
let helper: Agent;
let other: Agent;
let ines: Employee;
let people = 0;

beforeAll(async () => {
  office = await Office.start();
  helper = await asking('helper', [callback, 'http://127.0.0.1:4711/back'], 'support-agent');
  other = await asking('other', [callback], 'support-agent');
});
afterAll(() => office.server.stop());

beforeEach(async () => {
  people += 1;
  ines = await office.company.employee(`ines-${String(people)}`, 'support-rep');
});

/** An agent that may ask people itself. */
async function asking(name: string, redirectUris: string[], role: string): Promise<Agent> {
  return office.company.do(async (unit) => {
    const of = { displayName: `Agent ${name}`, businessTask: 'a task of a test' };
    const input = { name, ...of, ownerId: office.company.root.id, redirectUris };
    const { agent, secret } = await createAgent(unit, input, secretsAllowed);
    await giveAgentRole(unit, agent, await office.company.role(role), null);
    return { id: agent.id, name, secret: secret ?? '' };
  });
}

const about = { purpose: 'Answer the letter', task: 'ticket:T-1' };
const details = (...requests: object[]): string =>
  JSON.stringify(requests.map((request) => ({ type: 'behalf_delegation', ...request })));

/** The authorization request of the agent, with other parameters where a test says so. */
const flowWith = (parameters: Record<string, string> = {}): Promise<CodeFlow> =>
  CodeFlow.start(
    { issuer: office.server.url },
    {
      ...{ client_id: 'helper', redirect_uri: callback, scope: 'tickets:read customers:read' },
      ...{ authorization_details: details(about), ...parameters },
    },
  );

/** The page that asks the person. */
async function asked(parameters: Record<string, string> = {}, who = ines): Promise<[CodeFlow, Shown]> {
  const flow = await flowWith(parameters);
  return [flow, await flow.signIn(await withPassword(office, who), password)];
}

const codeOf = (returned: Shown): string => new URL(returned.url).searchParams.get('code') ?? '';
const errorOf = (returned: Shown): string | null => new URL(returned.url).searchParams.get('error');

const redeem = (
  flow: CodeFlow,
  code: string,
  changes: Record<string, string> = {},
  as: Pick<Agent, 'name' | 'secret'> | undefined = helper,
): Promise<TokenAnswer> => {
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: callback,
    code_verifier: flow.verifier,
  };
  const sent = Object.entries({ ...form, ...changes }).filter(([, value]) => value !== '');
  return office.post('/oauth/token', Object.fromEntries(sent), as);
};

const tasks = (): Promise<DelegationRow[]> =>
  office.server.database.read.select(delegations, eq('userId', ines.id));
const read = (token: string, query = '{ viewer { scopes } }') => office.company.ask({ token }, query);
const consentRecords = async (): Promise<{ outcome: string; detail: string | undefined }[]> =>
  (await office.server.database.read.select(auditRecords, eq('userId', ines.id)))
    .map(({ body }) => JSON.parse(body) as { kind: string; outcome: string; detail?: { detail?: string } })
    .filter(({ kind, detail }) => kind === 'consent' && detail?.detail?.includes('looked at') !== true)
    .map(({ outcome, detail }) => ({ outcome, detail: detail?.detail }));

const linesOf = ({ html }: Shown): string[] =>
  html
    .replaceAll(/<style>.*?<\/style>/gs, '')
    .replaceAll(/<\/?(?:strong|code|q)[^>]*>/g, '')
    .split(/<[^>]*>/)
    .map((line) => line.replaceAll(/\s+/g, ' ').trim())
    .filter((line) => line !== '');

/** Nobody has handed over anything, and the refusal is recorded. */
async function nothingMade(): Promise<void> {
  expect(await tasks()).toEqual([]);
  expect(await office.server.database.read.select(consents, eq('userId', ines.id))).toEqual([]);
}

describe('an agent that asks a person itself', () => {
  test('shows who asks, for which task and where the answer goes, and gets a delegation of that person', async () => {
    const [flow, page] = await asked();
    const lines = linesOf(page);
    expect(lines).toEqual(
      expect.arrayContaining([
        'Let Agent helper work for you?',
        `You are signed in as Employee ines-${String(people)} (ines-${String(people)}).`,
        'Sign in as somebody else',
        'The agent that asks you, and would work for you',
        expect.stringMatching(/^Agent helper helper in the role support-agent, known here since /),
        'Who answers for it',
        'Root',
        'Where your browser goes with your answer',
        'https://helper.example',
        'For which task',
        'Answer the letter',
        'ticket:T-1',
        'The agent can make 500 requests and see or change 5,000 records, no more.',
      ]),
    );
    expect(lines.join('\n')).not.toContain('The program that asks you');

    const returned = await flow.browser.submit(page, {});
    const back = new URL(returned.url);
    expect([back.origin + back.pathname, back.searchParams.get('state')]).toEqual([callback, flow.state]);
    expect(back.searchParams.get('iss')).toBe(office.server.url);
    const [row] = await tasks();
    expect(row).toMatchObject({
      ...{ agentId: helper.id, parentId: null, depth: 0, status: 'active', standing: false },
      ...{ ...about, scopes: ['customers:read', 'tickets:read'] },
    });
    expect(await consentRecords()).toMatchObject([{ outcome: 'succeeded' }]);

    const answer = await redeem(flow, codeOf(returned));
    expect(answer.body).toMatchObject({
      scope: 'customers:read tickets:read',
      authorization_details: [{ type: 'behalf_delegation', delegation: row?.id }],
    });
    expect(answer.body.refresh_token).toBeDefined();
    const token = given(answer);
    expect((await read(token, '{ tickets(first: 1) { totalCount } }')).errors).toEqual([]);
    const introspected = await office.post('/oauth/introspect', { token }, helper);
    expect(introspected.body).toMatchObject({
      ...{ active: true, sub: ines.id, client_id: 'helper' },
      act: { sub: helper.id, client_id: 'helper' },
    });
    // As with every delegation, the agent gets its next token by its own credentials, too.
    expect((await office.requestToken(helper, row?.id ?? '')).status).toBe(200);
    await office.done(ines, 'revokeDelegation', `id: "${row?.id ?? ''}"`);
    expect(codes(await read(token))).toEqual(['UNAUTHENTICATED']);
  });

  test('gets exactly what the person left of it', async () => {
    const [customer] = office.data.customers;
    const [flow, page] = await asked({
      authorization_details: details({
        ...about,
        limits: { operations: 7, depth: 0, expiresInSeconds: 1_800 },
      }),
    });
    expect(linesOf(page)).toEqual(
      expect.arrayContaining(['It cannot pass the task on to other agents.', '30 minutes']),
    );
    const chosen = { scope: ['customers:read'], 'only:customer': [customer?.id ?? ''], seconds: '900' };
    const answer = await redeem(flow, codeOf(await flow.browser.submit(page, chosen)));
    const [row] = await tasks();
    expect(row).toMatchObject({
      ...{ scopes: ['customers:read'], boundary: { customer: [customer?.id] } },
      ...{ operationsMax: 7, depthMax: 0 },
    });
    expect(Date.parse(row?.expiresAt ?? '') - Date.parse(row?.createdAt ?? '')).toBe(900_000);
    expect(answer.body.scope).toBe('customers:read');
    const seen = await read(given(answer), '{ customers { totalCount nodes { id } } }');
    expect(at(seen, 'customers.nodes')).toEqual([{ id: customer?.id }]);
    expect(codes(await read(given(answer), '{ tickets(first: 1) { totalCount } }'))).toEqual(['FORBIDDEN']);
  });

  test.each(['3601', '86400', '', '0'])('cannot get more time than it asked for: “%s”', async (seconds) => {
    const [flow, page] = await asked();
    expect((await flow.browser.submit(page, { seconds })).status).toBe(422);
    await nothingMade();
  });

  test('leaves it to the person to say what the task is', async () => {
    const [flow, page] = await asked({ authorization_details: '', scope: '' });
    for (const fields of [
      { purpose: '', task: 'ticket:T-2' },
      { purpose: 'Look', task: '   ' },
      { purpose: 'Lo\u202eok', task: 'ticket:T-2' },
      { purpose: 'x'.repeat(501), task: 'ticket:T-2' },
    ]) {
      const again = await flow.browser.submit(page, fields);
      expect([again.status, again.html.includes('Say in a line')]).toEqual([422, true]);
    }
    await nothingMade();
    const returned = await flow.browser.submit(page, { purpose: 'Look', task: 'ticket:T-2' });
    given(await redeem(flow, codeOf(returned)));
    expect(await tasks()).toMatchObject([{ purpose: 'Look', task: 'ticket:T-2' }]);
  });

  test('gets one task where the person sends the form twice', async () => {
    const [flow, page] = await asked();
    const twice = [await flow.browser.send(page, {}), await flow.browser.send(page, {})];
    expect(twice[1]).toBe(twice[0]);
    const [row, ...more] = await tasks();
    expect(more).toEqual([]);
    expect(await consentRecords()).toHaveLength(1);
    const answer = await redeem(flow, codeOf(await flow.browser.open(twice[1] ?? '')));
    expect(answer.body).toMatchObject({ authorization_details: [{ delegation: row?.id }] });
  });

  test.each([
    ['refuses', { action: 'cancel' }],
    ['begins anew for somebody else', { action: 'switch' }],
  ])('gets nothing where the person allows, and %s before the agent was told', async (_name, then) => {
    const [flow, page] = await asked();
    await flow.browser.send(page, {});
    const [row] = await tasks();
    await flow.browser.submit(page, then);
    expect(await tasks()).toMatchObject([{ id: row?.id, status: 'revoked', endedBy: ines.id }]);
    expect((await office.requestToken(helper, row?.id ?? '')).status).toBe(400);
    const ends = await office.server.database.read.select(auditRecords, eq('delegationId', row?.id ?? ''));
    expect(ends.map(({ kind }) => kind)).toContain('revocation');
  });

  test('gets what the person chose last, before the agent was told', async () => {
    const [flow, page] = await asked();
    await flow.browser.send(page, {});
    const returned = await flow.browser.submit(page, { scope: 'tickets:read' });
    expect((await redeem(flow, codeOf(returned))).body).toMatchObject({ scope: 'tickets:read' });
    const statuses = (await tasks()).map(({ status, scopes }) => [status, scopes.join(' ')]).sort();
    expect(statuses).toEqual([
      ['active', 'tickets:read'],
      ['revoked', 'customers:read tickets:read'],
    ]);
  });

  test('gets no task where a refusal at the same moment is what counts', async () => {
    const [flow, page] = await asked();
    const resume = await flow.browser.send(page, {});
    expect((await tasks()).map(({ status }) => status)).toEqual(['active']);
    // As a form of another tab leaves it that came before this one, and was done after it.
    const uid = new URL(page.url).pathname.split('/').at(-1) ?? '';
    const isThis = all<OAuthPayloadRow>(eq('model', 'Interaction'), eq('id', sha256(uid)));
    await office.company.do(async ({ tx }) => {
      const { payload = '{}' } = (await tx.one(oauthPayloads, isThis)) ?? {};
      const changed = { ...parsePayload(payload, uid), result: { error: 'access_denied' } };
      await tx.update(oauthPayloads, isThis, { payload: JSON.stringify(changed) });
    });
    expect(errorOf(await flow.browser.open(resume))).toBe('access_denied');
    expect((await tasks()).map(({ status }) => status)).toEqual(['revoked']);
  });

  test('cannot have its own words changed by a form', async () => {
    const [flow, page] = await asked();
    await flow.browser.submit(page, { purpose: 'Something else', task: 'ticket:T-9' });
    expect(await tasks()).toMatchObject([about]);
  });

  test('is told where the person refuses', async () => {
    const [flow, page] = await asked();
    const returned = await flow.browser.submit(page, { action: 'cancel' });
    const { searchParams } = new URL(returned.url);
    expect([searchParams.get('error'), searchParams.get('state'), searchParams.get('code')]).toEqual([
      'access_denied',
      flow.state,
      null,
    ]);
    await nothingMade();
    expect(await consentRecords()).toEqual([{ outcome: 'refused', detail: 'the person refused' }]);
  });

  test('reads on the page what the person lacks, and does not get it', async () => {
    const mika = await office.server.person({ scopes: ['tickets:read', 'delegations:create'] });
    const [flow, page] = await asked({}, mika);
    expect(linesOf(page)).toContain('What you do not hold');
    const answer = await redeem(
      flow,
      codeOf(await flow.browser.submit(page, { scope: ['customers:read', 'tickets:read'] })),
    );
    expect(answer.body.scope).toBe('tickets:read');
  });

  describe('is refused, and nothing is made,', () => {
    const narrow = { scope: 'tickets:read' };
    test.each([
      ['a scope beyond its role', { scope: 'invoices:issue tickets:read' }, 'access_denied'],
      ['a scope of people alone', { scope: 'users:manage' }, 'access_denied'],
      [
        'a region beyond the person’s',
        { ...narrow, boundary: { region: ['nowhere'] } },
        'invalid_authorization_details',
      ],
      [
        'a dimension that does not exist',
        { ...narrow, boundary: { planet: ['mars'] } },
        'invalid_authorization_details',
      ],
      ['more operations than its role has', { ...narrow, limits: { operations: 501 } }, 'access_denied'],
      [
        'more time than its role has',
        { ...narrow, limits: { expiresInSeconds: 99_999_999 } },
        'access_denied',
      ],
      ['another role', { ...narrow, role: 'finance-agent' }, 'access_denied'],
      ['a purpose that nobody can read', { ...narrow, purpose: 'A\u202eb' }, 'invalid_authorization_details'],
      [
        'a delegation that is there',
        { ...narrow, delegation: '01JD8Z0Q6Y3V5W7X9ABCDEFGHJ' },
        'invalid_authorization_details',
      ],
    ])('where it asks for %s', async (_what, { scope, ...request }, error) => {
      const [, returned] = await asked({ scope, authorization_details: details({ ...about, ...request }) });
      expect(errorOf(returned)).toBe(error);
      await nothingMade();
      expect(await consentRecords()).toMatchObject([{ outcome: 'refused' }]);
    });

    test.each([
      ['two tasks at once', details(about, about)],
      ['a member that no task has', details({ ...about, admin: true })],
      ['a consent to another agent', JSON.stringify([{ type: 'behalf_consent', agent: 'other' }])],
      ['a type that does not exist', JSON.stringify([{ type: 'everything' }])],
      ['no list', '{"type":"behalf_delegation"}'],
    ])('where its request has %s', async (_what, value) => {
      const [, returned] = await asked({ authorization_details: value }).catch(async () => {
        // Refused before anybody signs in.
        const flow = await flowWith({ authorization_details: value });
        return [flow, await flow.browser.open(flow.url.href)] as const;
      });
      expect(errorOf(returned)).toMatch(/^invalid_/);
      await nothingMade();
    });

    test('where the person may hand over nothing', async () => {
      ines = await office.server.person({ scopes: ['tickets:read'] });
      const [, returned] = await asked();
      expect(errorOf(returned)).toBe('access_denied');
      await nothingMade();
    });

    test.each([
      ['no PKCE', { code_challenge: '', code_challenge_method: '' }],
      ['plain PKCE', { code_challenge_method: 'plain' }],
      ['no method of PKCE', { code_challenge_method: '' }],
      ['a token at once', { response_type: 'token' }],
      ['an answer in the fragment', { response_mode: 'fragment' }],
    ])('where it comes with %s', async (_what, parameters) => {
      const flow = await flowWith(parameters);
      const returned = await flow.browser.open(flow.url.href);
      const text = `${returned.url}${returned.html}`;
      expect(text).toMatch(/invalid_request|unsupported_response|unauthorized_client|code_challenge/);
      expect(returned.url).not.toContain('code=');
      await nothingMade();
    });

    test('where no page may be shown', async () => {
      const flow = await flowWith({ prompt: 'none' });
      const returned = await flow.browser.open(flow.url.href);
      expect([errorOf(returned), new URL(returned.url).searchParams.get('state')]).toEqual([
        'login_required',
        flow.state,
      ]);
    });
  });

  test('gets no answer by a page with a script', async () => {
    const flow = await flowWith({ response_mode: 'form_post' });
    const returned = await flow.browser.open(flow.url.href);
    expect([new URL(returned.url).origin, errorOf(returned)]).toEqual([
      'https://helper.example',
      'unsupported_response_mode',
    ]);
  });

  test.each([
    ['another path', 'https://helper.example/callback/more'],
    ['a trailing slash', 'https://helper.example/callback/'],
    ['another port', 'https://helper.example:8443/callback'],
    ['the port that is meant anyway', 'https://helper.example:443/callback'],
    ['plain http', 'http://helper.example/callback'],
    ['capital letters', 'https://HELPER.example/callback'],
    ['capital letters in the path', 'https://helper.example/Callback'],
    ['a fragment', 'https://helper.example/callback#x'],
    ['a query', 'https://helper.example/callback?next=https://evil.example'],
    ['another host', 'https://evil.example/callback'],
    ['a host that begins alike', 'https://helper.example.evil.example/callback'],
    ['a user name', 'https://helper.example@evil.example/callback'],
    ['a step up', 'https://helper.example/x/../callback'],
    ['an escaped letter', 'https://helper.example/c%61llback'],
    ['another port of its own machine', 'http://127.0.0.1:4712/back'],
    ['localhost', 'http://localhost:4711/back'],
    ['a script', 'javascript:alert(1)'],
    ['nothing', ''],
  ])('is not answered at %s', async (_what, uri) => {
    const flow = await flowWith({ redirect_uri: uri });
    const page = await flow.browser.open(flow.url.href);
    expect([page.status, new URL(page.url).origin]).toEqual([400, office.server.url]);
    expect(page.html).toContain('redirect_uri');
  });

  test('that has no redirect URI cannot ask', async () => {
    await office.agent('silent', office.company.root, 'support-agent');
    const flow = await flowWith({ client_id: 'silent' });
    const page = await flow.browser.open(flow.url.href);
    expect([page.status, new URL(page.url).origin]).toEqual([400, office.server.url]);
  });
});

describe('the code of an agent’s request', () => {
  const allowed = async (parameters: Record<string, string> = {}): Promise<[CodeFlow, string]> => {
    const [flow, page] = await asked(parameters);
    return [flow, codeOf(await flow.browser.submit(page, {}))];
  };
  /** The code is still good, so the refusal before used nothing up. */
  const stillGood = async (flow: CodeFlow, code: string): Promise<void> => {
    expect((await redeem(flow, code)).status).toBe(200);
  };

  test.each([
    ['another verifier', { code_verifier: 'v'.repeat(43) }, 'invalid_grant'],
    ['no verifier', { code_verifier: '' }, 'invalid_request'],
    ['a short verifier', { code_verifier: 'short' }, 'invalid_grant'],
    ['another redirect URI of the agent', { redirect_uri: 'http://127.0.0.1:4711/back' }, 'invalid_grant'],
    ['no redirect URI', { redirect_uri: '' }, 'invalid_request'],
    ['another resource', { resource: 'https://other.example/' }, 'invalid_target'],
  ])('is not redeemed with %s', async (_what, changes, error) => {
    const [flow, code] = await allowed();
    const refused = await redeem(flow, code, changes);
    expect([refused.status, refused.body.error, refused.body.access_token]).toEqual([400, error, undefined]);
    if (error !== 'invalid_target') await stillGood(flow, code);
  });

  test('that is bound to a key is not redeemed without it', async () => {
    const [flow, code] = await allowed({ dpop_jkt: 'k'.repeat(43) });
    expect((await redeem(flow, code)).body.error).toBe('invalid_grant');
  });

  test('is not redeemed by another agent, another program, or without the agent’s secret', async () => {
    const [flow, code] = await allowed();
    expect((await redeem(flow, code, {}, other)).body.error).toBe('invalid_grant');
    expect((await redeem(flow, code, {}, { name: 'helper', secret: 'guessed' })).body.error).toBe(
      'invalid_client',
    );
    const program = await office.post('/oauth/token', {
      ...{ grant_type: 'authorization_code', code, redirect_uri: callback },
      ...{ code_verifier: flow.verifier, client_id: 'behalf-cli' },
    });
    expect(program.body.error).toBe('invalid_grant');
    await stillGood(flow, code);
  });

  test('gives one token; the second use gives none and ends the first', async () => {
    const [flow, code] = await allowed();
    const token = given(await redeem(flow, code));
    expect(codes(await read(token))).toEqual([]);
    expect((await redeem(flow, code)).body.error).toBe('invalid_grant');
    expect(codes(await read(token))).toEqual(['UNAUTHENTICATED']);
  });

  test('used by several at the same moment gives nobody a token that works', async () => {
    const [flow, code] = await allowed();
    const answers = await Promise.all(Array.from({ length: 6 }, () => redeem(flow, code)));
    const tokens = answers.flatMap(({ body }) => body.access_token ?? []);
    expect(tokens.length).toBeLessThanOrEqual(1);
    expect(new Set(answers.map(({ body }) => body.error ?? ''))).toContain('invalid_grant');
    for (const token of tokens) expect(codes(await read(token))).toEqual(['UNAUTHENTICATED']);
  });

  test.each([
    [
      'the delegation',
      async () => office.done(ines, 'revokeDelegation', `id: "${(await tasks())[0]?.id ?? ''}"`),
    ],
    ['the person', () => office.done(office.company.root, 'disableUser', `id: "${ines.id}"`)],
  ])('is worth nothing once %s has ended', async (_what, end) => {
    const [flow, code] = await allowed();
    await end();
    const refused = await redeem(flow, code);
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_grant']);
    expect(refused.body.access_token).toBeUndefined();
  });

  test('is worth nothing in another request: its verifier is another one', async () => {
    const [, stolen] = await allowed();
    const [victim, own] = await allowed();
    expect((await redeem(victim, stolen)).body.error).toBe('invalid_grant');
    await stillGood(victim, own);
  });
});

describe('the form of the consent page', () => {
  test('is taken from this server’s page alone', async () => {
    const [flow, page] = await asked();
    const foreign = await flow.browser.submit(page, {}, { origin: 'https://evil.example' });
    expect(foreign.status).toBe(403);
    const crossSite = await flow.browser.submit(page, {}, { 'sec-fetch-site': 'cross-site' });
    expect(crossSite.status).toBe(403);
    await nothingMade();
  });

  test('is worth nothing in a browser where nobody opened it', async () => {
    const [, page] = await asked();
    const stranger = await flowWith();
    expect((await stranger.browser.submit(page, {})).status).toBe(400);
    await nothingMade();
  });
});

describe('redirect URIs', () => {
  const create = `mutation ($input: CreateAgentInput!, $key: String!) {
    createAgent(input: $input, idempotencyKey: $key) { agent { id version redirectUris } } }`;
  const created = (redirectUris: string[]) =>
    office.company.ask(office.company.root, create, {
      input: {
        ...{
          name: `asks-${key()}`,
          displayName: 'Asks',
          businessTask: 'Ask',
          ownerId: office.company.root.id,
        },
        redirectUris,
      },
      key: key(),
    });

  test('are given with the agent, and replaced by a change', async () => {
    const answer = await created([callback, callback, 'http://[::1]:4711/back']);
    const agent = at(answer, 'createAgent.agent') as { id: string; version: number };
    expect(agent).toMatchObject({ redirectUris: [callback, 'http://[::1]:4711/back'] });
    const args = `id: "${agent.id}" expectedVersion: ${String(agent.version)} input: { redirectUris: [] }`;
    const changed = await office.change(office.company.root, 'updateAgent', args, 'agent { redirectUris }');
    expect(at(changed, 'updateAgent.agent')).toEqual({ redirectUris: [] });
  });

  test.each([
    ['plain http', 'http://helper.example/callback'],
    ['a name of this machine', 'http://localhost:4711/back'],
    ['a fragment', 'https://helper.example/callback#a'],
    ['an empty fragment', 'https://helper.example/callback#'],
    ['a password', 'https://a:b@helper.example/callback'],
    ['a program’s own scheme', 'com.example.helper:/callback'],
    ['a script', 'javascript:alert(1)'],
    ['a path alone', '/callback'],
    ['capital letters', 'https://Helper.example/callback'],
    ['no path', 'https://helper.example'],
    ['a port that is meant anyway', 'https://helper.example:443/callback'],
    ['a step up', 'https://helper.example/a/../callback'],
    ['too many characters', `https://helper.example/${'a'.repeat(500)}`],
  ])('do not have %s', async (_what, uri) => {
    const before = await office.server.database.read.count(agents, not(eq('id', '')));
    expect(codes(await created([uri]))).toEqual(['BAD_USER_INPUT']);
    expect(await office.server.database.read.count(agents, not(eq('id', '')))).toBe(before);
  });
});
