import type { IncomingMessage } from 'node:http';
import type { X509Certificate } from 'node:crypto';
import type { AddressRanges } from '../../core/address-ranges.js';
import { certificatesIn, isCurrent, parseCertificate } from '../../core/certificates.js';
import type { Clock } from '../../core/clock.js';

/** The certificate of a request's client, which a proxy has seen in the TLS handshake. */
export type CertificateOf = (request: IncomingMessage) => X509Certificate | undefined;

/** Where the proxies put the certificate, and who they are. */
export interface CertificateHeader {
  readonly name: string;
  readonly proxies: AddressRanges;
}

/**
 * Undefined for a request without a certificate that counts: none was sent, it is not valid now, or the connection is not
 * from one of the proxies. Whoever else sends the header is a client that made it up.
 */
export const makeCertificateOf =
  (header: CertificateHeader | undefined, clock: Clock): CertificateOf =>
  ({ headers, socket }) => {
    const value = header === undefined ? undefined : headers[header.name.toLowerCase()];
    if (typeof value !== 'string' || header?.proxies.has(socket.remoteAddress ?? '') !== true)
      return undefined;
    const certificate = certificateIn(value);
    return certificate !== undefined && isCurrent(certificate, clock.now()) ? certificate : undefined;
  };

/**
 * The one certificate in a header, as RFC 9440 section 2.1 writes it or as URL-encoded PEM. Two headers arrive as one with a
 * comma, which neither form has.
 */
function certificateIn(value: string): X509Certificate | undefined {
  const [, encoded] = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(value) ?? [];
  if (encoded !== undefined) return parseCertificate(Buffer.from(encoded, 'base64'));
  const [certificate, another] = value.includes(',') ? [] : (certificatesIn(decoded(value)) ?? []);
  return another === undefined ? certificate : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
