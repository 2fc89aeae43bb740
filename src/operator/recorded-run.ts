import { setTimeout as sleep } from 'node:timers/promises';
import { insertRecords } from '../audit/record.js';
import { Trail } from '../audit/trail.js';
import type { Clock } from '../core/clock.js';
import type { Ids } from '../core/ids.js';
import type { Connection } from '../store/sql/connection.js';
import type { Database } from '../store/sql/database.js';
import type { UserRow } from '../store/tables/identity.js';
import { findPerson } from './recorded-change.js';
import { commandRecord } from './command-record.js';
import { CommandError } from '../core/command-error.js';
import type { Progress } from '../core/progress.js';

/** The parts that a command works with. */
export interface Workshop {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly progress: Progress;
}

export interface RunOptions {
  /** The name of the person who is responsible for the change. Required unless it is a dry run. */
  readonly as?: string | undefined;
  /** Whether to roll everything back at the end. */
  readonly dryRun: boolean;
}

export interface Work<T> {
  readonly command: string;
  /** The details of the result for the record, beside the touched rows. */
  readonly detail: (result: T) => Readonly<Record<string, unknown>>;
  readonly run: Part<T>;
}

/** The work of one transaction. It may run again after a deadlock, so it must keep no state between runs. */
export type Part<T> = (tx: Connection, trail: Trail, person: UserRow | undefined) => Promise<T>;

/** Work in several short transactions, so that others can write in between. */
interface WorkInParts<T> extends Omit<Work<T>, 'run' | 'detail'> {
  readonly count: number;
  readonly parts: AsyncIterable<Part<T>>;
  /**
   * The details for a part's record. `results` has those of all parts so far, so the last record can describe
   * the whole.
   */
  readonly detail: (results: readonly T[], isLast: boolean) => Readonly<Record<string, unknown>>;
}

interface Ran<T> {
  readonly result: T;
  /** The id of the audit record, or of the last one of several. Null after a dry run. */
  readonly operationId: string | null;
}

/** Carries the result of a dry run out of the transaction that it rolls back. */
class Undo<T> extends Error {
  constructor(readonly result: T) {
    super('This was a dry run.');
  }
}

/**
 * The person whom the record will name. Throws `CommandError` where no name is given or the person is not
 * active.
 */
export async function responsible(
  connection: Connection,
  { as, dryRun }: RunOptions,
): Promise<UserRow | undefined> {
  if (as !== undefined) return findPerson(connection, as);
  if (dryRun) return undefined;
  throw new CommandError('Name the person who answers for this: `--as USER`.');
}

/**
 * Runs the work and writes its record in one transaction. A failure leaves only a record of itself. A dry run
 * leaves nothing.
 */
export async function recordedRun<T>(
  workshop: Workshop,
  options: RunOptions,
  { command, detail, run }: Work<T>,
): Promise<Ran<T>> {
  const { results, operationId } = await recordedParts<T>(workshop, options, {
    command,
    count: 1,
    parts: only(run),
    detail: ([result]) => (result === undefined ? {} : detail(result)),
  });
  const [result] = results;
  if (result === undefined) throw new Error('The one part has no result.');
  return { result, operationId };
}

async function* only<T>(part: Part<T>): AsyncGenerator<Part<T>> {
  yield part;
}

/**
 * Runs the parts in order, each in a transaction with its own record, so that every change has one. Records
 * of several parts share `run`, and each states its position. A failure leaves a record of itself and the
 * changes of earlier parts. A dry run leaves nothing.
 */
export async function recordedParts<T>(
  { database, clock, ids }: Workshop,
  options: RunOptions,
  work: WorkInParts<T>,
): Promise<{ readonly results: readonly T[]; readonly operationId: string | null }> {
  const person = await responsible(database.read, options);
  const run = ids.next();
  const results: T[] = [];
  let startedAt = clock.now();
  let operationId: string | null = null;
  const record = (trail: Trail, partDetail: Readonly<Record<string, unknown>>, error?: unknown) => {
    const place = { run, part: results.length + 1, of: work.count };
    const detail = { ...partDetail, ...(work.count > 1 && place) };
    return {
      ...commandRecord({ command: work.command, by: person, clock, ids, trail, detail }, error),
      durationMs: clock.now() - startedAt,
    };
  };
  try {
    for await (const part of work.parts) {
      if (results.length > 0) await giveWay(database);
      startedAt = clock.now();
      const done = await database
        .transaction(async (tx) => {
          const trail = new Trail();
          const result = await part(tx, trail, await responsible(tx, options));
          if (options.dryRun) throw new Undo(result);
          const isLast = results.length + 1 === work.count;
          const body = record(trail, work.detail([...results, result], isLast));
          await insertRecords(tx, [body]);
          return { result, id: body.operationId };
        })
        .catch((error: unknown) => {
          if (error instanceof Undo) return { result: error.result as T, id: null };
          throw error;
        });
      results.push(done.result);
      operationId = done.id;
    }
    return { results, operationId };
  } catch (error) {
    if (!options.dryRun && !(error instanceof CommandError)) {
      const failed = record(new Trail(), {}, error);
      // This part changed nothing. If writing its record fails too, the first error says more.
      await database.transaction((tx) => insertRecords(tx, [failed])).catch(() => undefined);
    }
    throw results.length === 0 || options.dryRun ? error : cutOff(error, results.length, work.count);
  }
}

/**
 * Processes that wait for SQLite's one writer poll for it, so it has to be free for a moment between two
 * parts.
 */
const giveWay = ({ dialect }: Database): Promise<void> =>
  dialect === 'sqlite' ? sleep(pauseMs) : Promise.resolve();
const pauseMs = 25;

const cutOff = (error: unknown, done: number, count: number): CommandError =>
  new CommandError(
    `${error instanceof Error ? error.message : String(error)} ` +
      `${String(done)} of ${String(count)} parts are done, each with its record. Run the same again: it does the rest.`,
    { cause: error },
  );
