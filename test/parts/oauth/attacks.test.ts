// databases: sqlite, mariadb
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll } from 'vitest';
import { createClient } from '../../../src/admin/clients.js';
import { addResourceServer } from '../../../src/admin/resource-servers.js';
import { eq } from '../../../src/store/sql/condition.js';
import { agents } from '../../../src/store/tables/identity.js';
import { withPassword } from '../../support/account.js';
import type { Employee } from '../../support/administration.js';
import { about, askingAgent, callback, details } from '../../support/asking-agents.js';
import { testAttacks, testTried, toldBy, type Attack, type Tried } from '../../support/attack-table.js';
import { accessTokenType, given, Office, type Agent } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { CodeFlow, program } from './browser.js';

/**
 * Where each kind of attack on the authorization server is tried: in this file, or in another file by the test with this
 * name. A test below looks for the names. Attacks on sign-ins are in ../sign-in-attacks.test.ts.
 */
const tried: Tried = {
  'redirect tricks': [
    ['attacks.test.ts', 'on a host that begins alike'],
    ['sign-in.test.ts', 'never sends anyone to %s'],
    ['clients.test.ts', 'on the person’s machine may use any port, and no other address'],
    ['../agent-asks.test.ts', 'is not answered at %s'],
    ['pushed-requests.test.ts', 'another redirect URI'],
  ],
  'code injection': [
    ['attacks.test.ts', 'a stolen code, '],
    ['../agent-asks.test.ts', 'is worth nothing in another request: its verifier is another one'],
  ],
  'code replay': [
    ['../agent-asks.test.ts', 'gives one token; the second use gives none and ends the first'],
    ['../agent-asks.test.ts', 'used by several at the same moment gives nobody a token that works'],
    ['device-flow.test.ts', 'a device code is redeemed once; a second time ends the tokens of the first'],
    ['pushed-requests.test.ts', 'is asked as it was pushed, answered with iss, and used once'],
  ],
  'PKCE downgrade': [
    ['attacks.test.ts', 'a challenge and no method'],
    ['attacks.test.ts', 'a code, with its challenge as verifier'],
    ['pushed-requests.test.ts', 'plain PKCE'],
  ],
  'refresh replay': [
    ['refresh-of-agents.test.ts', 'a later replay ends the family'],
    ['tokens.test.ts', 'refresh tokens rotate; an old one ends the whole sign-in'],
    ['attacks.test.ts', 'a refresh token, '],
  ],
  'refresh races': [
    ['parallel-refreshes.test.ts', 'all get a working token, and a thief’s later replay ends the family'],
    ['../found/27-parallel-refreshes.test.ts', 'at the same moment'],
  ],
  'audience and resource confusion': [
    ['attacks.test.ts', 'a token for another server, at this one'],
    ['resource-servers.test.ts', 'is inactive to everybody else, and other tokens are to that server'],
    ['resource-servers.test.ts', 'a token that another server took is exchanged for that server alone'],
    ['../audience.test.ts', 'a token of another resource counts for nothing'],
  ],
  'alg, typ and kid confusion': [
    ['../sign-in-attacks.test.ts', 'an assertion by the public key as a secret (HS256)'],
    ['foreign-tokens.test.ts', 'the issuer of another key (kid confusion)'],
    ['foreign-tokens.test.ts', 'an ID-JAG as access token'],
    ['workloads.test.ts', 'another kind of JWT'],
    ['attacks-dpop.test.ts', 'by a secret key (HS256)'],
  ],
  'widening by any grant': [
    ['attacks.test.ts', 'more depth'],
    ['refresh-of-agents.test.ts', 'a refresh widens nothing'],
    ['device-flow.test.ts', 'for %s comes to nothing'],
    ['../agent-asks.test.ts', 'is refused, and nothing is made,'],
    ['foreign-tokens.test.ts', 'a scope beyond the consent, claimed and asked for'],
    ['../random-chains.test.ts', 'no link is wider than one before'],
  ],
  'a stolen DPoP-bound token': [
    ['attacks-dpop.test.ts', 'a stolen bound token, as a bearer token'],
    ['attacks-dpop.test.ts', 'a stolen bound token, with a key of one’s own'],
  ],
  'a stolen certificate-bound token': [
    ['mutual-tls.test.ts', 'is worth nothing %s'],
    ['mutual-tls.test.ts', 'that is public keeps its refresh token to the certificate'],
  ],
  'a forged certificate header': [
    ['mutual-tls.test.ts', 'with a header that a stranger made up'],
    ['mutual-tls.test.ts', 'of which the proxy passes two gets no token'],
    ['../../client-certificates.test.ts', 'does not count from %s'],
  ],
  'a certificate of somebody else, or of an earlier time': [
    ['mutual-tls.test.ts', 'with its name in a certificate of another authority'],
    ['mutual-tls.test.ts', 'with a certificate that has expired'],
  ],
  'a code or refresh token without its key': [
    ['dpop-flows.test.ts', 'gives a code for this key alone'],
    ['dpop-flows.test.ts', 'of a public client is bound to the key, also after it was used'],
    ['dpop-flows.test.ts', 'of a client whose tokens must be bound gives no bearer token'],
  ],
  'a replayed proof': [
    ['attacks-dpop.test.ts', 'a proof that was used, at the resource'],
    ['dpop-flows.test.ts', 'is worth nothing with a proof that was used, at any replica'],
    ['dpop.test.ts', 'a proof works once'],
  ],
  'metadata-document SSRF': [
    ['unknown-clients.test.ts', 'that redirects to a good document'],
    ['unknown-clients.test.ts', 'of loopback in decimal'],
    ['unknown-clients.test.ts', 'of loopback mapped into IPv6'],
    ['unknown-clients.test.ts', 'of a document without end'],
    ['../../guarded-fetch.test.ts', 'a redirect is not followed'],
    ['../../guarded-fetch.test.ts', 'the connection goes to the address that was checked'],
    ['../../guarded-fetch.test.ts', 'IPv6 loopback'],
    ['../../guarded-fetch.test.ts', 'a body that never ends'],
    ['../../guarded-fetch.test.ts', 'an answer that never begins'],
  ],
  'a metadata document that changes after admission': [
    [
      'unknown-clients.test.ts',
      'that changes its document later gets nothing by it, until an administrator accepts it',
    ],
  ],
  'device-code phishing': [
    [
      'device-flow.test.ts',
      'the person reads who asks, from where and since when, before and after signing in',
    ],
    ['device-flow.test.ts', 'a link with the code shows the same page, and decides nothing'],
  ],
  'user-code guessing': [['device-flow.test.ts', 'guesses are held up, of one address and of all together']],
  'registration floods': [
    ['registration.test.ts', 'a flood of registrations is held up, and others register meanwhile'],
    ['unknown-clients.test.ts', 'a flood of new clients of one site is slowed down'],
  ],
  'workload tokens of the wrong subject, audience or cluster': [
    ['workloads.test.ts', 'another subject'],
    ['workloads.test.ts', 'another audience'],
    ['workloads.test.ts', 'another cluster in the name of this one'],
  ],
};

