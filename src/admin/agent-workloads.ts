import { badInput } from '../core/errors.js';
import type { StoredWorkload } from '../store/tables/identity.js';
import { issuerOf, safeUrlOf } from './issuer-input.js';

export interface NewWorkload {
  readonly issuer: string;
  readonly subject: string;
  readonly keysUri?: string | null | undefined;
  readonly claims?: readonly { readonly name: string; readonly value: string }[] | null | undefined;
  readonly reusable?: boolean | null | undefined;
}

const workloadsMax = 10;
const claimsMax = 10;
const textMax = 255;

/** Claims that are checked anyway. */
const ownClaims = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti']);

/** Refuses with `BAD_USER_INPUT` what could never match a JWT, or matches one in two ways. */
export function parseWorkloads(given: readonly NewWorkload[], allowHttp: boolean): readonly StoredWorkload[] {
  if (given.length === 0 || given.length > workloadsMax)
    throw badInput(`Name 1 to ${String(workloadsMax)} workloads.`, 'workloads');
  const parsed = given.map((workload) => parseWorkload(workload, allowHttp));
  const keysOf = new Map<string, string | null>();
  for (const { issuer, keysUri } of parsed) {
    if (keysOf.has(issuer) && keysOf.get(issuer) !== keysUri)
      throw badInput('The keys of one issuer are at one address.', 'workloads');
    keysOf.set(issuer, keysUri);
  }
  return parsed;
}

function parseWorkload(
  { subject, claims, reusable, ...from }: NewWorkload,
  allowHttp: boolean,
): StoredWorkload {
  const { issuer, keysUri } = parseIssuer(from.issuer, from.keysUri ?? null, allowHttp);
  if (issuer.startsWith('spiffe://') && !subject.startsWith(`${issuer}/`))
    throw badInput('The subject is a SPIFFE ID of the trust domain.', 'workloads');
  return {
    issuer,
    subject: textOf(subject, 'The subject'),
    keysUri,
    claims: parseClaims(claims ?? []),
    reusable: reusable ?? false,
  };
}

function parseIssuer(
  issuer: string,
  keysUri: string | null,
  allowHttp: boolean,
): Pick<StoredWorkload, 'issuer' | 'keysUri'> {
  const keys = keysUri === null ? null : safeUrlOf(keysUri, allowHttp, 'keysUri', 500);
  if (!issuer.startsWith('spiffe://')) return { issuer: issuerOf(issuer, allowHttp), keysUri: keys };
  if (!/^spiffe:\/\/[a-z0-9._-]{1,240}$/.test(issuer))
    throw badInput('A trust domain is `spiffe://` and a name in lower case, without a path.', 'issuer');
  if (keys === null) throw badInput('A trust domain has no metadata: say `keysUri`.', 'keysUri');
  return { issuer, keysUri: keys };
}

function parseClaims(given: NonNullable<NewWorkload['claims']>): Readonly<Record<string, string>> {
  const claims = new Map<string, string>();
  for (const { name, value } of given) {
    textOf(name, 'The name of a claim');
    if (ownClaims.has(name)) throw badInput(`The claim ${name} is checked anyway.`, 'claims');
    if (/~(?![01])/.test(name) && name.startsWith('/'))
      throw badInput('In a JSON Pointer, `~` is followed by 0 or 1.', 'claims');
    if (claims.has(name)) throw badInput('A claim is named twice.', 'claims');
    claims.set(name, textOf(value, 'The value of a claim'));
  }
  if (claims.size > claimsMax)
    throw badInput(`A workload names at most ${String(claimsMax)} further claims.`, 'claims');
  return Object.fromEntries(claims);
}

function textOf(text: string, what: string): string {
  if (text !== '' && text.length <= textMax && text.isWellFormed()) return text;
  throw badInput(`${what} has 1 to ${String(textMax)} characters.`, 'workloads');
}
