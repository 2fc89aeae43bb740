import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../core/clock.js';

const cookieName = 'behalf_device';
const daysMax = 90;

/**
 * Recognises a browser in which a person signed in before, by a signed cookie. The cookie gives no access: it only
 * keeps guesses from elsewhere from slowing this browser down. It identifies the browser, not the person.
 */
export class KnownBrowsers {
  constructor(
    private readonly clock: Clock,
    /** The first key signs, all verify. */
    private readonly keys: readonly string[],
    private readonly isSecure: boolean,
  ) {}

  /** The id of the browser, if this account has signed in with it. */
  idIn(cookies: string | undefined, account: string): string | undefined {
    const prefix = `${cookieName}=`;
    const own = cookies?.split(/; */).find((pair) => pair.startsWith(prefix));
    const [id = '', ends = '', mac = ''] = own?.slice(prefix.length).split('.') ?? [];
    if (!(Number.parseInt(ends, 36) > this.clock.now())) return undefined;
    const given = Buffer.from(mac, 'base64url');
    const isOurs = this.keys.some((key) => {
      const expected = macOf(key, account, id, ends);
      return expected.length === given.length && timingSafeEqual(expected, given);
    });
    return isOurs ? id : undefined;
  }

  /** The value of `Set-Cookie` for a browser in which the account has just signed in. */
  cookieFor(account: string, known: string | undefined): string {
    const [key = ''] = this.keys;
    const id = known ?? randomBytes(16).toString('base64url');
    const seconds = daysMax * 86_400;
    const ends = (this.clock.now() + seconds * 1000).toString(36);
    const value = `${id}.${ends}.${macOf(key, account, id, ends).toString('base64url')}`;
    const secure = this.isSecure ? '; Secure' : '';
    return `${cookieName}=${value}; Path=/oauth; Max-Age=${String(seconds)}; HttpOnly; SameSite=Lax${secure}`;
  }
}

const macOf = (key: string, account: string, id: string, ends: string): Buffer =>
  createHmac('sha256', key)
    .update(JSON.stringify([cookieName, account, id, ends]))
    .digest();