testTried(tried, import.meta.url);

const mcp = 'https://mcp.example/mcp';
const back = 'https://desk.example/callback';
const narrow = { scopes: ['tickets:read', 'customers:read'], region: 'europe' };

let office: Office;
let ines: Employee;
let helper: Agent;
let next: Agent;
/** A code that ines allowed to the client `desk`, which nobody has redeemed, and its verifier and challenge. */
let stolen: { readonly code: string; readonly verifier: string; readonly challenge: string };
let refreshToken: string;
let delegation: string;
let subject: string;
let persons: string;
/** A token for another server. */
let elsewhere: string;

const publicClient = (clientId: string, redirectUri: string): Promise<unknown> =>
  office.company.do(async (unit) =>
    createClient(
      unit,
      office.company.root.id,
      {
        ...{ clientId, name: clientId, redirectUris: [redirectUri] },
        agent: {
          ...{ name: clientId, businessTask: 'Answer tickets', ownerId: office.company.root.id },
          roles: [await office.company.role('support-agent')],
        },
      },
      office.company.around,
    ),
  );

/** A request of the client `desk`, and what ines comes back with. */
async function allowed(): Promise<{ flow: CodeFlow; code: string }> {
  const flow = await CodeFlow.start(
    { issuer: office.server.url },
    { client_id: 'desk', redirect_uri: back, scope: 'tickets:read', authorization_details: details(about) },
  );
  const page = await flow.signIn(await withPassword(office, ines), password);
  const returned = await flow.browser.submit(page, {});
  return { flow, code: new URL(returned.url).searchParams.get('code') ?? '' };
}

