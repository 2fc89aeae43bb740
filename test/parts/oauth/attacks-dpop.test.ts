// databases: sqlite, mariadb
import { createHash, randomUUID } from 'node:crypto';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  type CryptoKey,
  type JWK,
} from 'jose';
import { afterAll, beforeAll } from 'vitest';
import { withPassword } from '../../support/account.js';
import type { Employee } from '../../support/administration.js';
import { askingAgent, askedBy, callback, details } from '../../support/asking-agents.js';
import { testAttacks, toldBy, type Attack } from '../../support/attack-table.js';
import { accessTokenType, given, Office, type Agent, type TokenAnswer } from '../../support/office.js';

let office: Office;
let ines: Employee;
let open: Agent;
let next: Agent;
let delegation: string;
let helper: Agent;
/** The key of the honest client, and that of the thief. */
let key: CryptoKey;
let jwk: JWK;
let own: CryptoKey;
let ownJwk: JWK;
/** Stolen goods: tokens that are bound to the honest client's key, and its proofs, which were used. */
let bound: string;
let refreshToken: string;
let code: { readonly code: string; readonly verifier: string };
let usedAtToken: string;
let usedAtResource: string;

const seconds = (): number => Math.floor(Date.now() / 1000);
const tokenUrl = (): string => `${office.server.url}/oauth/token`;
const resourceUrl = (): string => `${office.server.url}/graphql`;
const digest = (token: string): string => createHash('sha256').update(token).digest('base64url');

