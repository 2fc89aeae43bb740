import { randomBytes } from 'node:crypto';
import { TextSeal } from '../../core/text-seal.js';
import type { Authorization } from '../../oauth/own-program.js';

/** A signed-in browser. All of this is in one sealed cookie; no page holds a token. */
export interface Session {
  /** Chosen at the sign-in. The forms of this browser are bound to it. */
  readonly id: string;
  readonly access: string;
  readonly refresh: string;
  /** When the access token ends, in milliseconds since the epoch. */
  readonly endsAt: number;
}

/** Pages to which a sign-in can lead, beside the account's own. An address from outside is never one. */
export type SignInTarget = 'account' | keyof typeof signInTargets;
export const signInTargets = { explorer: '/graphql' } as const;

/** A sign-in that this browser has begun. */
interface SignInUnderWay extends Authorization {
  /** The page to which it leads. */
  readonly returnTo: string;
}

interface Cookie {
  readonly name: string;
  readonly context: string;
  readonly maxAge?: number;
}

/** The time for one sign-in, as long as the authorization server's. */
const signInSeconds = 600;

export const newSecret = (bytes = 32): string => randomBytes(bytes).toString('base64url');

/** Reads and writes the cookies of the account pages. Nobody else can read, change or forge one. */
export class AccountCookies {
  private readonly seal: TextSeal;
  private readonly session: Cookie;
  private readonly signIn: Cookie;

  /** @param keys the first seals, all open */
  constructor(
    keys: readonly string[],
    private readonly isSecure: boolean,
  ) {
    this.seal = new TextSeal(keys);
    // With this prefix, browsers take the cookie only from this very host, over TLS (RFC 6265bis section 4.1.3.2).
    const prefix = isSecure ? '__Host-' : '';
    this.session = { name: `${prefix}behalf_account`, context: 'account session' };
    this.signIn = {
      name: `${prefix}behalf_account_sign_in`,
      context: 'account sign-in',
      maxAge: signInSeconds,
    };
  }

  /** Undefined for a browser without a session, and for a cookie that this server did not write. */
  sessionIn(header: string | undefined): Session | undefined {
    return this.read(this.session, header) as Session | undefined;
  }

  signInUnderWay(header: string | undefined): SignInUnderWay | undefined {
    return this.read(this.signIn, header) as SignInUnderWay | undefined;
  }

  /** The values of `Set-Cookie`. */
  keepSession(session: Session): string {
    return this.write(this.session, session);
  }
  keepSignIn(begun: SignInUnderWay): string {
    return this.write(this.signIn, begun);
  }
  endSession(): string {
    return this.end(this.session);
  }
  endSignIn(): string {
    return this.end(this.signIn);
  }

  /** The hidden value in every form of a session. */
  formToken({ id }: Session): string {
    return this.seal.seal('account form', id);
  }

  isFormOf({ id }: Session, token: string | null): boolean {
    return token !== null && this.seal.open('account form', token) === id;
  }

  private read({ name, context }: Cookie, header: string | undefined): unknown {
    const prefix = `${name}=`;
    const own = header?.split(/; */).find((pair) => pair.startsWith(prefix));
    const text = own === undefined ? undefined : this.seal.open(context, own.slice(prefix.length));
    return text === undefined ? undefined : JSON.parse(text);
  }

  private write({ name, context, maxAge }: Cookie, value: object): string {
    const age = maxAge === undefined ? '' : `; Max-Age=${String(maxAge)}`;
    return `${name}=${this.seal.seal(context, JSON.stringify(value))}${this.attributes}${age}`;
  }

  private end({ name }: Cookie): string {
    return `${name}=${this.attributes}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT`;
  }

  private get attributes(): string {
    return `; Path=/; HttpOnly; SameSite=Lax${this.isSecure ? '; Secure' : ''}`;
  }
}