beforeAll(async () => {
  office = await Office.start();
  const { company } = office;
  ines = await company.employee('ines', 'support-rep');
  helper = await askingAgent(office, 'helper');
  next = await office.agent('next', ines, 'support-agent');
  await publicClient('desk', back);
  await publicClient('lamp', 'https://lamp.example/callback');
  const { id } = await askingAgent(office, 'bare');
  await company.do(({ tx }) => tx.update(agents, eq('id', id), { authMethod: 'none' }));
  await company.do((unit) =>
    addResourceServer(
      unit,
      { name: 'mcp', identifier: mcp, scopes: ['tickets:read'] },
      {
        ...{ staticSecrets: true, publicUrl: office.server.url, allowHttp: false },
        knownScopes: new Set(office.server.app.scopes),
      },
    ),
  );
  const boundary = [{ dimension: 'region', values: [narrow.region] }];
  delegation = await office.delegate(ines, {
    ...{ agent: 'helper', scopes: narrow.scopes, boundary, depth: 1, expiresInSeconds: 600 },
  });
  subject = await office.tokenOf(helper, delegation);
  elsewhere = await office.tokenOf(helper, delegation, { resource: mcp });
  persons = (await office.signIn(ines)).access_token;
  const consent = `input: { agent: "next" scopes: ["tickets:read"] boundary: [{ dimension: "region" values: ["europe"] }] }`;
  await office.done(ines, 'giveConsent', consent);
  const first = await allowed();
  const redeemed = await office.post('/oauth/token', {
    ...{ grant_type: 'authorization_code', client_id: 'desk', code: first.code, redirect_uri: back },
    code_verifier: first.flow.verifier,
  });
  given(redeemed);
  refreshToken = redeemed.body.refresh_token ?? '';
  const { flow, code } = await allowed();
  const { verifier } = flow;
  stolen = { code, verifier, challenge: await oauth.calculatePKCECodeChallenge(verifier) };
});
afterAll(() => office.server.stop());

/** Where the authorization endpoint sends a browser, and with which error. */
async function asked(changes: Record<string, string>, more = ''): Promise<string> {
  const parameters = {
    ...{ client_id: 'desk', redirect_uri: back, response_type: 'code', scope: 'tickets:read' },
    ...{ code_challenge: 'c'.repeat(43), code_challenge_method: 'S256', ...changes },
  };
  const sent = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== ''));
  const response = await fetch(`${office.server.url}/oauth/authorize?${sent.toString()}${more}`, {
    redirect: 'manual',
    headers: { accept: 'text/html' },
  });
  const location = response.headers.get('location');
  if (location === null) {
    const page = await response.text();
    return `${String(response.status)} ${/<code>([a-z_]+)<\/code>/.exec(page)?.[1] ?? page}`;
  }
  const { origin, pathname, searchParams } = new URL(location, office.server.url);
  return `${origin}${pathname} ${searchParams.get('error') ?? 'no error'}`;
}

const noRedirect = { error: '400 invalid_redirect_uri', recorded: 'sign_in' } as const;
const redirects: readonly (readonly [what: string, uri: string])[] = [
  ['on another host', 'https://evil.example/callback'],
  ['on a host that begins alike', 'https://desk.example.evil.example/callback'],
  ['on a host that ends alike', 'https://evil-desk.example/callback'],
  ['with the host as user name', 'https://desk.example@evil.example/callback'],
  ['with the host before a backslash', String.raw`https://desk.example\@evil.example/callback`],
  ['with an encoded slash', 'https://desk.example%2f@evil.example/callback'],
  ['in capitals', 'https://DESK.example/callback'],
  ['with a dot at the end of the host', 'https://desk.example./callback'],
  ['with its port written out', 'https://desk.example:443/callback'],
  ['on another port', 'https://desk.example:8443/callback'],
  ['with plain http', 'http://desk.example/callback'],
  ['below the registered one', `${back}/more`],
  ['beside the registered one by dots', `${back}/../evil`],
  ['beside the registered one by encoded dots', `${back}/%2e%2e/evil`],
  ['with two slashes', 'https://desk.example//callback'],
  ['with a query', `${back}?next=https://evil.example/`],
  ['with a fragment', `${back}#evil`],
  ['with a space', `${back} `],
  ['with a line break', `${back}\r\nlocation: https://evil.example/`],
  ['of another client', 'https://lamp.example/callback'],
  ['of a script', 'javascript:alert(1)'],
  ['of data', 'data:text/html,<script>alert(1)</script>'],
  ['without scheme', '//evil.example/callback'],
];

const token = async (form: Record<string, string>, as?: Agent): Promise<string> =>
  toldBy(await office.post('/oauth/token', form, as));
