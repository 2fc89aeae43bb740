import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

const macBytes = 16;

interface Keys {
  readonly mac: Buffer;
  readonly cipher: Buffer;
}

/**
 * Seals short texts that callers hand back: nobody else can read, change or forge one. Equal texts in equal
 * contexts have equal seals, so that an answer depends only on what it shows. For that, the IV is the MAC
 * over context and text (as in SIV, RFC 5297 section 1.3.2).
 */
export class TextSeal {
  private readonly keys: readonly Keys[];

  /** @param secrets the first one seals; all of them open */
  constructor(secrets: readonly string[]) {
    this.keys = secrets.map((secret) => ({ mac: derived(secret, 'mac'), cipher: derived(secret, 'cipher') }));
    if (this.keys.length === 0) throw new Error('There is no secret to seal with.');
  }

  seal(context: string, text: string): string {
    const [keys] = this.keys as [Keys];
    const mac = macOf(keys, context, text);
    const cipher = createCipheriv('aes-256-ctr', keys.cipher, mac);
    return Buffer.concat([mac, cipher.update(text, 'utf8'), cipher.final()]).toString('base64url');
  }

  /** Undefined for a text that was not sealed here or in this context. */
  open(context: string, sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    if (bytes.length <= macBytes || bytes.toString('base64url') !== sealed) return undefined;
    const mac = bytes.subarray(0, macBytes);
    for (const keys of this.keys) {
      const decipher = createDecipheriv('aes-256-ctr', keys.cipher, mac);
      const text = Buffer.concat([decipher.update(bytes.subarray(macBytes)), decipher.final()]).toString(
        'utf8',
      );
      if (timingSafeEqual(macOf(keys, context, text), mac)) return text;
    }
    return undefined;
  }
}

const derived = (secret: string, use: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, '', `behalf seal ${use}`, 32));

/** A context is JSON, which contains no NUL, so the separator is unambiguous. */
const macOf = ({ mac }: Keys, context: string, text: string): Buffer =>
  createHmac('sha256', mac).update(`${context}\0${text}`).digest().subarray(0, macBytes);
