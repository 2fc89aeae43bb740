import { hash, X509Certificate } from 'node:crypto';

/** The SHA-256 thumbprint of a certificate: `x5t#S256` of RFC 8705 section 3.1. */
export const certificateThumbprint = ({ raw }: X509Certificate): string => hash('sha256', raw, 'base64url');

/** Whether the time is within the certificate's validity. */
export const isCurrent = ({ validFrom, validTo }: X509Certificate, nowMs: number): boolean =>
  Date.parse(validFrom) <= nowMs && nowMs < Date.parse(validTo);

/** Undefined where the bytes or the text are no certificate. */
export function parseCertificate(content: Buffer | string): X509Certificate | undefined {
  try {
    return new X509Certificate(content);
  } catch {
    return undefined;
  }
}

const pemBlock = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The certificates in a text in PEM (RFC 7468 section 5), which may have comments between them. Undefined for none, or a bad one. */
export function certificatesIn(pem: string): readonly X509Certificate[] | undefined {
  const blocks = pem.match(pemBlock) ?? [];
  const found = blocks.flatMap((block) => parseCertificate(block) ?? []);
  return found.length > 0 && found.length === blocks.length ? found : undefined;
}
