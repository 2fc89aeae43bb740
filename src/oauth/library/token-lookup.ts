import { isoTime } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import { quote } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { oauthPayloads } from '../../store/tables/identity.js';
import { parsePayload } from './payload-adapter.js';
import { delegationType } from './authorization-details.js';
import type { SignIn } from '../../authority/chain.js';

/** The contents of an access token. It does not say whether its person, agents and delegation are still active. */
export interface AccessTokenFact {
  /** `tok_` and the first 22 characters of the digest: identifies the token without revealing it. */
  readonly tokenId: string;
  readonly userId: string;
  /** A sign-in has its own grant; under a delegation it is the delegation's id. */
  readonly grantId: string;
  /** The OAuth `client_id`: an agent's name, or the program through which a person signed in. */
  readonly clientId: string;
  /** The sign-in behind a token that a person uses directly. */
  readonly signIn?: SignIn;
  /** Absent for a token that a person uses directly. */
  readonly delegationId?: string;
  /** With a delegation: the generation of its chain's tokens at issue. */
  readonly generation?: number;
  /** The identifier of the resource that the token is for (RFC 8707); empty for a token without one. */
  readonly audience: string;
  readonly scopes: readonly string[];
  /** The earlier end of the token and its grant, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /** The thumbprint of the key that must sign a proof for each request (RFC 9449 section 6). */
  readonly dpopThumbprint?: string;
  /** The thumbprint of the certificate that each request must come with (RFC 8705 section 3.1). */
  readonly certificateThumbprint?: string;
}

/** A member of the stored token that no answer shows. */
export const generationMember = 'behalf_generation';

/** The generation of a token under a delegation; 0 for one without a generation. */
export function generationOf(extra: Readonly<Record<string, unknown>> | undefined): number {
  const generation = extra?.[generationMember];
  return typeof generation === 'number' ? generation : 0;
}

/** Members of a person's stored token (RFC 9470 section 6.2). `auth_time` is in seconds. */
export const signInMembers = (authTime: number, acr: string | undefined): Record<string, unknown> => ({
  auth_time: authTime,
  ...(acr === undefined ? {} : { acr }),
});

const signInOf = ({ auth_time: at, acr }: Readonly<Record<string, unknown>> = {}): SignIn => ({
  at: typeof at === 'number' ? at * 1000 : undefined,
  acr: typeof acr === 'string' ? acr : undefined,
});

export const tokenIdOf = (token: string): string => `tok_${sha256(token).slice(0, 22)}`;

const payloads = quote(oauthPayloads.name);

/** The grant must exist as well: a token that was saved while its grant was being revoked is worthless. */
const lookup = `
  SELECT t.account_id AS accountId, t.grant_id AS grantId, t.payload AS payload, t.expires_at AS expiresAt, g.expires_at AS grantExpiresAt
  FROM ${payloads} t
  JOIN ${payloads} g ON g.grant_id = t.grant_id AND g.model = 'Grant' AND g.expires_at > ?
  WHERE t.model = 'AccessToken' AND t.id = ? AND t.expires_at > ?`;

/** One read by primary key and one by index. Undefined for a token that is unknown, expired or revoked. */
export async function findAccessToken(
  connection: Connection,
  token: string,
  nowMs: number,
): Promise<AccessTokenFact | undefined> {
  // 43 characters of base64url; any other text is no token, and needs no read.
  if (!/^[\w-]{43}$/.test(token)) return undefined;
  const now = isoTime(nowMs).replace('T', ' ').replace('Z', '');
  const [row] = await connection.query(lookup, [now, sha256(token), now]);
  if (row === undefined) return undefined;
  const payload = parsePayload(String(row.payload));
  const { 'x5t#S256': bound } = payload;
  const delegationId = payload.rar?.find((detail) => detail.type === delegationType)?.delegation as
    string | undefined;
  return {
    tokenId: tokenIdOf(token),
    userId: String(row.accountId),
    grantId: String(row.grantId),
    clientId: payload.clientId ?? '',
    audience: typeof payload.aud === 'string' ? payload.aud : '',
    scopes: payload.scope?.split(' ') ?? [],
    expiresAt: Math.min(timeOf(row.expiresAt), timeOf(row.grantExpiresAt)),
    ...(delegationId === undefined
      ? { signIn: signInOf(payload.extra) }
      : { delegationId, generation: generationOf(payload.extra) }),
    ...(payload.jkt === undefined ? {} : { dpopThumbprint: payload.jkt }),
    ...(bound === undefined ? {} : { certificateThumbprint: bound }),
  };
}

const timeOf = (stored: unknown): number => Date.parse(`${String(stored).replace(' ', 'T')}Z`);
