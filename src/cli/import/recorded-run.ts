import { emptyBody, insertRecords, whatOf } from '../../audit/record.js';
import { Trail } from '../../audit/trail.js';
import { isoTime, type Clock } from '../../core/clock.js';
import { BehalfError, badInput } from '../../core/errors.js';
import type { Ids } from '../../core/ids.js';
import { eq } from '../../store/condition.js';
import type { Connection } from '../../store/connection.js';
import type { Database } from '../../store/database.js';
import { users, type UserRow } from '../../store/tables/identity.js';
import type { Progress } from './progress.js';

/** What an import works with. */
export interface Workshop {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Who runs the command, as the operating system knows them. */
  readonly operator: string;
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

/** The person whom the record will name: `BAD_USER_INPUT` for none, `NOT_FOUND` for one who is not active. */
export async function responsible(
  connection: Connection,
  { as, dryRun }: RunOptions,
): Promise<UserRow | undefined> {
  if (as === undefined) {
    if (dryRun) return undefined;
    throw badInput('Say who answers for the import: --as USER.', 'as');
  }
  const name = as.trim();
  const user = await connection.one(users, eq('name', name));
  if (user?.status === 'active') return user;
  throw new BehalfError('NOT_FOUND', `There is no active user named ${JSON.stringify(name)}.`);
}

/** Runs the work and writes its record in one transaction; a dry run rolls both back. */
export async function recordedRun<T>(
  workshop: Workshop,
  options: RunOptions,
  work: Work<T>,
): Promise<Ran<T>> {
  const { database, clock, ids } = workshop;
  const operationId = ids.next();
  const startedAt = clock.now();
  try {
    const result = await database.transaction(async (tx) => {
      const person = await responsible(tx, options);
      const trail = new Trail();
      const done = await work.run(tx, trail, person);
      if (options.dryRun || person === undefined) throw new Undo(done);
      await insertRecords(tx, [
        {
          ...emptyBody,
          ...whatOf(trail),
          operationId,
          at: isoTime(startedAt),
          kind: 'command',
          outcome: 'succeeded',
          chain: { person: { id: person.id, name: person.name, displayName: person.displayName }, agents: [] },
          operation: { name: work.command, type: 'command', documentHash: null },
          durationMs: clock.now() - startedAt,
          detail: { operator: workshop.operator, command: work.command, ...work.detail(done) },
        },
      ]);
      return done;
    });
    return { result, operationId };
  } catch (error) {
    if (error instanceof Undo) return { result: error.result as T, operationId: null };
    throw error;
  }
}
