import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWTPayload } from 'jose';
import { unauthenticated } from '../core/errors.js';
import { firstUse, type PayloadStore } from './adapter.js';
import { dpopAlgorithms } from './configuration.js';
import type { AccessTokenFact } from './token-lookup.js';

/** A request to the protected resource, as far as a proof speaks about it. */
export interface ProvenRequest {
  readonly method: string;
  /** The scheme of the `Authorization` header: `Bearer` or `DPoP`. */
  readonly scheme: string;
  /** The `DPoP` header. Several make a list. */
  readonly proof: string | readonly string[] | undefined;
}

/** As long as the library gives a proof at the token endpoint. */
const windowSeconds = 300;

export interface Proof {
  readonly payload: JWTPayload;
  readonly thumbprint: string;
}

async function readProof(proof: string): Promise<Proof> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: [...dpopAlgorithms],
      typ: 'dpop+jwt',
    });
    const { jwk } = protectedHeader;
    return { payload, thumbprint: jwk === undefined ? '' : await calculateJwkThumbprint(jwk) };
  } catch {
    throw unauthenticated('The DPoP proof is not a valid signed proof (RFC 9449 section 4.2).');
  }
}

/** RFC 9449 section 4.3, items 8 to 12. */
function faultOf(
  { payload, thumbprint }: Proof,
  expected: { method: string; url: string; token: string; thumbprint: string; nowSeconds: number },
): string | undefined {
  const htu = typeof payload.htu === 'string' && URL.canParse(payload.htu) ? new URL(payload.htu) : undefined;
  if (payload.htm !== expected.method) return 'htm is not the method of this request';
  if (htu === undefined || `${htu.origin}${htu.pathname}` !== expected.url)
    return 'htu is not the URL of this request';
  if (typeof payload.iat !== 'number' || Math.abs(expected.nowSeconds - payload.iat) > windowSeconds) {
    return 'iat is too far from now';
  }
  if (payload.ath !== createHash('sha256').update(expected.token).digest('base64url')) {
    return 'ath is not the digest of the access token';
  }
  if (thumbprint !== expected.thumbprint) return 'the key is not the one that the token is bound to';
  return undefined;
}

export type CheckDpop = (request: ProvenRequest, token: string, fact: AccessTokenFact) => Promise<void>;

/**
 * Holds a request to the key that its token is bound to (RFC 9449 section 7). A token without a key is a bearer
 * token and needs no proof; a bound one is refused without a fresh proof that was never used before. Refuses
 * with `UNAUTHENTICATED`.
 */
export const makeCheckDpop =
  (store: Pick<PayloadStore, 'database' | 'clock'>, resource: string): CheckDpop =>
  async (request, token, fact) => {
    const scheme = request.scheme.toLowerCase();
    if (fact.dpopThumbprint === undefined) {
      if (scheme !== 'bearer') throw unauthenticated('This access token is a bearer token; send it as one.');
      return;
    }
    if (scheme !== 'dpop' || typeof request.proof !== 'string') {
      throw unauthenticated(
        'This access token is bound to a key: send it with the DPoP scheme and one DPoP proof.',
      );
    }
    const proof = await readProof(request.proof);
    const nowSeconds = Math.floor(store.clock.now() / 1000);
    const { method } = request;
    const fault = faultOf(proof, {
      method,
      url: resource,
      token,
      thumbprint: fact.dpopThumbprint,
      nowSeconds,
    });
    if (fault !== undefined) throw unauthenticated(`The DPoP proof does not fit: ${fault}.`);
    const { jti } = proof.payload;
    const isFirst =
      typeof jti === 'string' &&
      jti.length <= 256 &&
      (await firstUse(store, `dpop ${fact.dpopThumbprint}`, jti, nowSeconds + 2 * windowSeconds));
    if (!isFirst) throw unauthenticated('The DPoP proof was used before; make one for each request.');
  };
