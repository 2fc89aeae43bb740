import type { Authority } from '../../authority/authority.js';
import type { Clock } from '../../core/clock.js';
import { BehalfError } from '../../core/errors.js';
import type { Selected } from '../plan/selection.js';
import type { SchemaPolicy } from '../schema/schema-policy.js';

/** Which changes a person makes in a recent sign-in alone (RFC 9470). */
export class RecentSignIn {
  /** @param seconds how long a sign-in is recent; 0 where none has to be */
  constructor(
    private readonly policy: Pick<SchemaPolicy, 'scopes' | 'definitions'>,
    private readonly seconds: number,
    private readonly clock: Clock,
  ) {}

  /** The refusal of a mutation, by its root fields. An agent's token comes from no sign-in, and is not refused. */
  refusal({ chain, signIn }: Authority, fields: readonly Selected[]): BehalfError | undefined {
    const isFree = this.seconds === 0 || chain.agents.length > 0;
    if (isFree || !fields.some(({ coordinate }) => this.asksForOne(coordinate))) return undefined;
    const age = this.clock.now() - (signIn?.at ?? 0);
    if (age <= this.seconds * 1000) return undefined;
    return new BehalfError('INSUFFICIENT_USER_AUTHENTICATION', 'This change needs a recent sign-in.', {
      maxAgeSeconds: this.seconds,
      hint: 'Sign in again, then make the change with the new token.',
    });
  }

  private asksForOne(coordinate: string): boolean {
    return this.policy.definitions.get(this.policy.scopes.get(coordinate) ?? '')?.recentSignIn === true;
  }
}
