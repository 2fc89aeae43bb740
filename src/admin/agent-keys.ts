import { z } from 'zod';
import { keyFault } from '../core/client-keys.js';
import { badInput, type BehalfError } from '../core/errors.js';

const keysLengthMax = 20_000;
const keySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())).min(1).max(10) });
/** Members of private and symmetric keys (RFC 7518 section 6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** Characters of base64url in the longest member: the modulus of an RSA key of 8,192 bits. */
const memberLengthMax = 1_366;
const member = z.string().min(1).max(memberLengthMax);
const label = z.string().min(1).max(200).optional();
const labels = { kid: label, alg: label, use: label };
/** A public key by its type (RFC 7518 section 6, RFC 8037 section 2). Other members are dropped. */
const publicKey = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('EC'), crv: member, x: member, y: member, ...labels }),
  z.object({ kty: z.literal('OKP'), crv: member, x: member, ...labels }),
  z.object({ kty: z.literal('RSA'), n: member, e: member, ...labels }),
]);

/** Public keys in the form that is stored. */
export interface KeySet {
  readonly keys: Record<string, unknown>[];
}

/** A JSON Web Key Set in which every key can sign in. Refuses with `BAD_USER_INPUT` and names the key. */
export function parseKeys(text: string): KeySet {
  const parsed = text.length > keysLengthMax ? undefined : keySet.safeParse(parseJson(text));
  if (parsed?.success !== true) throw noKeySet();
  return { keys: parsed.data.keys.map(parseKey) };
}

function parseKey(given: Record<string, unknown>, index: number): Record<string, unknown> {
  if (privateMembers.some((name) => name in given)) {
    throw badInput(
      'A key in this set is private. Give only public keys, and replace that one.',
      'publicKeys',
    );
  }
  const parsed = publicKey.safeParse(given);
  if (!parsed.success) throw noKeySet();
  const fault = keyFault(given);
  if (fault === undefined) return parsed.data;
  throw badInput(`Key ${String(index + 1)} of this set could never sign in: ${fault}.`, 'publicKeys');
}

const noKeySet = (): BehalfError =>
  badInput('This is not a JSON Web Key Set of one to ten public keys.', 'publicKeys');

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
