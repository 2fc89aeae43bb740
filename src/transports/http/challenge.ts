import { DpopRefused, dpopAlgorithms } from '../../oauth/dpop.js';
import type { StepUp } from '../../operation/answer.js';
import type { Credentials } from '../../operation/callers.js';
import { describable } from '../../oauth/library/oauth-errors.js';

/**
 * The credentials of an `Authorization` header in one of the two schemes: RFC 6750 section 2.1, RFC 9449 section 7.1.
 * The token is not checked here.
 */
export function credentialsIn(authorization: string | undefined): Credentials | undefined {
  const { dpop, token } =
    /^(?:bearer|(?<dpop>dpop)) +(?<token>\S.*)$/i.exec(authorization ?? '')?.groups ?? {};
  return token === undefined ? undefined : { scheme: dpop === undefined ? 'Bearer' : 'DPoP', token };
}

/**
 * The values of `WWW-Authenticate`. A caller without a token is offered both schemes and sees no error (RFC 6750
 * section 3.1). A caller with one sees its fault, in the scheme that it came in (RFC 9449 section 7.1).
 * @param resourceMetadata the address of RFC 9728 section 5.1
 */
export function challenges(
  error: Error,
  credentials: Credentials | undefined,
  resourceMetadata: string,
): readonly string[] {
  const found = { resource_metadata: resourceMetadata };
  const dpop = { algs: dpopAlgorithms.join(' '), ...found };
  if (credentials === undefined) return [challenge('Bearer', found), challenge('DPoP', dpop)];
  const fault = {
    error: error instanceof DpopRefused ? error.fault : 'invalid_token',
    error_description: describable(error.message),
  };
  const isDpop = error instanceof DpopRefused || credentials.scheme === 'DPoP';
  return [isDpop ? challenge('DPoP', { ...fault, ...dpop }) : challenge('Bearer', { ...fault, ...found })];
}

/** The token is good, but the person has to sign in again (RFC 9470 section 3), for these scopes among others. */
export function stepUpChallenge(
  { message, acrValues, maxAgeSeconds, scopes }: StepUp,
  scheme: Credentials['scheme'],
  resourceMetadata: string,
): string {
  return challenge(scheme, {
    error: 'insufficient_user_authentication',
    error_description: describable(message),
    ...(acrValues === undefined ? {} : { acr_values: acrValues }),
    ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(scheme === 'DPoP' ? { algs: dpopAlgorithms.join(' ') } : {}),
    resource_metadata: resourceMetadata,
  });
}

/** The token is good, but lacks scopes that the request needs; a token with these has them (RFC 6750 section 3.1). */
export const scopeChallenge = (
  scopes: readonly string[],
  scheme: Credentials['scheme'],
  resourceMetadata: string,
): string =>
  challenge(scheme, {
    error: 'insufficient_scope',
    error_description: 'The token lacks scopes that are needed.',
    scope: scopes.join(' '),
    ...(scheme === 'DPoP' ? { algs: dpopAlgorithms.join(' ') } : {}),
    resource_metadata: resourceMetadata,
  });

const challenge = (scheme: Credentials['scheme'], parameters: Readonly<Record<string, string>>): string =>
  `${scheme} ${Object.entries(parameters)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}`;
