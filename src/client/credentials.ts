import * as oauth from 'oauth4webapi';

/** A private key as JSON Web Key (RFC 7517): P-256, Ed25519 or RSA. */
export interface PrivateJwk {
  readonly kty: string;
  readonly crv?: string;
  readonly alg?: string;
  readonly kid?: string;
  readonly [member: string]: unknown;
}

/** How the agent proves who it is. Give one of them. */
export interface Credentials {
  /** The agent's secret, sent by HTTP Basic. */
  readonly secret?: string;
  /** Signs an assertion for each request of a token (RFC 7523). */
  readonly privateKey?: PrivateJwk | oauth.CryptoKey | oauth.PrivateKey;
  /** Gives a JWT that somebody else signed for this agent, such as a platform for its workloads. Called for each token. */
  readonly assertion?: () => string | Promise<string>;
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Client authentication at the token endpoint. Throws where not exactly one is given. */
export function clientAuth({ secret, privateKey, assertion }: Credentials): oauth.ClientAuth {
  const given = [secret, privateKey, assertion].filter((one) => one !== undefined);
  if (given.length !== 1) throw new TypeError('Give one of `secret`, `privateKey` and `assertion`.');
  if (secret !== undefined) return oauth.ClientSecretBasic(secret);
  if (privateKey !== undefined) return byKey(privateKey);
  return async (_server, client, body) => {
    body.set('client_id', client.client_id);
    body.set('client_assertion_type', assertionType);
    body.set('client_assertion', (await assertion?.()) ?? '');
  };
}

function byKey(key: NonNullable<Credentials['privateKey']>): oauth.ClientAuth {
  if (!('kty' in key)) return oauth.PrivateKeyJwt(key);
  let imported: Promise<oauth.PrivateKey> | undefined;
  return async (...request) => {
    imported ??= importKey(key);
    await oauth.PrivateKeyJwt(await imported)(...request);
  };
}

async function importKey(jwk: PrivateJwk): Promise<oauth.PrivateKey> {
  const key = await crypto.subtle.importKey('jwk', jwk, algorithmOf(jwk), false, ['sign']);
  return jwk.kid === undefined ? { key } : { key, kid: jwk.kid };
}

function algorithmOf({ kty, crv = '', alg }: PrivateJwk) {
  if (kty === 'EC') return { name: 'ECDSA', namedCurve: crv };
  if (kty === 'OKP') return { name: crv };
  return { name: alg?.startsWith('RS') === true ? 'RSASSA-PKCS1-v1_5' : 'RSA-PSS', hash: 'SHA-256' };
}
