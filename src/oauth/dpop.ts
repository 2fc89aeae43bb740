import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWTPayload } from 'jose';
import { BehalfError } from '../core/errors.js';
import { firstUse } from './library/first-use.js';
import type { PayloadStore } from './library/payload-adapter.js';
import type { AccessTokenFact } from './library/token-lookup.js';

export const dpopAlgorithms = ['ES256', 'Ed25519', 'EdDSA'] as const;

/** The error of RFC 9449 section 7.1 for a bad proof, or for a token of another key. */
type DpopFault = 'invalid_dpop_proof' | 'invalid_token';

/** A request is refused because of its proof, or because it has none, though its token is good. */
export class DpopRefused extends BehalfError {
  constructor(
    readonly fault: DpopFault,
    message: string,
    readonly fact: AccessTokenFact,
  ) {
    super('UNAUTHENTICATED', message);
  }
}

/** The parts of a request to the protected resource that a proof covers. */
export interface ProvenRequest {
  readonly method: string;
  /** As in the request: a path with its query, or a whole URL. */
  readonly target: string;
  /** The scheme in the `Authorization` header. */
  readonly scheme: 'Bearer' | 'DPoP';
  /** The `DPoP` header; several make a list. */
  readonly proof: string | readonly string[] | undefined;
}

/** The library accepts proofs at the token endpoint for as long. */
const windowSeconds = 300;

export interface Proof {
  readonly payload: JWTPayload;
  readonly thumbprint: string;
}

async function readProof(proof: string, fact: AccessTokenFact): Promise<Proof> {
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      algorithms: [...dpopAlgorithms],
      typ: 'dpop+jwt',
    });
    const { jwk } = protectedHeader;
    return { payload, thumbprint: jwk === undefined ? '' : await calculateJwkThumbprint(jwk) };
  } catch {
    throw new DpopRefused(
      'invalid_dpop_proof',
      'The DPoP proof is not a valid signed proof (RFC 9449 section 4.2).',
      fact,
    );
  }
}

/** The fault by RFC 9449 section 4.3, items 8 to 11. */
function faultOf(
  payload: JWTPayload,
  expected: { method: string; urls: readonly string[]; token: string; nowSeconds: number },
): string | undefined {
  if (payload.htm !== expected.method) return 'htm is not the method of this request';
  if (!expected.urls.includes(normalized(payload.htu) ?? '')) return 'htu is not the URL of this request';
  if (typeof payload.iat !== 'number' || Math.abs(expected.nowSeconds - payload.iat) > windowSeconds) {
    return 'iat is too far from now';
  }
  if (payload.ath !== createHash('sha256').update(expected.token).digest('base64url')) {
    return 'ath is not the digest of the access token';
  }
  return undefined;
}

/**
 * A URL in the normal form of RFC 3986 sections 6.2.2 and 6.2.3, without query and fragment; undefined for an invalid
 * one.
 */
function normalized(text: unknown): string | undefined {
  if (typeof text !== 'string' || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  url.search = '';
  url.hash = '';
  url.pathname = url.pathname.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /^[\w.~-]$/.test(character) ? character : escape.toUpperCase();
  });
  return url.href;
}

/** The host that a request names does not count: it came to one of our origins. */
const urlsOf = (origins: readonly string[], target: string): readonly string[] =>
  origins.flatMap(
    (origin) => normalized(`${origin}${target.startsWith('/') ? target : new URL(target).pathname}`) ?? [],
  );

export type CheckDpop = (request: ProvenRequest, token: string, fact: AccessTokenFact) => Promise<void>;

/**
 * Checks a request against the key that its token is bound to (RFC 9449 section 7). A token without a key is a bearer
 * token and needs no proof. A bound token needs a fresh proof that was never used before. Refuses with
 * `UNAUTHENTICATED`.
 */
export const makeCheckDpop =
  (store: Pick<PayloadStore, 'database' | 'clock'>, origins: readonly string[]): CheckDpop =>
  async (request, token, fact) => {
    const refused = (fault: DpopFault, message: string): DpopRefused => new DpopRefused(fault, message, fact);
    if (fact.dpopThumbprint === undefined) {
      if (request.scheme === 'Bearer') return;
      throw refused('invalid_token', 'This access token is a bearer token; send it as one.');
    }
    if (request.scheme !== 'DPoP') {
      throw refused('invalid_token', 'This access token is bound to a key: send it with the DPoP scheme.');
    }
    if (typeof request.proof !== 'string') {
      throw refused('invalid_dpop_proof', 'Send one DPoP proof with this access token.');
    }
    const { payload, thumbprint } = await readProof(request.proof, fact);
    const nowSeconds = Math.floor(store.clock.now() / 1000);
    const urls = urlsOf(origins, request.target);
    const fault = faultOf(payload, { method: request.method, urls, token, nowSeconds });
    if (fault !== undefined) {
      throw refused('invalid_dpop_proof', `The DPoP proof does not fit: ${fault}.`);
    }
    if (thumbprint !== fact.dpopThumbprint) {
      throw refused(
        'invalid_token',
        'The DPoP proof is of another key than the one that the token is bound to.',
      );
    }
    const { jti } = payload;
    const isFirst =
      typeof jti === 'string' &&
      jti.length <= 256 &&
      (await firstUse(store, `dpop ${fact.dpopThumbprint}`, jti, nowSeconds + 2 * windowSeconds));
    if (!isFirst) {
      throw refused('invalid_dpop_proof', 'The DPoP proof was used before; make one for each request.');
    }
  };
