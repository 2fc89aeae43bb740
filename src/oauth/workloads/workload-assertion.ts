import { errors, jwtVerify, type JWTPayload } from 'jose';
import { sha256 } from '../../core/digest.js';
import type { AgentRow, StoredWorkload } from '../../store/tables/identity.js';
import { KeysOutOfReach } from '../foreign-tokens/issuer-keys.js';
import { claimedBy, refusalOf, unverifiedParts } from '../foreign-tokens/read-token.js';
import { RefusedToken } from '../foreign-tokens/refused-token.js';
import { idTokenAlgorithms } from '../identity-providers/provider-metadata.js';
import type { WorkloadKeys } from './workload-keys.js';

export interface AssertionParts {
  readonly keys: WorkloadKeys;
  /** The issuer of this server and its token endpoint: the audiences that are taken (RFC 7523 section 3). */
  readonly audiences: readonly string[];
}

/** One use of an assertion that was checked. */
export interface WorkloadUse {
  readonly issuer: string;
  /** Identifies the assertion among those of its issuer. Undefined where it may be used again. */
  readonly useId: string | undefined;
  readonly expiresAtSeconds: number;
}

const lengthMax = 16_384;
const clockToleranceSeconds = 10;
/** A JWT that lasts longer is as good as a secret. */
const lifeSecondsMax = 3_600;

/** Kubernetes sends no `typ`; SPIFFE allows `JOSE`; the last one is of draft-ietf-oauth-rfc7523bis. */
const headerTypes = ['', 'jwt', 'jose', 'client-authentication+jwt'];

/**
 * Before its signature is known, an assertion gets one answer, so that nobody learns which workloads are bound to an
 * agent: also where the keys of a bound issuer cannot be read.
 */
export const unproven =
  'the assertion is not signed by the issuer of a workload that is bound to this agent, or its keys cannot be read now';

/**
 * Checks that a JWT is of a workload that is bound to the agent. Throws `RefusedToken` with a reason for the caller, whose
 * cause is for the record, and `KeysOutOfReach`.
 * @param told gets what the assertion claims, as soon as it is known
 */
export async function checkAssertion(
  text: string,
  agent: Pick<AgentRow, 'workloads'> | undefined,
  nowMs: number,
  { keys, audiences }: AssertionParts,
  told: (claimed: string) => void,
): Promise<WorkloadUse> {
  if (text.length > lengthMax)
    throw new RefusedToken(`the assertion is longer than ${String(lengthMax)} bytes`);
  const { header, claims: unverified } = unverifiedParts(text);
  told(`unverified: ${claimedBy(unverified)}`);
  requireHeaderType(header.typ);
  const issuer = issuerIn(unverified);
  const bound = (agent?.workloads ?? []).filter((workload) => workload.issuer === issuer);
  const [first] = bound;
  if (first === undefined) throw new RefusedToken(unproven, { cause: 'no workload of this issuer' });
  const payload = await verified(text, first, nowMs, keys);
  told(claimedBy(payload));
  requireLife(payload, nowMs);
  requireAudience(payload, audiences);
  const workload = workloadIn(payload, bound);
  return {
    issuer,
    useId: workload.reusable ? undefined : useIdOf(text, payload),
    expiresAtSeconds: Math.ceil(payload.exp ?? 0) + clockToleranceSeconds + 1,
  };
}

/** A JWT-SVID may lack `iss`: its trust domain is in the SPIFFE ID. */
function issuerIn({ iss, sub }: JWTPayload): string {
  if (typeof iss === 'string') return iss;
  const [domain] = (typeof sub === 'string' ? /^spiffe:\/\/[^/]+/.exec(sub) : null) ?? [];
  if (domain === undefined) throw new RefusedToken('the assertion has no claim iss');
  return domain;
}

async function verified(
  text: string,
  workload: StoredWorkload,
  nowMs: number,
  keys: WorkloadKeys,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(text, keys.of(workload), {
      algorithms: [...idTokenAlgorithms],
      clockTolerance: clockToleranceSeconds,
      requiredClaims: ['exp'],
      currentDate: new Date(nowMs),
    });
    return payload;
  } catch (error) {
    if (error instanceof KeysOutOfReach) throw error;
    const isProven = error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed;
    const reason = refusalOf(error);
    if (reason === undefined) throw new KeysOutOfReach('a key that cannot be used', { cause: error });
    throw isProven ? new RefusedToken(reason) : new RefusedToken(unproven, { cause: reason });
  }
}

function requireHeaderType(typ: unknown): void {
  const given = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '';
  if ((typ === undefined || typeof typ === 'string') && headerTypes.includes(given)) return;
  throw new RefusedToken('the header typ is that of another kind of JWT');
}

function requireLife({ exp = 0, iat }: JWTPayload, nowMs: number): void {
  const now = nowMs / 1000;
  if (iat !== undefined && iat > now + clockToleranceSeconds)
    throw new RefusedToken('the claim iat is in the future');
  if (exp - Math.min(iat ?? now, now) > lifeSecondsMax + clockToleranceSeconds)
    throw new RefusedToken(`the assertion lasts longer than ${String(lifeSecondsMax)} seconds`);
}

/** Every audience must be ours: another one could use the assertion here. */
function requireAudience({ aud }: JWTPayload, accepted: readonly string[]): void {
  const given = aud === undefined ? [] : [aud].flat();
  if (given.length > 0 && given.every((audience) => accepted.includes(audience))) return;
  throw new RefusedToken(
    'the claim aud must be the issuer of this server or its token endpoint, and no other',
  );
}

/** The bound workload with exactly these claims. */
function workloadIn(payload: JWTPayload, bound: readonly StoredWorkload[]): StoredWorkload {
  const sameSubject = bound.filter(({ subject }) => subject === payload.sub);
  if (sameSubject.length === 0)
    throw new RefusedToken('the claim sub is of no workload that is bound to this agent');
  let missed = '';
  for (const workload of sameSubject) {
    const other = Object.entries(workload.claims).find(([name, value]) => claimAt(payload, name) !== value);
    if (other === undefined) return workload;
    missed = other[0];
  }
  throw new RefusedToken(`the claim ${missed} is not that of a workload that is bound to this agent`);
}

/** A claim by its name, or by a JSON Pointer (RFC 6901). */
function claimAt(payload: JWTPayload, name: string): unknown {
  if (!name.startsWith('/')) return ownValue(payload, name);
  const path = name.slice(1).split('/');
  return path.reduce<unknown>(
    (value, step) => ownValue(value, step.replaceAll('~1', '/').replaceAll('~0', '~')),
    payload,
  );
}

const ownValue = (of: unknown, name: string): unknown =>
  typeof of === 'object' && of !== null && !Array.isArray(of) && Object.hasOwn(of, name)
    ? (of as Readonly<Record<string, unknown>>)[name]
    : undefined;

/** A signature has several texts; what it signs has one. */
const useIdOf = (text: string, { jti }: JWTPayload): string =>
  typeof jti === 'string' && jti !== ''
    ? `jti ${jti}`
    : `digest ${sha256(text.slice(0, text.lastIndexOf('.')))}`;