const redeem = (changes: Record<string, string>, as?: Agent): Promise<string> => {
  const form = {
    ...{ grant_type: 'authorization_code', client_id: 'desk', code: stolen.code, redirect_uri: back },
    ...{ code_verifier: stolen.verifier, ...changes },
  };
  const { client_id: _, ...anonymous } = form;
  return token(as === undefined ? form : anonymous, as);
};
const refresh = (changes: Record<string, string>, as?: Agent): Promise<string> => {
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'desk', ...changes };
  const { client_id: _, ...anonymous } = form;
  return token(as === undefined ? form : anonymous, as);
};
const bearer = async (text: string): Promise<string> => {
  const answer = await office.company.ask({ token: text }, '{ viewer { scopes } }');
  return `${String(answer.status)} ${String(answer.errors[0]?.extensions.code)}`;
};

const exchange = (from: string, task: object, form: Record<string, string>): Promise<string> =>
  office.exchange(next, from, { ...about, ...task }, form).then(toldBy);

/** Each way to a token without a page, with what it may not give. */
const grants: Readonly<Record<string, (task: object, form: Record<string, string>) => Promise<string>>> = {
  'client credentials': (task, form) =>
    token(
      { grant_type: 'client_credentials', authorization_details: details({ delegation, ...task }), ...form },
      helper,
    ),
  'exchange of a person’s token': (task, form) => exchange(persons, task, form),
  'exchange of an agent’s token': (task, form) => exchange(subject, task, form),
  refresh: (task, form) =>
    Object.keys(task).length === 0
      ? refresh(form)
      : refresh({ ...form, authorization_details: details(task) }),
};
const invalidDetails = '400 invalid_authorization_details';
/** Requests for more than there is. */
const widenings: readonly (readonly [what: string, task: object, form: Record<string, string>])[] = [
  ['another scope', {}, { scope: 'tickets:read orders:read' }],
  ['a scope that nobody may hand on', {}, { scope: 'users:manage' }],
  ['another region', { boundary: { region: ['europe', 'asia'] } }, {}],
  ['all regions', { boundary: { region: 'all' } }, {}],
  ['more time', { limits: { expiresInSeconds: 9_999_999 } }, {}],
  ['more depth', { limits: { depth: 9 } }, {}],
  ['more operations', { limits: { operations: 9_999_999 } }, {}],
  ['another role', { role: 'finance-agent' }, {}],
  ['another resource', {}, { resource: 'https://elsewhere.example/' }],
];
const errorOf = (what: string, grant: string): string => {
  if (what.includes('scope')) return '400 invalid_scope';
  if (what === 'another resource') return '400 invalid_target';
  if (!grant.startsWith('exchange')) return invalidDetails;
  // The refusal names the scopes that cannot be handed over as widely.
  return what.includes('region') ? '400 invalid_scope' : '400 invalid_request';
};

