import { isoTime, type Clock } from '../../core/clock.js';
import { all, compare, eq, type Condition } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import type { Database } from '../../store/sql/database.js';
import { deleteInBatches } from '../../store/sql/delete-in-batches.js';
import { backchannelRequests, type BackchannelRequestRow } from '../../store/tables/backchannel-requests.js';
import { agents, users, type AgentRow, type UserRow } from '../../store/tables/identity.js';
import { errors } from '../library/oidc-provider.js';

/** How many requests of one agent may wait for one person, how many for one person, and how many of one agent. */
const waitingMax = { ofAgentForPerson: 3, forPerson: 20, ofAgent: 100 };

class TooManyWait extends errors.OIDCProviderError {
  constructor() {
    super(429, 'slow_down');
    this.expose = true;
    this.error_description = 'too many requests wait for a decision; ask again when some are decided or over';
  }
}

/** Where nobody has the name in the hint. */
const noId = '';

/**
 * Keeps a request, unless too many wait. They are counted alike whether somebody has the name in the hint or not, under locks
 * of the agent and the person: of requests at the same moment, the last one counts the others.
 */
export async function keepWaiting(tx: Connection, row: BackchannelRequestRow): Promise<void> {
  await tx.one(users, eq<UserRow>('id', row.userId ?? noId), { lock: 'update' });
  await tx.one(agents, eq<AgentRow>('id', row.agentId), { lock: 'update' });
  const waiting = (...which: readonly Condition<BackchannelRequestRow>[]): Promise<number> =>
    tx.count(backchannelRequests, all(...which, compare('expiresAt', '>', row.createdAt)));
  const ofAgent = eq<BackchannelRequestRow>('agentId', row.agentId);
  const forPerson = eq<BackchannelRequestRow>('hint', row.hint);
  if (
    (await waiting(ofAgent, forPerson)) >= waitingMax.ofAgentForPerson ||
    (await waiting(forPerson)) >= waitingMax.forPerson ||
    (await waiting(ofAgent)) >= waitingMax.ofAgent
  )
    throw new TooManyWait();
  await tx.insert(backchannelRequests, [row]);
}

export const forgetWaiting = (tx: Connection, id: string): Promise<number> =>
  tx.delete(backchannelRequests, eq<BackchannelRequestRow>('id', id));

/** Deletes requests on which nobody decided in time. Returns how many. */
export function purgeBackchannelRequests(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  signal?: AbortSignal,
): Promise<number> {
  const expired = compare<BackchannelRequestRow>('expiresAt', '<=', isoTime(clock.now()));
  return deleteInBatches(
    database,
    { table: backchannelRequests, key: ['hint', 'id'], which: expired, still: expired },
    signal,
  );
}
