import type { Digest } from '../audit/kept-value.js';
import type { Trail } from '../audit/trail.js';
import type { Authority } from '../authority/authority.js';
import type { TaskLimits } from '../authority/chain.js';
import { isoTime, type Clock } from '../core/clock.js';
import { canonicalJson, sha256 } from '../core/digest.js';
import { conflict, notFound, tooComplex } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import type { TextSeal } from '../core/text-seal.js';
import { oneLine } from '../core/checked-text.js';
import type { ReadMode } from '../store/bounded/bounded-reads.js';
import { all, eq, isIn } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { RunAgain } from '../store/drivers/lock-conflicts.js';
import { isDuplicate, type Database } from '../store/sql/database.js';
import type { ScopeOf } from '../store/bounded/filter.js';
import type { RowTypes } from '../store/bounded/row-types.js';
import { dimensionValuesOf } from '../store/bounded/dimension-values.js';
import { WritableRows } from '../store/bounded/writable-rows.js';
import type { Table } from '../store/tables/table.js';
import {
  delegations,
  idempotencyKeys,
  type IdempotencyKeyRow,
  type StoredDimensionValues,
} from '../store/tables/identity.js';
import type { AnswerRows, Operation } from './resolver-context.js';

/** The call that resolvers work for. */
interface ResolverCall {
  readonly id: string;
  readonly authority: Authority;
  /** Results of work done in advance, by key. */
  readonly beforehand: Map<string, Promise<unknown>>;
}

interface ResolverContextsParts {
  readonly database: Database;
  readonly types: RowTypes;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly scopeOf: ScopeOf;
  readonly pageSizeMax: number;
  readonly costMax: number;
  readonly publicUrl: string;
  readonly allowHttp: boolean;
  readonly staticSecrets: boolean;
  /** Seals cursors. */
  readonly seal: TextSeal;
  readonly digest: Digest;
}

/** Makes the context for resolvers, over the reading connection or inside a mutation's transaction. */
export class ResolverContexts {
  constructor(private readonly parts: ResolverContextsParts) {}

  /**
   * `plain` where every rule was decided in advance; `placed` reads rows with their dimension values, for
   * rules that look at rows.
   */
  reading(call: ResolverCall, trail: Trail, mode: 'plain' | 'placed'): Operation {
    return this.make(call, trail, this.parts.database.read, undefined, mode);
  }

  writing(call: ResolverCall, trail: Trail, tx: Connection): Operation {
    return this.make(call, trail, tx, tx, 'whole');
  }

  private make(
    call: ResolverCall,
    trail: Trail,
    connection: Connection,
    tx: Connection | undefined,
    mode: ReadMode,
  ): Operation {
    const { id, authority, beforehand } = call;
    const rows = new WritableRows(
      connection,
      authority,
      trail,
      this.parts.types,
      this.parts.pageSizeMax,
      this.parts.seal,
      mode,
    );
    const max = Math.min(this.parts.costMax, authority.costMax ?? this.parts.costMax);
    let resolved = 0;
    return {
      id,
      authority,
      rows,
      beforehand: <T>(key: string, work: () => Promise<T>) => {
        const known = beforehand.get(key) ?? work();
        beforehand.set(key, known);
        return known as Promise<T>;
      },
      resolving: (fields) => {
        resolved += fields;
        if (resolved > max) throw tooComplex({ requested: resolved, max });
      },
      trail,
      publicUrl: this.parts.publicUrl,
      allowHttp: this.parts.allowHttp,
      staticSecrets: this.parts.staticSecrets,
      clock: this.parts.clock,
      ids: this.parts.ids,
      scopeOf: this.parts.scopeOf,
      digest: this.parts.digest,
      transaction: tx,
      connection,
      once: (key, input, answerRows, work) => {
        if (tx === undefined) throw new Error('`once` is for mutations.');
        return this.once(tx, call, rows, key, input, answerRows, work);
      },
      taskLimits: () => taskLimits(connection, authority),
    };
  }

  private async once<T extends object>(
    tx: Connection,
    { id, authority }: ResolverCall,
    rows: WritableRows,
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
      return restore<T>(rows, known, answerRows);
    }
    const answer = await work();
    const createdAt = isoTime(this.parts.clock.now());
    const kept = { answer: JSON.stringify(answer), places: dimensionValuesIn(answer, answerRows) };
    const row = { ownerId, key, inputDigest, operationId: id, ...kept, createdAt };
    await tx.insert(idempotencyKeys, [row]).catch((error: unknown) => {
      // Another operation with the same key committed first: run again and return its answer.
      throw isDuplicate(error) ? new RunAgain('idempotencyKey', { cause: error }) : error;
    });
    return answer;
  }
}

type Kept = Pick<IdempotencyKeyRow, 'answer' | 'places'>;

/** The dimension values of an answer's rows, by property. */
function dimensionValuesIn(answer: object, answerRows: AnswerRows): Kept['places'] {
  const places: Record<string, StoredDimensionValues> = {};
  for (const property of Object.keys(answerRows)) {
    const row = (answer as Record<string, object | null | undefined>)[property];
    const values = row === null || row === undefined ? undefined : dimensionValuesOf(row)?.[0];
    if (values !== undefined) places[property] = Object.fromEntries(values);
  }
  return places;
}

/**
 * The first answer, with its rows as they were then. Throws `NOT_FOUND` for a row that was or is outside
 * today's boundary.
 */
async function restore<T extends object>(rows: WritableRows, kept: Kept, answerRows: AnswerRows): Promise<T> {
  const answer = JSON.parse(kept.answer) as Record<string, unknown>;
  for (const [property, table] of Object.entries(answerRows)) {
    const row = answer[property] as { id: string } | null | undefined;
    if (row === null || row === undefined) continue;
    const storedValues = kept.places?.[property];
    if (storedValues === undefined) throw notFound(table.type);
    answer[property] = await rows.earlier(table as unknown as Table<{ id: string }>, row, storedValues);
  }
  return answer as T;
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
