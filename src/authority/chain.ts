import type { Layer } from '../core/errors.js';
import type { Holding } from './holding.js';
import type { Scope } from './scope.js';

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
}

export interface ActingAgent {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  /** The delegation under which this agent acts. */
  readonly delegationId: string;
  readonly role: string;
}

/** The person at the root, then each agent in order of acting. Without agents, the person acts in person. */
export interface Chain {
  readonly person: Person;
  readonly agents: readonly ActingAgent[];
}

/** How the person of a token signed in. */
export interface SignIn {
  /** Milliseconds. Undefined where the token does not say it. */
  readonly at: number | undefined;
  /** The Authentication Context Class Reference that the sign-in met. */
  readonly acr: string | undefined;
}

/**
 * A sign-in with a passkey: phishing-resistant (OpenID Connect Extended Authentication Profile, Authentication Context
 * Class Reference values).
 */
export const passkeyAcr = 'phr';

export interface Task {
  /** The limit that was already used up when this authority was computed. */
  readonly spent?: 'operations' | 'rows' | undefined;
  readonly delegationId: string;
  /** This delegation and its parents, the acting one first. */
  readonly delegationIds: readonly string[];
  readonly task: string;
  readonly purpose: string;
  readonly expiresAt: string;
  /**
   * The token generation of the epoch plus those of all agents of the chain. None of them ever decreases, so
   * an ended token stays ended.
   */
  readonly generation: number;
}

/** The budget that a task has left: the least of all delegations of the chain. */
export interface TaskLimits {
  readonly operationsLeft: number;
  readonly rowsLeft: number;
  readonly depthLeft: number;
}

/** One party whose consent the chain needs, with the rights that it allows. */
export interface AuthorityLayer extends Holding {
  /** Of the person: scopes that their roles give only to sign-ins with a passkey, and this one is none. */
  readonly needsPasskey?: ReadonlySet<Scope>;
  readonly layer: Layer;
  readonly id: string;
}
