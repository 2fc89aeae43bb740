import type { X509Certificate } from 'node:crypto';
import { certificateThumbprint } from '../../core/certificates.js';
import { unauthenticated } from '../../core/errors.js';
import type { AccessTokenFact } from '../library/token-lookup.js';

/**
 * Checks a request against the certificate that its token is bound to (RFC 8705 section 3). A token without one may come
 * over any connection. Refuses with `UNAUTHENTICATED`.
 */
export function requireCertificate(
  certificateOf: () => X509Certificate | undefined,
  { certificateThumbprint: bound }: AccessTokenFact,
): void {
  if (bound === undefined) return;
  const certificate = certificateOf();
  if (certificate !== undefined && certificateThumbprint(certificate) === bound) return;
  throw unauthenticated(
    certificate === undefined
      ? 'This access token is bound to a certificate: send it over mutual TLS, with that certificate while it is valid.'
      : 'This access token is bound to another certificate than the one of this connection.',
  );
}
