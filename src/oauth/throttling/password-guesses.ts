import type { Clock } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import { Lru, type CacheState } from '../../core/lru.js';
import { clientKeyOf } from '../../core/client-address.js';
import type { KnownBrowsers } from './known-browsers.js';
import type { AttemptLimit } from '../contract/dependencies.js';
import { SlowDown } from './slow-down.js';

/** An attempt to sign in, before the password is checked. */
export interface Attempt {
  /** As the person typed it. */
  readonly userName: string;
  readonly address: string;
  readonly cookies: string | undefined;
  /** Identifies the sign-in. */
  readonly signIn: string;
}

/** One attempt, with the counters that it belongs to. */
export interface Guess {
  /** Seconds until the password may be checked, or 0. */
  readonly waitSeconds: number;
  /** Whether the account signed in from this browser or address before. */
  readonly isKnown: boolean;
  count(): void;
  forgive(): void;
  /** Notes a right password. Returns the value of a cookie that makes the browser known next time. */
  succeeded(): string;
}

const knownAddressesMax = 10_000;

/**
 * Slows down password guessing. Each browser and address from which the account signed in before has its own count, so
 * that strangers cannot hold up the person there. All strangers to an account share counts, by the account and by their
 * address.
 */
export class PasswordGuesses {
  private readonly known: SlowDown;
  private readonly perAccount: SlowDown;
  private readonly perAddress: SlowDown;
  private readonly addresses = new Lru<string, true>(knownAddressesMax);

  constructor(
    clock: Clock,
    private readonly browsers: KnownBrowsers,
    limits: { readonly signInPerAddress: AttemptLimit; readonly signInPerAccount: AttemptLimit },
  ) {
    this.known = new SlowDown(clock, limits.signInPerAccount);
    this.perAccount = new SlowDown(clock, limits.signInPerAccount);
    this.perAddress = new SlowDown(clock, limits.signInPerAddress);
  }

  get caches(): Readonly<Record<string, CacheState>> {
    return {
      guesses_known: this.known.lines,
      guesses_by_account: this.perAccount.lines,
      guesses_by_address: this.perAddress.lines,
      addresses_known: this.addresses,
    };
  }

  of({ userName, address, cookies, signIn }: Attempt): Guess {
    const party = clientKeyOf(address);
    // The typed name may be long, and may be a password in the wrong field.
    const account = sha256(userName);
    const pair = `${account} ${party}`;
    const device = this.browsers.idIn(cookies, account);
    const isKnown = device !== undefined || this.addresses.get(pair) !== undefined;
    const lines: readonly (readonly [SlowDown, key: string, who: string])[] = isKnown
      ? [[this.known, device ?? pair, signIn]]
      : [
          // One turn for each address, or one guesser could take all turns.
          [this.perAccount, account, party],
          [this.perAddress, party, signIn],
        ];
    const forgive = (): void => {
      for (const [line, key] of lines) line.forgive(key);
    };
    return {
      waitSeconds: Math.max(...lines.map(([line, key, who]) => line.waitSeconds(key, who))),
      isKnown,
      count: () => {
        for (const [line, key, who] of lines) line.count(key, who);
      },
      forgive,
      succeeded: () => {
        forgive();
        this.addresses.set(pair, true);
        return this.browsers.cookieFor(account, device);
      },
    };
  }
}
