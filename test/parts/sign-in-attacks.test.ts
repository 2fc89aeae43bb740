// databases: sqlite, mariadb
import { createHook } from 'node:async_hooks';
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  type CryptoKey,
  type JWTPayload,
} from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { giveAgentRole } from '../../src/admin/assignments.js';
import { createAgent } from '../../src/admin/agents.js';
import { eq } from '../../src/store/sql/condition.js';
import { users } from '../../src/store/tables/identity.js';
import { browserOf, withPassword } from '../support/account.js';
import type { Employee } from '../support/administration.js';
import {
  standing,
  testAttacks,
  testTried,
  toldBy,
  type Attack,
  type Tried,
} from '../support/attack-table.js';
import { accessTokenType, Office, type Agent } from '../support/office.js';
import { password } from '../support/passwords.js';
import { recordsOf } from '../support/records.js';
import { Browser, CodeFlow, type Shown } from './oauth/browser.js';
import { loopback } from './oauth/harness.js';
import { secretsAllowed } from '../support/secrets-allowed.js';

/**
 * Where each kind of attack on a sign-in is tried: in this file, or in another file by the test with this name. A test
 * below looks for the names.
 */
const tried: Tried = {
  'mix-up between providers': [
    ['oauth/identity-providers.test.ts', 'the issuer of another provider (mix-up)'],
    ['oauth/identity-providers.test.ts', 'an answer at the redirect URI of another provider (mix-up)'],
  ],
  'code injection': [
    ['oauth/identity-providers.test.ts', 'a code of another sign-in'],
    ['agent-asks.test.ts', 'is worth nothing in another request: its verifier is another one'],
    ['sign-in-attacks.test.ts', 'a code of another sign-in'],
  ],
  'state injection': [
    ['oauth/identity-providers.test.ts', 'a wrong state'],
    ['oauth/identity-providers.test.ts', 'the answer of another browser'],
  ],
  'nonce injection': [['oauth/identity-providers.test.ts', 'a wrong nonce']],
  'alg, typ and kid confusion': [
    ['oauth/identity-providers.test.ts', 'HS256 with the public key'],
    ['oauth/identity-providers.test.ts', 'another key under the kid of the provider'],
    ['sign-in-attacks.test.ts', 'an assertion that nobody signed'],
  ],
  'account take-over by a shared e-mail': [
    ['oauth/identity-providers.test.ts', 'a shared e-mail address or user name takes over no account'],
  ],
  'group escalation': [
    ['oauth/identity-providers.test.ts', 'nobody maps a role outside their grantable set'],
    ['oauth/identity-providers.test.ts', 'a map gives nothing to the administrator who made it'],
  ],
  'foreign, expired and replayed tokens': [
    ['oauth/foreign-tokens.test.ts', 'of which many come at once works once'],
    ['oauth/exchange.test.ts', 'an expired or revoked one is worth nothing'],
    ['oauth/tokens.test.ts', 'refresh tokens rotate; an old one ends the whole sign-in'],
    ['oauth/dpop.test.ts', 'a bound token needs a fresh proof that fits, once'],
    ['sign-in-attacks.test.ts', 'a token that somebody else signed'],
  ],
  'actor spoofing in each dialect': [
    ['sign-in-attacks.test.ts', 'an actor of one’s own choice'],
    ['oauth/foreign-tokens.test.ts', 'client-id: an actor beside it'],
    ['oauth/foreign-tokens.test.ts', 'act: an earlier actor that nobody mapped'],
    ['oauth/foreign-tokens.test.ts', 'an actor that nobody mapped, by the name of an agent'],
  ],
  'forged and replayed security events': [
    ['oauth/security-events.test.ts', 'is refused, recorded, and ends nothing:'],
    ['oauth/security-events.test.ts', 'that comes again is acknowledged, and ends nothing more'],
    [
      'oauth/identity-providers.test.ts',
      'ends all that rests on the person’s sign-ins with the next operation, once',
    ],
  ],
  'login CSRF': [
    ['oauth/sign-in.test.ts', 'a form from another site is refused'],
    ['account.test.ts', 'does not begin by an answer to a sign-in of another browser'],
  ],
  'consent CSRF': [['agent-asks.test.ts', 'is taken from this server’s page alone']],
  clickjacking: [['sign-in-attacks.test.ts', 'no page can be framed']],
  'open redirect': [
    ['oauth/sign-in.test.ts', 'never sends anyone to %s'],
    ['agent-asks.test.ts', 'is not answered at %s'],
    ['sign-in-attacks.test.ts', 'no address here leads to another site'],
  ],
  'session fixation': [
    ['account.test.ts', 'begins anew at each sign-in, and ends the one before'],
    ['sign-in-attacks.test.ts', 'whose cookies somebody else had put into the browser'],
  ],
  'credential stuffing': [
    ['found/05-guesses.test.ts', 'at one account, from however many addresses'],
    ['found/05-guesses.test.ts', 'from one address, at however many accounts'],
    ['found/05-guesses.test.ts', 'a browser that signed in before gets in at once'],
  ],
  'enumeration by text': [
    ['oauth/sign-in.test.ts', '%s gets the same answer'],
    ['oauth/password-users.test.ts', 'nobody can tell which they are'],
  ],
  'enumeration by time': [['sign-in-attacks.test.ts', 'costs as much as a wrong password']],
};

