// databases: sqlite, mariadb
import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { AgentRow, UserRow } from '../../../src/store/tables/identity.js';
import { CodeFlow, discover, insecure } from './browser.js';
import { forwardSeconds, Harness } from './harness.js';
import { password } from '../../support/passwords.js';

let harness: Harness;
let ada: UserRow;
let support: { agent: AgentRow; secret: string };
let keys: CryptoKeyPair;
let thumbprint: string;
let jwk: JWK;

interface CryptoKeyPair {
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

beforeAll(async () => {
  harness = await Harness.start();
  ada = await harness.addUser('ada');
  support = await harness.addAgent('support-agent', ada.id);
  keys = await generateKeyPair('ES256', { extractable: true });
  jwk = await exportJWK(keys.publicKey);
  thumbprint = await calculateJwkThumbprint(jwk);
});
afterAll(() => harness.stop());
beforeEach(() => {
  forwardSeconds(3600);
});

const proofFor = (claims: object, signer = keys.privateKey, header: object = { jwk }) =>
  new SignJWT({ jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', ...header })
    .sign(signer);

async function boundToken() {
  const delegation = harness.delegations.make({
    userId: ada.id,
    agentId: support.agent.id,
    scopes: ['tickets:read'],
  });
  const form = {
    grant_type: 'client_credentials',
    authorization_details: JSON.stringify([{ type: 'behalf_delegation', delegation: delegation.id }]),
  };
  const proof = await proofFor({ htm: 'POST', htu: `${harness.issuer}/oauth/token` });
  const { body } = await harness.post(
    '/oauth/token',
    form,
    { id: 'support-agent', secret: support.secret },
    { dpop: proof },
  );
  const again = await harness.post(
    '/oauth/token',
    form,
    { id: 'support-agent', secret: support.secret },
    { dpop: proof },
  );
  const token = String(body.access_token);
  const fact = await harness.fact(token);
  if (fact === undefined) throw new Error(JSON.stringify(body));
  return { body, token, fact, again };
}

test("an agent's token is bound to the key of its proof, and a proof works once", async () => {
  const { body, fact, again } = await boundToken();
  expect(body.token_type).toBe('DPoP');
  expect(fact.dpopThumbprint).toBe(thumbprint);
  expect(again.status).toBe(400);
});

test("a person's token is bound too, through an independent client", async () => {
  const flow = await CodeFlow.start(harness);
  const client: oauth.Client = { client_id: 'behalf-cli' };
  const dpop = oauth.DPoP(client, keys);
  const response = await flow.redeemRaw(await flow.signIn('ada', password), { DPoP: dpop, ...insecure });
  const tokens = await oauth.processAuthorizationCodeResponse(await discover(harness), client, response);
  expect(tokens.token_type).toBe('dpop');
  expect((await harness.fact(tokens.access_token))?.dpopThumbprint).toBe(thumbprint);
});

test('a bound token needs a fresh proof that fits, once', async () => {
  const { token, fact } = await boundToken();
  const htu = `${harness.issuer}/graphql`;
  const ath = createHash('sha256').update(token).digest('base64url');
  const check = async (proof: string | string[] | undefined, scheme: 'DPoP' | 'Bearer' = 'DPoP') =>
    harness.oauth.checkDpop({ method: 'POST', target: '/graphql', scheme, proof }, token, fact);
  const good = { htm: 'POST', htu, ath };
  const proof = await proofFor(good);
  await expect(check(proof)).resolves.toBeUndefined();
  await expect(check(proof)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });

  const stranger = await generateKeyPair('ES256', { extractable: true });
  const refused: (string | string[] | undefined)[] = [
    undefined,
    'not a proof',
    [await proofFor(good), await proofFor(good)],
    await proofFor({ ...good, htm: 'GET' }),
    await proofFor({ ...good, htu: 'http://evil.example/graphql' }),
    await proofFor({ ...good, ath: 'other' }),
    await proofFor({ ...good, iat: Math.floor(Date.now() / 1000) - 301 }),
    await proofFor({ ...good, iat: Math.floor(Date.now() / 1000) + 360 }),
    await proofFor({ ...good, jti: undefined }),
    await proofFor(good, stranger.privateKey),
    await proofFor(good, stranger.privateKey, { jwk: await exportJWK(stranger.publicKey) }),
    await proofFor(good, keys.privateKey, { jwk, typ: 'jwt' }),
  ];
  for (const bad of refused) await expect(check(bad)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await expect(check(await proofFor(good), 'Bearer')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('a bearer token needs no proof, and is not sent as a bound one', async () => {
  const { fact, token } = await boundToken();
  const { dpopThumbprint: _, ...bearer } = fact;
  await expect(
    harness.oauth.checkDpop(
      { method: 'POST', target: '/graphql', scheme: 'Bearer', proof: undefined },
      token,
      bearer,
    ),
  ).resolves.toBeUndefined();
  await expect(
    harness.oauth.checkDpop(
      { method: 'POST', target: '/graphql', scheme: 'DPoP', proof: undefined },
      token,
      bearer,
    ),
  ).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('a bound token is exchanged only with a proof of its key', async () => {
  const { token } = await boundToken();
  const finance = await harness.addAgent('finance-agent', ada.id);
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  };
  const as = { id: 'finance-agent', secret: finance.secret };
  expect((await harness.post('/oauth/token', form, as)).body.error).toBe('invalid_request');
  const proof = await proofFor({ htm: 'POST', htu: `${harness.issuer}/oauth/token` });
  expect((await harness.post('/oauth/token', form, as, { dpop: proof })).status).toBe(200);
});
