import { createPublicKey, type JsonWebKey } from 'node:crypto';

/** Algorithms that clients may sign with; the metadata document says the same. `EdDSA` and `Ed25519` are one. */
export const clientSigningAlgorithms = ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'] as const;

/** RFC 7518 section 3.3; longer ones cost more than they protect. */
const rsaBitsMin = 2_048;
const rsaBitsMax = 8_192;

type Key = Readonly<Record<string, unknown>>;

const algorithmsOf = ({ kty, crv }: Key): readonly string[] => {
  if (kty === 'RSA') return ['PS256', 'RS256'];
  if (kty === 'EC' && crv === 'P-256') return ['ES256'];
  if (kty === 'OKP' && crv === 'Ed25519') return ['Ed25519', 'EdDSA'];
  return [];
};

/** Why no signature of this public key would ever be accepted (RFC 7517 section 4); undefined where one may be. */
export function keyFault(key: Key): string | undefined {
  const algorithms = algorithmsOf(key);
  if (algorithms.length === 0) {
    return `${String(key.kty)} keys of ${String(key.crv)} are not accepted: use P-256, Ed25519 or RSA`;
  }
  const { alg, use, key_ops: operations } = key;
  if (alg !== undefined && !algorithms.some((name) => name === alg)) {
    return `\`alg\` must be ${algorithms.join(' or ')}, or left out`;
  }
  if (use !== undefined && use !== 'sig') return '`use` must be sig, or left out';
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return '`key_ops` must hold verify, or be left out';
  }
  return materialFault(key);
}

function materialFault(key: Key): string | undefined {
  const { modulusLength: bits, publicExponent: exponent } = detailsOf(key) ?? {};
  if (bits === undefined && key.kty === 'RSA') return 'it is no RSA key';
  if (bits === undefined) return detailsOf(key) === undefined ? 'it is no point of its curve' : undefined;
  if (bits < rsaBitsMin || bits > rsaBitsMax) {
    return `an RSA key has ${String(rsaBitsMin)} to ${String(rsaBitsMax)} bits`;
  }
  return exponent === undefined || exponent < 3n || exponent % 2n === 0n
    ? 'the exponent of an RSA key is odd, and 3 or more'
    : undefined;
}

function detailsOf(key: Key) {
  try {
    return createPublicKey({ format: 'jwk', key: key as JsonWebKey }).asymmetricKeyDetails;
  } catch {
    return undefined;
  }
}
