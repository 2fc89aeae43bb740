import { setImmediate as nextTurn } from 'node:timers/promises';
import { isoTime, type Clock } from '../../core/clock.js';
import { BehalfError } from '../../core/errors.js';
import { compare } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { isDuplicate, type Database } from '../../store/sql/database.js';
import { deleteInBatches } from '../../store/sql/delete-in-batches.js';
import { clientRequests, type ClientRequestRow, type ClientRow } from '../../store/tables/clients.js';
import type { ClientChange, Clients, KeptClient, Recorder, UnknownClient } from '../contract/dependencies.js';
import { describable } from '../library/oauth-errors.js';

interface Parts {
  readonly database: Database;
  readonly clients: Clients;
  readonly recorder: Recorder;
}

/**
 * Keeps a new client in quarantine, or admits it by a rule, with its record. The oldest for which nobody asked may
 * give way to it, with a record too. Two at the same moment are one. Undefined where too many wait.
 */
export async function keepClient(
  { database, clients, recorder }: Parts,
  unknown: UnknownClient,
): Promise<ClientRow | undefined> {
  const keep = (): Promise<KeptClient | undefined> =>
    database.transaction(async (tx) => {
      const kept = await clients.keep(tx, unknown);
      if (kept?.gaveWay !== undefined) await recordChange(recorder, tx, kept.gaveWay);
      if (kept !== undefined && kept.changes.length > 0) await recordChange(recorder, tx, kept);
      return kept;
    });
  const kept = await keep().catch((error: unknown) => {
    if (isDuplicate(error) || isConflict(error)) return keep();
    throw error;
  });
  return kept?.client;
}

/** The agent of a client that a rule admits was made at the same moment. */
const isConflict = (error: unknown): boolean => error instanceof BehalfError && error.code === 'CONFLICT';

/** Forgets clients that waited too long, each with its record, until the signal. Returns how many. */
export async function forgetClients(
  { database, clients, recorder }: Parts,
  signal?: AbortSignal,
): Promise<number> {
  let count = 0;
  while (signal?.aborted !== true) {
    const forgotten = await database.transaction(async (tx) => {
      const changes = await clients.forget(tx);
      for (const change of changes) await recordChange(recorder, tx, change);
      return changes.length;
    });
    if (forgotten === 0) break;
    count += forgotten;
    await nextTurn();
  }
  return count;
}

/** How long a request for admission is kept, whatever became of it. */
const requestKeptMs = 30 * 86_400_000;

/** Deletes old requests. Their people have read by then what became of them. Returns how many. */
export function purgeClientRequests(
  { database, clock }: { readonly database: Database; readonly clock: Clock },
  signal?: AbortSignal,
): Promise<number> {
  const old = compare<ClientRequestRow>('createdAt', '<=', isoTime(clock.now() - requestKeptMs));
  return deleteInBatches(
    database,
    { table: clientRequests, key: ['userId', 'id'], which: old, still: old },
    signal,
  );
}

/** Records a change of a client that no person made. */
export const recordChange = (
  recorder: Recorder,
  tx: Connection,
  { client, detail, changes }: ClientChange,
): Promise<void> =>
  recorder.recordAuthEventIn(tx, {
    ...{ kind: 'client', outcome: 'success', clientName: client.clientId },
    ...{ detail: describable(detail), changes },
    ...(client.agentId === null ? {} : { agentId: client.agentId }),
  });
