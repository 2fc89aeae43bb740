import { certificatesIn, isCurrent } from '../core/certificates.js';
import { keyFault } from '../core/client-keys.js';
import { addressIn } from '../core/client-address.js';
import { badInput } from '../core/errors.js';
import type { StoredCertificateName } from '../store/tables/identity.js';
import type { KeySet } from './agent-keys.js';

const certificatesMax = 10;
const pemLengthMax = 100_000;
const nameLengthMax = 255;

/** Self-signed certificates as a key set, each with its certificate (`x5c`, RFC 7517 section 4.7). Refuses with `BAD_USER_INPUT`. */
export function parseCertificates(pem: string, nowMs: number): KeySet {
  const found = pem.length > pemLengthMax ? undefined : certificatesIn(pem);
  if (found === undefined || found.length > certificatesMax)
    throw badInput(`Give 1 to ${String(certificatesMax)} certificates in PEM.`, 'certificates');
  const keys = found.map((certificate) => {
    const key = certificate.publicKey.export({ format: 'jwk' }) as Record<string, unknown>;
    const fault = keyFault(key) ?? (isCurrent(certificate, nowMs) ? undefined : 'it is not valid now');
    if (fault !== undefined)
      throw badInput(`A client could never sign in with such a certificate: ${fault}.`, 'certificates');
    return { ...key, x5c: [certificate.raw.toString('base64')] };
  });
  return { keys };
}

export const isGiven = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;

export interface CertificateNameInput {
  readonly kind: string;
  readonly value: string;
}

const shapes: Readonly<Record<StoredCertificateName['kind'], RegExp>> = {
  subject_dn: /^[A-Za-z0-9.]+\s*=/,
  san_dns: /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i,
  san_uri: /^[a-z][a-z0-9+.-]*:\S+$/i,
  san_ip: /^[0-9a-f.:]+$/i,
  san_email: /^[^@\s]+@[^@\s]+$/,
};

const isKind = (kind: string): kind is StoredCertificateName['kind'] => Object.hasOwn(shapes, kind);

/** The one name that certificates of a client have (RFC 8705 section 2.1.2). Refuses with `BAD_USER_INPUT`. */
export function parseCertificateName({ kind, value }: CertificateNameInput): StoredCertificateName {
  const stored = kind.toLowerCase();
  const isName = isKind(stored) && value.length <= nameLengthMax && shapes[stored].test(value);
  if (isName && value.isWellFormed() && (stored !== 'san_ip' || addressIn(value) !== undefined))
    return { kind: stored, value };
  throw badInput(
    'Give one name as the certificate has it: subject_dn, san_dns, san_uri, san_ip or san_email, and its value.',
    'certificateName',
  );
}

/** The kind of key to which access tokens must be bound. */
export const tokenBindings = ['any', 'dpop', 'certificate'] as const;

/** @param given as GraphQL or the command line writes it. Undefined or null: `any` */
export function parseTokenBinding(given: string | null | undefined): string {
  const binding = tokenBindings.find((name) => name === (given ?? 'any').toLowerCase());
  if (binding !== undefined) return binding;
  throw badInput(`Tokens are bound to one of: ${tokenBindings.join(', ')}.`, 'tokenBinding');
}