/** A good proof for a request, but for the changes. */
const proof = (
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
  signer: CryptoKey | Uint8Array = key,
): Promise<string> =>
  new SignJWT({ jti: randomUUID(), iat: seconds(), htm: 'POST', ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
    .sign(signer);

async function post(
  form: Record<string, string>,
  proofs: readonly string[],
  as?: Agent,
): Promise<TokenAnswer> {
  const headers = new Headers(
    as === undefined
      ? {}
      : { authorization: `Basic ${Buffer.from(`${as.name}:${as.secret}`).toString('base64')}` },
  );
  for (const one of proofs) headers.append('dpop', one);
  const response = await fetch(tokenUrl(), { method: 'POST', headers, body: new URLSearchParams(form) });
  return { status: response.status, body: (await response.json()) as TokenAnswer['body'] };
}

/** The status and the error of the challenge (RFC 9449 section 7.1). */
async function ask(scheme: 'DPoP' | 'Bearer', proofs: readonly string[], token = bound): Promise<Response> {
  const headers = new Headers({ 'content-type': 'application/json', authorization: `${scheme} ${token}` });
  for (const one of proofs) headers.append('dpop', one);
  return fetch(resourceUrl(), { method: 'POST', headers, body: '{"query":"{ viewer { scopes } }"}' });
}
async function used(scheme: 'DPoP' | 'Bearer', proofs: readonly string[], token = bound): Promise<string> {
  const response = await ask(scheme, proofs, token);
  const challenge = response.headers.get('www-authenticate') ?? '';
  return `${String(response.status)} ${/error="([a-z_]+)"/.exec(challenge)?.[1] ?? 'no error'}`;
}

const underDelegation = (): Record<string, string> => ({
  grant_type: 'client_credentials',
  authorization_details: details({ delegation }),
});

beforeAll(async () => {
  office = await Office.start();
  ines = await office.company.employee('ines', 'support-rep');
  helper = await office.agent('helper', ines, 'support-agent');
  next = await office.agent('next', ines, 'support-agent');
  open = await askingAgent(office, 'open', { isPublic: true });
  await withPassword(office, ines);
  const [honest, thief] = await Promise.all([
    generateKeyPair('ES256', { extractable: true }),
    generateKeyPair('ES256', { extractable: true }),
  ]);
  [key, own] = [honest.privateKey, thief.privateKey];
  [jwk, ownJwk] = [await exportJWK(honest.publicKey), await exportJWK(thief.publicKey)];
  delegation = await office.delegate(ines, { agent: 'helper', scopes: ['tickets:read'], depth: 1 });
  usedAtToken = await proof({ htu: tokenUrl() });
  bound = given(await post(underDelegation(), [usedAtToken], helper));
  usedAtResource = await proof({ htu: resourceUrl(), ath: digest(bound) });
  const { status } = await ask('DPoP', [usedAtResource]);
  if (status !== 200) throw new Error(`The bound token does not work: ${String(status)}`);
  const redeem = async (more: Record<string, string> = {}) => {
    const [flow, page] = await askedBy(office, open, ines, more);
    const returned = await flow.browser.submit(page, {});
    return { code: new URL(returned.url).searchParams.get('code') ?? '', verifier: flow.verifier };
  };
  const first = await post(redeemForm(await redeem()), [await proof({ htu: tokenUrl() })]);
  given(first);
  refreshToken = first.body.refresh_token ?? '';
  code = await redeem({ dpop_jkt: await calculateJwkThumbprint(jwk) });
});
afterAll(() => office.server.stop());

const redeemForm = (from: typeof code): Record<string, string> => ({
  ...{ grant_type: 'authorization_code', client_id: open.name, redirect_uri: callback },
  ...{ code: from.code, code_verifier: from.verifier },
});

const publicText = (): Uint8Array => new TextEncoder().encode(JSON.stringify(jwk));
const byOwnKey = (claims: Readonly<Record<string, unknown>>): Promise<string> =>
  proof(claims, { jwk: ownJwk }, own);

type Claims = Readonly<Record<string, unknown>>;
/** Proofs that no endpoint takes, given the claims of a good one. */
const badProofs: readonly (readonly [what: string, make: (good: Claims) => Promise<string> | string])[] = [
  ['that is no JWT', () => 'a.b.c'],
  [
    'that nobody signed',
    (good) => new UnsecuredJWT({ jti: randomUUID(), iat: seconds(), htm: 'POST', ...good }).encode(),
  ],
  ['by a secret key (HS256)', (good) => proof(good, { alg: 'HS256' }, publicText())],
  ['of another type', (good) => proof(good, { typ: 'JWT' })],
  ['with the key of another', (good) => proof(good, {}, own)],
  ['with a kid in place of its key', (good) => proof(good, { jwk: undefined, kid: 'one' })],
  ['with a private key', async (good) => proof(good, { jwk: { ...jwk, d: (await exportJWK(key)).d } })],
  ['for another method', (good) => proof({ ...good, htm: 'GET' })],
  ['for another host', (good) => proof({ ...good, htu: 'https://evil.example/graphql' })],
  ['for another path', (good) => proof({ ...good, htu: `${String(good.htu)}/more` })],
  ['that is too old', (good) => proof({ ...good, iat: seconds() - 3_600 })],
  ['of a time to come', (good) => proof({ ...good, iat: seconds() + 3_600 })],
  ['without a time', (good) => proof({ ...good, iat: undefined })],
  ['without an id', (good) => proof({ ...good, jti: undefined })],
];

const atToken = (): Claims => ({ htu: tokenUrl() });
const atResource = (): Claims => ({ htu: resourceUrl(), ath: digest(bound) });
const badProof = '400 invalid_dpop_proof';

const attacks: readonly Attack[] = [
  ...badProofs.map(([what, make]) => ({
    name: `a proof ${what}, for a token`,
    attempt: async () => toldBy(await post(underDelegation(), [await make(atToken())], helper)),
    ...{ error: badProof, recorded: 'token' as const },
  })),
  {
    name: 'two proofs, for a token',
    attempt: async () =>
      toldBy(await post(underDelegation(), [await proof(atToken()), await proof(atToken())], helper)),
    ...{ error: badProof, recorded: 'token' },
  },
  {
    name: 'a proof that was used, for a token',
    attempt: async () => toldBy(await post(underDelegation(), [usedAtToken], helper)),
    ...{ error: '400 invalid_grant', recorded: 'token' },
  },
  {
    name: 'a proof for the resource, for a token',
    attempt: async () => toldBy(await post(underDelegation(), [await proof(atResource())], helper)),
    ...{ error: badProof, recorded: 'token' },
  },
  ...(
    [
      ['without proof', () => []],
      ['with a key of one’s own', async () => [await byOwnKey(atToken())]],
    ] as const satisfies readonly (readonly [string, () => string[] | Promise<string[]>])[]
  ).flatMap(([what, proofs]) => [
    {
      name: `a stolen bound token, exchanged ${what}`,
      attempt: async () =>
        toldBy(
          await post(
            {
              ...{ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: bound },
              subject_token_type: accessTokenType,
            },
            await proofs(),
            next,
          ),
        ),
      ...{ error: '400 invalid_request', recorded: 'token' as const },
    },
    {
      name: `a stolen bound refresh token, ${what}`,
      attempt: async () =>
        toldBy(
          await post(
            { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: open.name },
            await proofs(),
          ),
        ),
      ...{ error: '400 invalid_grant', recorded: 'token' as const },
    },
    {
      name: `a stolen bound code, ${what}`,
      attempt: async () => toldBy(await post(redeemForm(code), await proofs())),
      ...{ error: '400 invalid_grant', recorded: 'token' as const },
    },
  ]),
  {
    name: 'a stolen bound token, as a bearer token',
    attempt: () => used('Bearer', []),
    ...{ error: '401 invalid_token', recorded: 'rejected' },
  },
  {
    name: 'a stolen bound token, as a bearer token with a good proof of one’s own',
    attempt: async () => used('Bearer', [await byOwnKey(atResource())]),
    ...{ error: '401 invalid_token', recorded: 'rejected' },
  },
  {
    name: 'a stolen bound token, without proof',
    attempt: () => used('DPoP', []),
    ...{ error: '401 invalid_dpop_proof', recorded: 'rejected' },
  },
  {
    name: 'a stolen bound token, with a key of one’s own',
    attempt: async () => used('DPoP', [await byOwnKey(atResource())]),
    ...{ error: '401 invalid_token', recorded: 'rejected' },
  },
  ...badProofs.map(([what, make]) => ({
    name: `a proof ${what}, at the resource`,
    attempt: async () => used('DPoP', [await make(atResource())]),
    ...{ error: '401 invalid_dpop_proof', recorded: 'rejected' as const },
  })),
  {
    name: 'two proofs, at the resource',
    attempt: async () => used('DPoP', [await proof(atResource()), await proof(atResource())]),
    ...{ error: '401 invalid_dpop_proof', recorded: 'rejected' },
  },
  {
    name: 'a proof that was used, at the resource',
    attempt: () => used('DPoP', [usedAtResource]),
    ...{ error: '401 invalid_dpop_proof', recorded: 'rejected' },
  },
  {
    name: 'a proof without the digest of the token, at the resource',
    attempt: async () => used('DPoP', [await proof({ ...atResource(), ath: undefined })]),
    ...{ error: '401 invalid_dpop_proof', recorded: 'rejected' },
  },
  {
    name: 'a proof for another token, at the resource',
    attempt: async () => used('DPoP', [await proof({ ...atResource(), ath: digest('another') })]),
    ...{ error: '401 invalid_dpop_proof', recorded: 'rejected' },
  },
  {
    name: 'a proof for the token endpoint, at the resource',
    attempt: async () => used('DPoP', [await proof(atToken())]),
    ...{ error: '401 invalid_dpop_proof', recorded: 'rejected' },
  },
];

testAttacks(() => office, attacks);
