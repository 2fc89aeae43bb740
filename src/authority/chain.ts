import type { Layer } from '../core/errors.js';
import type { Holding } from './holding.js';

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

/** The person at the root, then each agent in order of acting. No agents: the person acts in person. */
export interface Chain {
  readonly person: Person;
  readonly agents: readonly ActingAgent[];
}

export interface Task {
  /** A limit that was spent already when this was computed. */
  readonly spent?: 'operations' | 'rows' | undefined;
  readonly delegationId: string;
  /** This delegation and its parents, the acting one first. */
  readonly delegationIds: readonly string[];
  readonly task: string;
  readonly purpose: string;
  readonly expiresAt: string;
  /** Of the tokens that the chain has now: the sum over all that can end tokens. None of it goes back. */
  readonly generation: number;
}

/** What a task may still spend: the least of what each delegation of the chain has left. */
export interface TaskLimits {
  readonly operationsLeft: number;
  readonly rowsLeft: number;
  readonly depthLeft: number;
}

/** One party whose consent the chain needs, and what it allows. */
export interface AuthorityLayer extends Holding {
  readonly layer: Layer;
  readonly id: string;
}
