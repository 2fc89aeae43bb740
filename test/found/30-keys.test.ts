import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { keyFault } from '../../src/core/client-keys.js';

const ed25519 = (hex: string) => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: Buffer.from(hex, 'hex').toString('base64url'),
});
const last = (hex: string): string => hex.padEnd(64, '0');

/** Points of small order, and two that are written with a coordinate beyond the field. */
const weak = [
  last('00'),
  last('01'),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
];
const withSign = (hex: string): string => {
  const bytes = Buffer.from(hex, 'hex');
  bytes[31] = (bytes[31] ?? 0) | 0x80;
  return bytes.toString('hex');
};

describe('30 keys that others can sign for are refused', () => {
  test('a signature without a secret is right for such a key', () => {
    const key = createPublicKey({ format: 'jwk', key: ed25519(last('01')) });
    const forged = Buffer.from(last('01') + last(''), 'hex');
    expect(verify(null, Buffer.from('whatever is signed'), key, forged)).toBe(true);
  });

  test.each(weak.flatMap((hex) => [hex, withSign(hex)]))('%s', (hex) => {
    expect(keyFault(ed25519(hex))).toMatch(/point/);
  });

  test('an RSA key with an even modulus', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const jwk = publicKey.export({ format: 'jwk' });
    const modulus = Buffer.from(jwk.n ?? '', 'base64url');
    expect(keyFault({ ...jwk })).toBeUndefined();
    modulus[modulus.length - 1] = (modulus.at(-1) ?? 0) & 0xfe;
    expect(keyFault({ ...jwk, n: modulus.toString('base64url') })).toMatch(/modulus/);
  });

  test('every key that is made at random is taken', () => {
    for (let made = 0; made < 50; made += 1) {
      const { publicKey } = generateKeyPairSync('ed25519');
      expect(keyFault({ ...publicKey.export({ format: 'jwk' }) })).toBeUndefined();
    }
  });
});