testTried(tried, import.meta.url);

let office: Office;
let ines: Employee;
let helper: Agent;
let signer: Agent;
let own: CryptoKey;
let foreign: CryptoKey;
let publicKey: string;
/** A code of hers that nobody has redeemed, and the tokens of another sign-in of hers. */
let stolen: string;
let tokens: { readonly access_token: string; readonly refresh_token?: string | undefined };

beforeAll(async () => {
  office = await Office.start();
  ines = await office.company.employee('ines', 'support-rep');
  helper = await office.agent('helper', ines, 'support-agent');
  const pair = await generateKeyPair('ES256', { extractable: true });
  own = pair.privateKey;
  publicKey = await exportSPKI(pair.publicKey);
  foreign = (await generateKeyPair('ES256')).privateKey;
  const publicKeys = JSON.stringify({ keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k1' }] });
  signer = await office.company.do(async (unit) => {
    const of = { displayName: 'Signer', businessTask: 'Sign', ownerId: ines.id, publicKeys };
    const { agent } = await createAgent(unit, { name: 'signer', ...of }, secretsAllowed);
    await giveAgentRole(unit, agent, await office.company.role('support-agent'), null);
    return { id: agent.id, name: 'signer', secret: '' };
  });
  tokens = await office.signIn(ines);
  const flow = await CodeFlow.start({ issuer: office.server.url });
  stolen = new URL((await flow.signIn('ines', password)).url).searchParams.get('code') ?? '';
});
afterAll(() => office.server.stop());

const details = (more: object = {}): string =>
  JSON.stringify([{ type: 'behalf_delegation', task: 'ticket:T-1', purpose: 'An attack', ...more }]);

const redeem = async (form: Record<string, string>, as?: Agent): Promise<string> =>
  toldBy(
    await office.post(
      '/oauth/token',
      { grant_type: 'authorization_code', redirect_uri: loopback, code: stolen, ...form },
      as,
    ),
  );

/** A request of `signer`, with a signed assertion (RFC 7523). */
async function assertion(
  change: JWTPayload = {},
  header: Record<string, unknown> = {},
  key: CryptoKey | Uint8Array = own,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: 'signer',
    sub: 'signer',
    aud: office.server.url,
    jti: String(Math.random()),
    iat: now,
  };
  return new SignJWT({ ...claims, exp: now + 60, ...change })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header })
    .sign(key);
}
const asSigner = async (proof: string | Promise<string>): Promise<string> =>
  toldBy(
    await office.post('/oauth/token', {
      ...{ grant_type: 'client_credentials', authorization_details: details(), client_id: 'signer' },
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await proof,
    }),
  );

const bearer = async (token: string): Promise<string> => {
  const answer = await office.company.ask({ token }, '{ viewer { person { id } } }');
  return `${String(answer.status)} ${String(answer.errors[0]?.extensions.code)}`;
};
const exchange = async (subject: string, form: Record<string, string> = {}, more = {}): Promise<string> =>
  toldBy(await office.exchange(helper, subject, { task: 'ticket:T-1', purpose: 'An attack', ...more }, form));

const unauthenticated = { error: '401 UNAUTHENTICATED', recorded: 'counted' } as const;
const noClient = { error: '401 invalid_client', recorded: 'token' } as const;
const seconds = (): number => Math.floor(Date.now() / 1000);

