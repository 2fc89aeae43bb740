import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose';
import type { Clock } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import type { Dialect, ForeignTokenType } from '../../delegation/token-dialects.js';
import { eq } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import { tokenIssuers, type TokenIssuerRow } from '../../store/tables/token-issuers.js';
import { idTokenAlgorithms } from '../identity-providers/provider-metadata.js';
import { readClaims, type CommonClaims } from './claims.js';
import { readChain, type ClaimedChain } from './dialects.js';
import { KeysOutOfReach, type IssuerKeys } from './issuer-keys.js';
import { RefusedToken } from './refused-token.js';

export interface ReadingParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly keys: IssuerKeys;
  /** The issuer of this server. */
  readonly issuer: string;
  /** The resource of this server (RFC 8707). */
  readonly resource: string;
}

/** A token of a trusted issuer that was checked. Its claims give no right. */
export interface ForeignToken extends ClaimedChain {
  readonly issuer: TokenIssuerRow;
  readonly type: ForeignTokenType;
  /** Identifies the token among those of its issuer. */
  readonly useId: string;
  /** The digest of the session at the provider (`sid`), where the token names one. */
  readonly session?: string;
  /** ISO 8601. */
  readonly issuedAt: string;
  /** After this moment the token is too old, or expired. */
  readonly usableUntilSeconds: number;
  /** Undefined where the token does not narrow the scopes. */
  readonly scopes: readonly string[] | undefined;
  readonly thumbprint: string | undefined;
}

const lengthMax = 16_384;
const clockToleranceSeconds = 10;

/** The media types of the header `typ` (RFC 8725 section 3.11). A missing one is empty. */
const headerTypes: Readonly<Record<ForeignTokenType, readonly string[]>> = {
  access_token: ['at+jwt'],
  id_token: ['', 'jwt'],
  jwt: ['', 'jwt'],
  'id-jag': ['oauth-id-jag+jwt'],
};

/** Whether a text has the form of a signed JWT. Tokens of this server have not. */
export const isSignedJwt = (text: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);

/**
 * Checks a token of a trusted issuer: type, issuer, signature, audience, times, resource, and who the parties are in the
 * issuer's dialect. Throws `RefusedToken` or an error of `jose` for a token that does not fit, and `KeysOutOfReach`.
 * @param told gets what the token claims, as soon as it is known
 */
export async function readForeignToken(
  text: string,
  type: ForeignTokenType,
  parts: ReadingParts,
  told: (claimed: string) => void,
): Promise<ForeignToken> {
  if (text.length > lengthMax) throw new RefusedToken(`the token is longer than ${String(lengthMax)} bytes`);
  if (!isSignedJwt(text)) throw new RefusedToken('the token is no signed JWT');
  const { header, claims: unverified } = unverifiedParts(text);
  told(`unverified: ${claimedBy(unverified)}`);
  requireHeaderType(type, header.typ);
  const issuer = await trustedIssuer(unverified.iss, parts.database);
  if (!issuer.tokenTypes.includes(type))
    throw new RefusedToken(`this type of token (${type}) is not accepted from its issuer`);
  const payload = await verified(text, issuer, parts);
  told(claimedBy(payload));
  const claims = readClaims(type, payload);
  requireAudience(type, claims, issuer, parts);
  if (claims.resources?.includes(parts.resource) === false)
    throw new RefusedToken('the claim resource names another resource');
  return {
    ...readChain(payload, {
      issuer: issuer.issuer,
      dialect: type === 'id-jag' ? 'client-id' : (issuer.dialect as Dialect),
      userClaim: issuer.userClaim,
      actorsMax: issuer.actorsMax,
    }),
    issuer,
    type,
    // A signature has several texts; what it signs has one.
    useId:
      claims.jti === undefined
        ? `digest ${sha256(text.slice(0, text.lastIndexOf('.')))}`
        : `jti ${claims.jti}`,
    issuedAt: new Date(claims.issuedAtSeconds * 1000).toISOString(),
    usableUntilSeconds:
      Math.ceil(Math.min(claims.expiresAtSeconds, claims.issuedAtSeconds + issuer.ageMaxSeconds)) +
      clockToleranceSeconds +
      1,
    ...(claims.session === undefined ? {} : { session: sha256(claims.session) }),
    scopes: claims.scopes,
    thumbprint: claims.thumbprint,
  };
}

/** The parts of a JWT, before anything of them is checked. Throws `RefusedToken` for another text. */
export function unverifiedParts(text: string) {
  try {
    return { header: decodeProtectedHeader(text), claims: decodeJwt(text) };
  } catch {
    throw new RefusedToken('the token is no signed JWT');
  }
}

async function verified(text: string, issuer: TokenIssuerRow, parts: ReadingParts): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(text, parts.keys.of(issuer), {
      issuer: issuer.issuer,
      algorithms: [...idTokenAlgorithms],
      clockTolerance: clockToleranceSeconds,
      maxTokenAge: issuer.ageMaxSeconds,
      currentDate: new Date(parts.clock.now()),
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof KeysOutOfReach) throw error;
    throw new KeysOutOfReach('a key that cannot be used', { cause: error });
  }
}

/** Why a token was refused, for its client. Undefined for a failure that is not the token's. */
export function refusalOf(error: unknown): string | undefined {
  if (error instanceof RefusedToken) return error.message;
  return error instanceof errors.JOSEError ? error.message.slice(0, 200) : undefined;
}

/** RFC 7515 section 4.1.9: `application/` may be left out, and case does not matter. */
function requireHeaderType(type: ForeignTokenType, typ: unknown): void {
  const given = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '';
  if ((typ === undefined || typeof typ === 'string') && headerTypes[type].includes(given)) return;
  const [first = ''] = headerTypes[type].slice(-1);
  throw new RefusedToken(`the header typ is not ${first}`);
}

async function trustedIssuer(iss: unknown, { read }: Database): Promise<TokenIssuerRow> {
  const known =
    typeof iss === 'string' && iss.length <= 255 && iss.isWellFormed()
      ? await read.one(tokenIssuers, eq<TokenIssuerRow>('issuer', iss))
      : undefined;
  if (known === undefined) throw new RefusedToken('the issuer is not trusted');
  return known;
}

/** Every audience must be ours: another one could use the token here. An ID-JAG is for this server's issuer alone. */
function requireAudience(
  type: ForeignTokenType,
  { audiences }: CommonClaims,
  issuer: TokenIssuerRow,
  parts: ReadingParts,
): void {
  const own = issuer.audiences.length === 0 ? [parts.issuer, parts.resource] : issuer.audiences;
  const accepted = type === 'id-jag' ? [parts.issuer] : own;
  if (!audiences.every((audience) => accepted.includes(audience)))
    throw new RefusedToken('the claim aud names another audience');
}

const textMax = 255;

/** The claims for the record, as they are written in the token; each at most 255 characters. */
export function claimedBy(claims: JWTPayload): string {
  const shown = ['iss', 'sub', 'jti', 'azp', 'client_id', 'act'].flatMap((name) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    if (value === undefined) return [];
    return [`${name} ${writtenOut(value).slice(0, textMax).toWellFormed()}`];
  });
  return shown.join(', ');
}

/** Never throws: JSON may be nested deeper than it can be written. */
function writtenOut(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value);
  } catch {
    return '(nested too deep to show)';
  }
}
