import { passkeyAcr } from './chain.js';

/** How a person must have signed in to use the rights of a role. */
export type SignInPolicy = 'any' | 'passkey';

/** Anything unknown needs a passkey: a policy that nobody can read must not open anything. */
export const parseSignInPolicy = (text: string): SignInPolicy => (text === 'any' ? 'any' : 'passkey');

/** The strictest policy that a sign-in with this `acr` meets. */
export const metBy = (acr: string | undefined): SignInPolicy => (acr === passkeyAcr ? 'passkey' : 'any');

/** Whether a sign-in that meets `met` may use the rights of a role with this policy. */
export const meets = (met: SignInPolicy, policy: string): boolean =>
  met === 'passkey' || parseSignInPolicy(policy) === 'any';