const attacks: readonly Attack[] = [
  {
    name: 'a code of another sign-in, with the verifier of one’s own',
    attempt: () => redeem({ client_id: 'behalf-cli', code_verifier: 'v'.repeat(43) }),
    ...{ error: '400 invalid_grant', recorded: 'token' },
  },
  {
    name: 'a code of a person’s program, as an agent',
    attempt: () => redeem({ code_verifier: 'v'.repeat(43) }, helper),
    ...{ error: '400 invalid_request', recorded: 'token' },
  },
  {
    name: 'a token that somebody else signed',
    attempt: async () =>
      bearer(await assertion({ sub: ines.id, scope: 'users:manage' }, { typ: 'at+jwt' }, foreign)),
    ...unauthenticated,
  },
  {
    name: 'a token that nobody signed',
    attempt: () => bearer(new UnsecuredJWT({ sub: ines.id, aud: office.server.url }).encode()),
    ...unauthenticated,
  },
  {
    name: 'a refresh token in place of an access token',
    attempt: () => bearer(tokens.refresh_token ?? ''),
    ...unauthenticated,
  },
  { name: 'a code in place of an access token', attempt: () => bearer(stolen), ...unauthenticated },
  { name: 'an agent’s secret in place of a token', attempt: () => bearer(helper.secret), ...unauthenticated },
  {
    name: 'a refresh token as the subject of an exchange',
    attempt: () => exchange(tokens.refresh_token ?? ''),
    ...{ error: '400 invalid_request', recorded: 'token' },
  },
  {
    name: 'a person’s token without their consent',
    attempt: () => exchange(tokens.access_token),
    ...{ error: '400 invalid_request', recorded: 'token' },
  },
  {
    name: 'an actor of one’s own choice, by its token',
    attempt: () =>
      exchange(tokens.access_token, { actor_token: tokens.access_token, actor_token_type: accessTokenType }),
    ...{ error: '400 invalid_request', recorded: 'token' },
  },
  {
    name: 'an actor of one’s own choice, in the details',
    attempt: () => exchange(tokens.access_token, {}, { act: { sub: signer.id } }),
    ...{ error: '400 invalid_authorization_details', recorded: 'token' },
  },
  {
    name: 'an actor of one’s own choice, as another client in the form',
    attempt: () => exchange(tokens.access_token, { client_id: 'signer' }),
    ...{ error: '400 invalid_request', recorded: 'token' },
  },
  { name: 'an assertion that nobody signed', attempt: () => asSigner(unsignedAssertion()), ...noClient },
  {
    name: 'an assertion by the public key as a secret (HS256)',
    attempt: () => asSigner(assertion({}, { alg: 'HS256' }, new TextEncoder().encode(publicKey))),
    ...noClient,
  },
  {
    name: 'an assertion by another key under the same kid',
    attempt: () => asSigner(assertion({}, {}, foreign)),
    ...noClient,
  },
  {
    name: 'an assertion that brings its own key',
    attempt: async () => {
      const pair = await generateKeyPair('ES256', { extractable: true });
      return asSigner(
        assertion({}, { kid: undefined, jwk: await exportJWK(pair.publicKey) }, pair.privateKey),
      );
    },
    ...noClient,
  },
  {
    name: 'an assertion for another server',
    attempt: () => asSigner(assertion({ aud: 'https://other.example' })),
    ...noClient,
  },
  {
    name: 'an assertion about another agent',
    attempt: () => asSigner(assertion({ sub: 'helper' })),
    ...noClient,
  },
  { name: 'an expired assertion', attempt: () => asSigner(assertion({ exp: seconds() - 60 })), ...noClient },
  { name: 'an assertion without an id', attempt: () => asSigner(assertion({ jti: undefined })), ...noClient },
];

const unsignedAssertion = (): string =>
  new UnsecuredJWT({
    iss: 'signer',
    sub: 'signer',
    aud: office.server.url,
    jti: 'u',
    exp: seconds() + 60,
  }).encode();

testAttacks(() => office, attacks);

test('a sign-in whose cookies somebody else had put into the browser is worth nothing to them', async () => {
  const attacker = await CodeFlow.start({ issuer: office.server.url });
  const page = await attacker.browser.open(attacker.url.href);
  // Both browsers hold the same cookies now, and the person signs in with them.
  const victim = new Browser(office.server.url);
  victim.takeOver(attacker.browser);
  const uid = new URL(page.url).pathname.split('/').at(-1) ?? '';
  const returned = await victim.submit(page, { username: 'ines', password });
  expect(returned.url).toContain('code=');
  for (const path of [new URL(page.url).pathname, `/oauth/authorize/${uid}`]) {
    const seen = await attacker.browser.open(`${office.server.url}${path}`);
    expect([seen.status, seen.url.includes('code=')]).toEqual([400, false]);
  }
  const again = await CodeFlow.start({ issuer: office.server.url });
  expect((await attacker.browser.open(again.url.href)).html).toContain('name="password"');
});

