import type { Trail } from '../audit/trail.js';
import type { Authority } from '../authority/authority.js';
import type { TaskLimits } from '../authority/chain.js';
import { isoTime, type Clock } from '../core/clock.js';
import { canonicalJson, sha256 } from '../core/digest.js';
import { conflict } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import { oneLine } from '../core/text.js';
import type { ReadMode } from '../store/bounded-reads.js';
import { all, eq, isIn } from '../store/condition.js';
import type { Connection } from '../store/connection.js';
import { isDuplicate, RunAgain, type Database } from '../store/database.js';
import type { ScopeOf } from '../store/filter.js';
import type { RowTypes } from '../store/row-types.js';
import { placedLike } from '../store/place.js';
import { Rows } from '../store/rows.js';
import type { Table } from '../store/table.js';
import { delegations, idempotencyKeys } from '../store/tables/identity.js';
import type { AnswerRows, Operation } from './operation.js';

interface Caller {
  readonly id: string;
  readonly authority: Authority;
}

/** Makes what resolvers are given, over the reading connection or inside a mutation's transaction. */
export class Operations {
  constructor(
    private readonly database: Database,
    private readonly types: RowTypes,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly scopeOf: ScopeOf,
    private readonly pageSizeMax: number,
  ) {}

  /** `plain` where every rule has been decided before; else rows come with their places, for rules to look at. */
  reading(caller: Caller, trail: Trail, mode: 'plain' | 'placed'): Operation {
    return this.make(caller, trail, this.database.read, undefined, mode);
  }

  writing(caller: Caller, trail: Trail, tx: Connection): Operation {
    return this.make(caller, trail, tx, tx, 'whole');
  }

  private make(
    caller: Caller,
    trail: Trail,
    connection: Connection,
    tx: Connection | undefined,
    mode: ReadMode,
  ): Operation {
    const { id, authority } = caller;
    const rows = new Rows(connection, authority, trail, this.types, this.pageSizeMax, mode);
    return {
      id,
      authority,
      rows,
      trail,
      clock: this.clock,
      ids: this.ids,
      scopeOf: this.scopeOf,
      transaction: tx,
      once: (key, input, answerRows, work) => {
        if (tx === undefined) throw new Error('`once` is for mutations.');
        return this.once(tx, caller, rows, key, input, answerRows, work);
      },
      taskLimits: () => taskLimits(connection, authority),
    };
  }

  private async once<T extends object>(
    tx: Connection,
    { id, authority }: Caller,
    rows: Rows,
    rawKey: string,
    input: unknown,
    answerRows: AnswerRows,
    work: () => Promise<T>,
  ): Promise<T> {
    const key = oneLine(rawKey, 100, 'idempotencyKey');
    const ownerId = authority.task?.delegationId ?? authority.chain.person.id;
    const inputDigest = sha256(canonicalJson(input));
    const known = await tx.one(idempotencyKeys, all(eq('ownerId', ownerId), eq('key', key)));
    if (known !== undefined) {
      if (known.inputDigest !== inputDigest) {
        throw conflict('This idempotencyKey was used for another input. Use a new key for a new request.');
      }
      return restore<T>(rows, JSON.parse(known.answer) as Record<string, unknown>, answerRows);
    }
    const answer = await work();
    const createdAt = isoTime(this.clock.now());
    const row = { ownerId, key, inputDigest, operationId: id, answer: JSON.stringify(answer), createdAt };
    await tx.insert(idempotencyKeys, [row]).catch((error: unknown) => {
      // Another operation with the same key was faster: run again and find its answer.
      throw isDuplicate(error) ? new RunAgain('idempotencyKey', { cause: error }) : error;
    });
    return answer;
  }
}

/** The first answer, its rows as they stood then, provided that they are still inside the boundary. */
async function restore<T extends object>(
  rows: Rows,
  answer: Record<string, unknown>,
  answerRows: AnswerRows,
): Promise<T> {
  const restored: Record<string, unknown> = { ...answer };
  for (const [property, table] of Object.entries(answerRows)) {
    const snapshot = answer[property] as { id: string } | null | undefined;
    if (snapshot === null || snapshot === undefined) continue;
    const now: object = await rows.need(table as unknown as Table<{ id: string }>, snapshot.id);
    restored[property] = placedLike(snapshot, now);
  }
  return restored as T;
}

async function taskLimits(connection: Connection, authority: Authority): Promise<TaskLimits | undefined> {
  const ids = authority.task?.delegationIds;
  if (ids === undefined) return undefined;
  const chain = await connection.select(delegations, isIn('id', ids));
  const acting = chain.find((row) => row.id === ids[0]);
  return {
    operationsLeft: Math.min(...chain.map((row) => row.operationsMax - row.operationsUsed)),
    rowsLeft: Math.min(...chain.map((row) => row.rowsMax - row.rowsUsed)),
    depthLeft: Math.max(0, (acting?.depthMax ?? 0) - (acting?.depth ?? 0)),
  };
}