const attacks: readonly Attack[] = [
  ...redirects.map(([what, uri]) => ({
    ...{ name: `a redirect URI ${what}`, attempt: () => asked({ redirect_uri: uri }) },
    ...noRedirect,
  })),
  {
    name: 'a second redirect URI',
    attempt: () => asked({}, `&redirect_uri=${encodeURIComponent('https://evil.example/')}`),
    ...{ error: `${back} invalid_request`, recorded: 'sign_in' },
  },
  {
    name: 'a request of a client that nobody knows',
    attempt: () => asked({ client_id: 'nobody' }),
    ...{ error: '400 invalid_client', recorded: 'sign_in' },
  },
  {
    name: 'a bare agent, at its redirect URI',
    attempt: () => asked({ client_id: 'bare', redirect_uri: callback }),
    ...{ error: '400 invalid_client', recorded: 'sign_in' },
  },
  {
    name: 'a bare agent, from a device',
    attempt: async () => {
      const form = { client_id: 'bare', scope: 'tickets:read', authorization_details: details(about) };
      return toldBy(await office.post('/oauth/device_authorization', form));
    },
    ...{ error: '401 invalid_client', recorded: 'token' },
  },
  ...(
    [
      ['no challenge', { code_challenge: '', code_challenge_method: '' }],
      ['a challenge and no method', { code_challenge_method: '' }],
      ['a method and no challenge', { code_challenge: '' }],
      ['a plain challenge', { code_challenge_method: 'plain' }],
      ['a method in small letters', { code_challenge_method: 's256' }],
      ['a short challenge', { code_challenge: 'short' }],
    ] as const
  ).map(([what, changes]) => ({
    ...{ name: `a request with ${what}`, attempt: () => asked(changes) },
    ...{ error: `${back} invalid_request`, recorded: 'sign_in' as const },
  })),
  ...(
    [
      ['by another client', { client_id: 'lamp' }, '400 invalid_grant'],
      ['by a program of people', { client_id: program.client_id }, '400 invalid_grant'],
      ['with the verifier of one’s own', { code_verifier: 'v'.repeat(43) }, '400 invalid_grant'],
      ['without verifier', { code_verifier: '' }, '400 invalid_request'],
      ['with another redirect URI', { redirect_uri: `${back}/more` }, '400 invalid_grant'],
      ['without redirect URI', { redirect_uri: '' }, '400 invalid_request'],
      ['for another resource', { resource: mcp }, '400 invalid_target'],
    ] as const
  ).map(([what, changes, error]) => ({
    ...{ name: `a stolen code, ${what}`, attempt: () => redeem(changes), error },
    recorded: 'token' as const,
  })),
  {
    name: 'a stolen code, by an agent with a secret',
    attempt: () => redeem({}, helper),
    ...{ error: '400 invalid_grant', recorded: 'token' },
  },
  {
    name: 'a code, with its challenge as verifier',
    attempt: () => redeem({ code_verifier: stolen.challenge }),
    ...{ error: '400 invalid_grant', recorded: 'token' },
  },
  {
    name: 'a code as refresh token',
    attempt: () => refresh({ refresh_token: stolen.code }),
    ...{ error: '400 invalid_grant', recorded: 'token' },
  },
  {
    name: 'a code as device code',
    attempt: () =>
      token({
        ...{ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: 'desk' },
        device_code: stolen.code,
      }),
    ...{ error: '400 invalid_grant', recorded: 'token' },
  },
  {
    name: 'a code as subject token',
    attempt: () => exchange(stolen.code, {}, {}),
    ...{ error: '400 invalid_request', recorded: 'token' },
  },
  ...(
    [
      ['by another client', { client_id: 'lamp' }, undefined],
      ['by a program of people', { client_id: program.client_id }, undefined],
      ['by an agent with a secret', {}, () => helper],
      ['as code', { grant_type: 'authorization_code' }, undefined],
    ] as const
  ).map(([what, changes, as]) => ({
    name: `a refresh token, ${what}`,
    attempt: () => (what === 'as code' ? redeem({ code: refreshToken }) : refresh({ ...changes }, as?.())),
    ...{ error: '400 invalid_grant', recorded: 'token' as const },
  })),
  {
    name: 'a public client by its name alone, for its agent',
    attempt: () => token({ grant_type: 'client_credentials', client_id: 'desk' }),
    ...{ error: '400 invalid_request', recorded: 'token' },
  },
  {
    name: 'a token for another server, at this one',
    attempt: () => bearer(elsewhere),
    ...{ error: '401 UNAUTHENTICATED', recorded: 'rejected' },
  },
  {
    name: 'a token for two servers',
    attempt: async () => {
      const form = new URLSearchParams({
        grant_type: 'client_credentials',
        authorization_details: details({ delegation }),
      });
      for (const resource of [mcp, `${office.server.url}/graphql`]) form.append('resource', resource);
      const basic = Buffer.from(`${helper.name}:${helper.secret}`).toString('base64');
      const headers = { authorization: `Basic ${basic}` };
      const response = await fetch(`${office.server.url}/oauth/token`, {
        method: 'POST',
        headers,
        body: form,
      });
      return toldBy({ status: response.status, body: (await response.json()) as object });
    },
    ...{ error: '400 invalid_target', recorded: 'token' },
  },
  {
    name: 'an audience beside the resource',
    attempt: () => exchange(subject, {}, { audience: mcp }),
    ...{ error: '400 invalid_target', recorded: 'token' },
  },
  {
    name: 'a token of this server, exchanged for another one',
    attempt: () => exchange(subject, {}, { resource: mcp }),
    ...{ error: '400 invalid_target', recorded: 'token' },
  },
  {
    name: 'an access token of another type',
    attempt: () =>
      exchange(subject, {}, { subject_token_type: accessTokenType.replace('access', 'refresh') }),
    ...{ error: '400 invalid_request', recorded: 'token' },
  },
  ...widenings.flatMap(([what, task, form]) =>
    Object.entries(grants).map(([grant, request]) => ({
      ...{ name: `${what} by ${grant}`, attempt: () => request(task, form) },
      ...{ error: errorOf(what, grant), recorded: 'token' as const },
    })),
  ),
];

testAttacks(() => office, attacks);
