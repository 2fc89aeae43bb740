import { insertRecords } from '../../audit/record.js';
import { Trail } from '../../audit/trail.js';
import type { Clock } from '../../core/clock.js';
import type { Ids } from '../../core/ids.js';
import type { Connection } from '../../store/connection.js';
import type { Database } from '../../store/database.js';
import type { UserRow } from '../../store/tables/identity.js';
import { findPerson } from '../operator/change.js';
import { commandRecord } from '../operator/record.js';
import { CommandError } from '../terminal/errors.js';
import type { Progress } from '../terminal/output.js';

/** What an import works with. */
export interface Workshop {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly progress: Progress;
}

export interface RunOptions {
  /** The name of the person who answers for the import; needed unless it is a dry run. */
  readonly as?: string | undefined;
  /** Does everything, then undoes it. */
  readonly dryRun: boolean;
}

export interface Work<T> {
  readonly command: string;
  /** What the record tells of the result, beside the rows touched. */
  readonly detail: (result: T) => Readonly<Record<string, unknown>>;
  /** May run again after a deadlock, so it keeps nothing from one run to the next. */
  readonly run: (tx: Connection, trail: Trail, person: UserRow | undefined) => Promise<T>;
}

export interface Ran<T> {
  readonly result: T;
  /** Finds the audit record; null after a dry run. */
  readonly operationId: string | null;
}

/** Carries the result of a dry run out of the transaction that it rolls back. */
class Undo<T> extends Error {
  constructor(readonly result: T) {
    super('This was a dry run.');
  }
}

/** The person whom the record will name. Throws `CommandError` for none and for one who is not active. */
export async function responsible(
  connection: Connection,
  { as, dryRun }: RunOptions,
): Promise<UserRow | undefined> {
  if (as !== undefined) return findPerson(connection, as);
  if (dryRun) return undefined;
  throw new CommandError('Name the person who answers for this: `--as USER`.');
}

/**
 * Runs the work and writes its record in one transaction. A failure leaves a record of its own and nothing else; a
 * dry run leaves nothing at all.
 */
export async function recordedRun<T>(
  { database, clock, ids }: Workshop,
  options: RunOptions,
  work: Work<T>,
): Promise<Ran<T>> {
  const startedAt = clock.now();
  const person = await responsible(database.read, options);
  const record = (trail: Trail, detail: Readonly<Record<string, unknown>>, error?: unknown) => ({
    ...commandRecord({ command: work.command, by: person, clock, ids, trail, detail }, error),
    durationMs: clock.now() - startedAt,
  });
  try {
    return await database.transaction(async (tx) => {
      const trail = new Trail();
      const result = await work.run(tx, trail, await responsible(tx, options));
      if (options.dryRun) throw new Undo(result);
      const body = record(trail, work.detail(result));
      await insertRecords(tx, [body]);
      return { result, operationId: body.operationId };
    });
  } catch (error) {
    if (error instanceof Undo) return { result: error.result as T, operationId: null };
    if (!options.dryRun && !(error instanceof CommandError)) {
      const failed = record(new Trail(), {}, error);
      // Nothing was changed; where this fails too, the first error tells more.
      await database.transaction((tx) => insertRecords(tx, [failed])).catch(() => undefined);
    }
    throw error;
  }
}
