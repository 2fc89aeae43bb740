import { z } from 'zod';
import type { ForeignTokenType } from '../../delegation/token-dialects.js';
import { RefusedToken } from './refused-token.js';

const list = z.union([z.string(), z.array(z.string()).max(50)]);

const everywhere = {
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string()).min(1).max(20)]),
  exp: z.number(),
  iat: z.number(),
  jti: z.string().min(1).max(500).optional(),
  /** A token with `events` is a message about a session or a person, such as a logout token (RFC 8417). */
  events: z.never().optional(),
  scope: z.string().max(10_000).optional(),
  /** The claim of some issuers for `scope`. */
  scp: list.optional(),
  resource: list.optional(),
  /** The session at the provider, by the name in its logout tokens. */
  sid: z.string().min(1).max(1_000).optional(),
  /** RFC 9449 section 6.1; a binding to anything else cannot be checked here. */
  cnf: z.strictObject({ jkt: z.string() }).optional(),
};

const jti = z.string().min(1).max(500);
const name = z.string().min(1).max(255);

const shapes = {
  /** RFC 9068 section 2.2. */
  access_token: z.object({ ...everywhere, sub: name, client_id: name, jti }),
  /** OpenID Connect Core section 2. */
  id_token: z.object({ ...everywhere, sub: name }),
  /** An ID token is not taken for another JWT. */
  jwt: z.object({
    ...everywhere,
    nonce: z.never().optional(),
    at_hash: z.never().optional(),
    c_hash: z.never().optional(),
  }),
  /** The draft draft-ietf-oauth-identity-assertion-authz-grant. It has no actors but the client. */
  'id-jag': z.object({ ...everywhere, sub: name, client_id: name, jti, act: z.never().optional() }),
} satisfies Record<ForeignTokenType, z.ZodType>;

/** The claims that every type of token has. */
export interface CommonClaims {
  readonly audiences: readonly string[];
  readonly expiresAtSeconds: number;
  readonly issuedAtSeconds: number;
  readonly jti: string | undefined;
  readonly session: string | undefined;
  /** Undefined where the token does not say. */
  readonly scopes: readonly string[] | undefined;
  /** Undefined where the token does not say. */
  readonly resources: readonly string[] | undefined;
  /** The thumbprint of the key that the client must prove. */
  readonly thumbprint: string | undefined;
}

/** Throws `RefusedToken` where a claim is missing or has no place in a token of this type. */
export function readClaims(type: ForeignTokenType, claims: unknown): CommonClaims {
  const parsed = shapes[type].safeParse(claims);
  if (!parsed.success) {
    const claim = parsed.error.issues[0]?.path[0];
    throw new RefusedToken(`the claim ${String(claim)} is not that of this type of token (${type})`);
  }
  const { aud, exp, iat, scope, scp, resource, cnf } = parsed.data;
  return {
    audiences: asList(aud),
    expiresAtSeconds: exp,
    issuedAtSeconds: iat,
    jti: parsed.data.jti,
    session: parsed.data.sid,
    scopes: scope === undefined && scp === undefined ? undefined : scopesIn(scope, scp),
    resources: resource === undefined ? undefined : asList(resource),
    thumbprint: cnf?.jkt,
  };
}

const asList = (value: string | readonly string[]): readonly string[] =>
  typeof value === 'string' ? [value] : value;

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

/** Where a token has both claims, each narrows. */
function scopesIn(scope: string | undefined, scp: string | readonly string[] | undefined): readonly string[] {
  const inScope = scope === undefined ? undefined : words(scope);
  const inScp = scp === undefined ? undefined : asList(scp).flatMap(words);
  if (inScope === undefined || inScp === undefined) return inScope ?? inScp ?? [];
  return inScope.filter((one) => inScp.includes(one));
}
