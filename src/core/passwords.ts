import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';

/** The parameters are stored in each hash, so that raising them leaves older hashes valid. */
interface Parameters {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
}

const current: Parameters = { cost: 2 ** 15, blockSize: 8, parallelization: 1 };
const keyBytes = 32;
const saltBytes = 16;
/** Nobody types more. Without a bound, a request could make the server hash megabytes. */
const passwordLengthMax = 1024;

const derive = (
  plain: string,
  salt: Buffer,
  { cost, blockSize, parallelization }: Parameters,
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { cost, blockSize, parallelization, maxmem: 2 * 128 * cost * blockSize };
    // NFKC, so that the same keys pressed on two systems give the same password (RFC 8265).
    scrypt(plain.normalize('NFKC'), salt, keyBytes, options, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });

export async function hashPassword(plain: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  return format(salt, await derive(plain, salt, current));
}

/** Of no password: to verify one against it takes as long as against any other, and fails. */
export const hashOfNobody = (): string => format(randomBytes(saltBytes), randomBytes(keyBytes));

/** `scrypt$N$r$p$salt$key`, salt and key in base64url; at most 120 characters. */
function format(salt: Buffer, key: Buffer): string {
  const { cost, blockSize, parallelization } = current;
  const fields = [cost, blockSize, parallelization, salt.toString('base64url'), key.toString('base64url')];
  return `scrypt$${fields.join('$')}`;
}

/**
 * False for a wrong password and for a text that is not one of our hashes. Takes constant time for one set of
 * parameters.
 */
export async function verifyPassword(plain: string, hash: string): Promise<boolean> {
  const match = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([\w-]+)\$([\w-]+)$/.exec(hash);
  if (match === null || plain.length > passwordLengthMax) return false;
  const [, cost, blockSize, parallelization, salt = '', key = ''] = match;
  const expected = Buffer.from(key, 'base64url');
  const actual = await derive(plain, Buffer.from(salt, 'base64url'), {
    cost: Number(cost),
    blockSize: Number(blockSize),
    parallelization: Number(parallelization),
  });
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** Without letters and digits that look alike. */
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';

/** An initial password that a person types once: four groups of five characters, 99 random bits. */
export function newPassword(): string {
  const group = (): string => Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return Array.from({ length: 4 }, group).join('-');
}
