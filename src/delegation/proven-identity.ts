import type { Change } from '../audit/trail.js';
import type { UserRow } from '../store/tables/identity.js';
import type { IdentityProviderRow } from '../store/tables/identity-providers.js';

/** A person whom a provider has named in an ID token that was checked. */
export interface ProvenIdentity {
  readonly provider: IdentityProviderRow;
  readonly subject: string;
  /** When the request to the provider was sent. */
  readonly requestedAt: string;
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
  /** The person has signed out at the provider since the request was sent. */
  | { readonly kind: 'signed-out'; readonly user: UserRow }
  | { readonly kind: 'disabled'; readonly user: UserRow };

/** A person whose tokens and sessions have ended. */
export interface SignedOut {
  readonly user: UserRow;
  readonly changes: readonly Change[];
}
