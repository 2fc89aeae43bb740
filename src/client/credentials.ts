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

/** Makes the client authentication of one request to the token endpoint. */
export type Authenticate = () => Promise<oauth.ClientAuth>;

/** Throws where not exactly one credential is given. */
export function authenticateBy({ secret, privateKey, assertion }: Credentials): Authenticate {
  const given = [secret, privateKey, assertion].filter((one) => one !== undefined);
  if (given.length !== 1) throw new TypeError('Give one of `secret`, `privateKey` and `assertion`.');
  if (assertion !== undefined) return async () => assertedBy((await assertion()).trim());
  let auth: Promise<oauth.ClientAuth> | undefined;
  const once = async (): Promise<oauth.ClientAuth> =>
    privateKey === undefined
      ? oauth.ClientSecretBasic(secret ?? '')
      : oauth.PrivateKeyJwt(await keyOf(privateKey));
  return () => (auth ??= once());
}

const assertedBy =
  (jwt: string): oauth.ClientAuth =>
  (_server, client, body) => {
    body.set('client_id', client.client_id);
    body.set('client_assertion_type', assertionType);
    body.set('client_assertion', jwt);
  };

const keyOf = async (
  key: NonNullable<Credentials['privateKey']>,
): Promise<oauth.CryptoKey | oauth.PrivateKey> => ('kty' in key ? importKey(key) : key);

async function importKey(jwk: PrivateJwk): Promise<oauth.PrivateKey> {
  const key = await crypto.subtle.importKey('jwk', jwk, algorithmOf(jwk), false, ['sign']);
  return jwk.kid === undefined ? { key } : { key, kid: jwk.kid };
}

function algorithmOf({ kty, crv = '', alg }: PrivateJwk) {
  if (kty === 'EC') return { name: 'ECDSA', namedCurve: crv };
  if (kty === 'OKP') return { name: crv };
  return { name: alg?.startsWith('RS') === true ? 'RSASSA-PKCS1-v1_5' : 'RSA-PSS', hash: 'SHA-256' };
}
