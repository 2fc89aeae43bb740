import type { Change } from '../audit/trail.js';
import type { UserRow } from '../store/tables/identity.js';
import type { IdentityProviderRow } from '../store/tables/identity-providers.js';

/** What a sign-in with a provider rests on there. */
export interface ProviderSession {
  readonly providerId: string;
  readonly subject: string;
  /** The digest of the session's id (`sid`). Undefined where the provider names none. */
  readonly session?: string;
  /** When the request to the provider was sent. */
  readonly requestedAt: string;
}

/** A person or a session that has ended at a provider. One of the two is given. */
export interface ProviderLogout {
  readonly subject?: string;
  /** The digest of the session's id (`sid`). Undefined: all sessions of the person. */
  readonly session?: string;
}

/** A person whom a provider has named in an ID token that was checked. */
export interface ProvenIdentity extends Omit<ProviderSession, 'providerId'> {
  readonly provider: IdentityProviderRow;
  /** By their exact names. */
  readonly groups: readonly string[];
  /** For a new account. No account is found by this name, or by the two members below. */
  readonly userName?: string;
  readonly displayName?: string;
  readonly email?: string;
}

export type IdentityOutcome =
  | { readonly kind: 'user'; readonly user: UserRow; readonly changes: readonly Change[] }
  /** No account is linked, and the provider may not create one; or the provider was removed meanwhile. */
  | { readonly kind: 'unknown' }
  /** The person has signed out at the provider since the request was sent. A new person has no account yet. */
  | { readonly kind: 'signed-out'; readonly user?: UserRow }
  | { readonly kind: 'disabled'; readonly user: UserRow };

/** A person whose tokens and sessions have ended. */
export interface SignedOut {
  readonly user: UserRow;
  readonly changes: readonly Change[];
}
