import type { X509Certificate } from 'node:crypto';
import { isCurrent } from '../../core/certificates.js';

/** Extended key usage of RFC 5280 section 4.2.1.12. */
const clientAuthentication = '1.3.6.1.5.5.7.3.2';

const isForClients = ({ keyUsage }: { readonly keyUsage: readonly string[] | undefined }): boolean =>
  keyUsage?.includes(clientAuthentication) !== false;

/**
 * Whether one of the authorities issued the certificate itself, for clients. An authority below another one must be listed
 * too: no certificate in a request is one. Whether the certificate was revoked is for the proxy to check.
 */
export const isAuthorized = (
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  nowMs: number,
): boolean =>
  isForClients(certificate) &&
  authorities.some(
    (authority) =>
      authority.ca &&
      isCurrent(authority, nowMs) &&
      certificate.checkIssued(authority) &&
      certificate.verify(authority.publicKey),
  );