describe('pages', () => {
  const flowFor = (more: Record<string, string> = {}) => CodeFlow.start({ issuer: office.server.url }, more);
  const consent = JSON.stringify([{ type: 'behalf_consent', agent: 'helper', scopes: ['tickets:read'] }]);
  const pages: readonly (readonly [string, () => Promise<Shown>])[] = [
    ['to sign in', async () => flowFor().then((flow) => flow.browser.open(flow.url.href))],
    [
      'to consent',
      async () => {
        const flow = await flowFor({ authorization_details: consent });
        return flow.signIn(await withPassword(office, ines), password);
      },
    ],
    [
      'of an error',
      async () =>
        flowFor({ redirect_uri: 'https://evil.example' }).then((flow) => flow.browser.open(flow.url.href)),
    ],
    [
      'of a sign-in that has expired',
      () => new Browser(office.server.url).open(`${office.server.url}/oauth/interaction/none`),
    ],
    ['of the account', async () => (await browserOf(office, ines)).home],
    ['of the welcome', () => new Browser(office.server.url).open(office.server.url)],
  ];

  test.each(pages)('%s: no page can be framed, run a script or load anything', async (_name, open) => {
    const { headers } = await open();
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('script-src');
    expect(headers.get('x-frame-options')).toBe('DENY');
  });

  test.each([
    '/account/sign-in?next=https://evil.example',
    '/account/sign-in?next=//evil.example',
    '/account/sign-in?redirect_uri=https://evil.example&return_to=https://evil.example',
    '/account?next=//evil.example',
    '//evil.example/account',
    '/%2f%2fevil.example/account',
    '/\\evil.example',
    '/account/signed-in?code=x&state=x&redirect_uri=https://evil.example',
    '/oauth/authorize?client_id=behalf-cli&redirect_uri=//evil.example',
    '/oauth/signed-in?redirect_uri=https://evil.example',
    '/oauth/callback/none?state=x&code=x&iss=https://evil.example',
  ])('no address here leads to another site: %s', async (path) => {
    const response = await fetch(`${office.server.url}${path}`, {
      redirect: 'manual',
      headers: { accept: 'text/html' },
    });
    const location = response.headers.get('location') ?? '/';
    expect(new URL(location, office.server.url).origin).toBe(office.server.url);
    expect(await response.text()).not.toMatch(/(?:href|action)="[^"]*evil\.example/);
  });
});

describe('an attempt to sign in', () => {
  /** How many times a password is hashed meanwhile. No time is measured: each hash takes the same work. */
  async function hashes(work: () => Promise<unknown>): Promise<number> {
    let count = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'SCRYPTREQUEST') count += 1;
      },
    }).enable();
    await work();
    hook.disable();
    return count;
  }

  test.each([
    ['an unknown name', 'nobody-of-that-name', password],
    ['a name that is too long', 'x'.repeat(300), password],
    ['a name in other letters', 'INES', password],
    ['a disabled account', 'gone', password],
    ['a wrong password', 'ines', 'not the password'],
  ])('with %s costs as much as a wrong password, and is told alike', async (_name, userName, typed) => {
    if (userName === 'gone') {
      const gone = await office.company.employee('gone', 'support-rep');
      await withPassword(office, gone);
      await office.company.do(({ tx }) => tx.update(users, eq('id', gone.id), { status: 'disabled' }));
    }
    const before = await standing(office.server.database);
    const flow = await CodeFlow.start({ issuer: office.server.url });
    const form = await flow.browser.open(flow.url.href);
    let answer: Shown | undefined;
    const count = await hashes(async () => {
      answer = await flow.browser.submit(form, { username: userName, password: typed });
    });
    expect([count, answer?.status]).toEqual([1, 422]);
    expect(answer?.html).toContain('The user name or the password is wrong.');
    expect(await standing(office.server.database)).toEqual(before);
    expect((await recordsOf(office.server.database, 'sign_in')).at(-1)).toMatchObject({ outcome: 'refused' });
  });
});
