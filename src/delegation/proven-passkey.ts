import type { Change } from '../audit/trail.js';
import type { UserRow } from '../store/tables/identity.js';

/** Why a passkey's answer is not accepted. The words are for records; callers learn that it was refused. */
export type PasskeyFault =
  | 'no_challenge'
  | 'malformed'
  | 'wrong_challenge'
  | 'wrong_origin'
  | 'wrong_rp_id'
  | 'user_not_verified'
  | 'wrong_signature'
  | 'unknown_credential'
  | 'wrong_person'
  | 'counter_regression'
  | 'disabled'
  | 'provider_needed'
  | 'already_added'
  | 'too_many';

/** The answer of a passkey to a challenge of the server. */
export type PasskeyOutcome =
  | { readonly kind: 'user'; readonly user: UserRow; readonly changes: readonly Change[] }
  /** `userId` is set where the passkey belongs to an account, whoever sent the answer. */
  | { readonly kind: 'refused'; readonly fault: PasskeyFault; readonly userId?: string };
