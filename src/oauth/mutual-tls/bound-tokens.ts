import type { X509Certificate } from 'node:crypto';
import { certificateThumbprint } from '../../core/certificates.js';
import type { AccessTokenFact } from '../library/token-lookup.js';

/**
 * The fault in the certificate of a request with a token that is bound to one (RFC 8705 section 3); undefined where
 * nothing is. A token that is bound to none may come over any connection.
 */
export function certificateFault(
  certificateOf: () => X509Certificate | undefined,
  { certificateThumbprint: bound }: AccessTokenFact,
): string | undefined {
  if (bound === undefined) return undefined;
  const certificate = certificateOf();
  if (certificate === undefined)
    return 'This access token is bound to a certificate: send it over mutual TLS, with that certificate while it is valid.';
  return certificateThumbprint(certificate) === bound
    ? undefined
    : 'This access token is bound to another certificate than the one of this connection.';
}
