import { errors } from './oidc-provider.js';
import { BehalfError, isOurFailure } from '../../core/errors.js';

/** A failure of the server: RFC 6749 section 4.1.2.1 has the error code, HTTP the status. */
export class TemporarilyUnavailable extends errors.OIDCProviderError {
  constructor(cause: unknown) {
    super(503, 'temporarily_unavailable', { cause });
    this.expose = true;
    this.error_description = 'the server cannot answer now; try again later';
  }
}

/** RFC 6749 section 5.2, before the secret is looked at: nobody learns whether it is one. */
export class SecretsRefused extends errors.OIDCProviderError {
  constructor() {
    super(401, 'invalid_client');
    this.expose = true;
    this.error_description =
      'client secrets are not accepted here: use private_key_jwt or the JWT of a workload (BEHALF_STATIC_SECRETS=off)';
  }
}

/** RFC 6749 section 5.2 allows only these characters in `error_description`. */
export const describable = (message: string): string =>
  message
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 500);

/**
 * A refusal by the delegation part as an OAuth error. `code` is the grant type's code for an unacceptable grant:
 * `invalid_grant` (RFC 6749 section 5.2), or `invalid_request` for a subject token (RFC 8693 section 2.2.2).
 */
function refusal(error: BehalfError, code: 'invalid_grant' | 'invalid_request'): Error {
  const description = describable(error.message);
  if (isOurFailure(error)) return new TemporarilyUnavailable(error);
  switch (error.code) {
    case 'BAD_USER_INPUT':
      return error.details.path === 'scope'
        ? new errors.CustomOIDCProviderError('invalid_scope', description)
        : new errors.InvalidAuthorizationDetails(description);
    case 'FORBIDDEN': {
      const missing = error.details.missingScopes ?? [];
      if (missing.length > 0) return new errors.InvalidScope(description, missing.join(' '));
      return new errors.CustomOIDCProviderError(code, description);
    }
    default:
      return new errors.CustomOIDCProviderError(code, description);
  }
}

/** Runs a method of a dependency and turns its refusals into OAuth errors. */
export async function inOAuthWords<T>(
  code: 'invalid_grant' | 'invalid_request',
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof BehalfError ? refusal(error, code) : error;
  }
}
