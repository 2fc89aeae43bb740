import { createPublicKey, type JsonWebKey } from 'node:crypto';

/**
 * Algorithms that clients may sign with; the metadata document lists the same. `EdDSA` and `Ed25519` are one.
 */
export const clientSigningAlgorithms = ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'] as const;

/** The minimum is RFC 7518 section 3.3. Longer keys cost more than they protect. */
const rsaBitsMin = 2_048;
const rsaBitsMax = 8_192;

type Key = Readonly<Record<string, unknown>>;

const algorithmsOf = ({ kty, crv }: Key): readonly string[] => {
  if (kty === 'RSA') return ['PS256', 'RS256'];
  if (kty === 'EC' && crv === 'P-256') return ['ES256'];
  if (kty === 'OKP' && crv === 'Ed25519') return ['Ed25519', 'EdDSA'];
  return [];
};

/**
 * Why every signature by this public key would be refused (RFC 7517 section 4). Undefined for a usable key.
 */
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
  if (bits === undefined) {
    if (detailsOf(key) === undefined) return 'it is no point of its curve';
    return key.crv === 'Ed25519' && isWeakPoint(bytesOf(key.x))
      ? 'it is a point that others can sign for'
      : undefined;
  }
  if (bits < rsaBitsMin || bits > rsaBitsMax) {
    return `an RSA key has ${String(rsaBitsMin)} to ${String(rsaBitsMax)} bits`;
  }
  if (((bytesOf(key.n).at(-1) ?? 0) & 1) === 0) return 'the modulus of an RSA key is odd';
  return exponent === undefined || exponent < 3n || exponent % 2n === 0n
    ? 'the exponent of an RSA key is odd, and 3 or more'
    : undefined;
}

const bytesOf = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : '', 'base64url');

/** The prime of the field, and the y-coordinate of a point encoded as in RFC 8032 section 5.1. */
const fieldPrime = 2n ** 255n - 19n;
const coordinateOf = (point: Buffer): bigint =>
  BigInt(`0x${Buffer.from(point).reverse().toString('hex')}`) & (2n ** 255n - 1n);

/**
 * The y-coordinates of the points of order 1, 2, 4 and 8. For such a key, a signature of zeros is valid for
 * some messages.
 */
const weakCoordinates = new Set([
  0n,
  1n,
  fieldPrime - 1n,
  ...[
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  ].map((hex) => coordinateOf(Buffer.from(hex, 'hex'))),
]);

/** Whether a point has a small order or is not in canonical encoding. */
function isWeakPoint(point: Buffer): boolean {
  const coordinate = coordinateOf(point);
  return coordinate >= fieldPrime || weakCoordinates.has(coordinate);
}

function detailsOf(key: Key) {
  try {
    return createPublicKey({ format: 'jwk', key: key as JsonWebKey }).asymmetricKeyDetails;
  } catch {
    return undefined;
  }
}
