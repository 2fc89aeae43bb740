import { auditUnavailable, GroupCommit } from '../audit/group-commit.js';
import { insertRecords, type AuditBody } from '../audit/record.js';
import type { Authority } from '../authority/authority.js';
import type { Clock } from '../core/clock.js';
import { BehalfError, unauthenticated } from '../core/errors.js';
import { isIn } from '../store/condition.js';
import type { Connection } from '../store/connection.js';
import type { Database } from '../store/database.js';
import { delegations, type DelegationRow } from '../store/tables/identity.js';
import { readEpoch } from './epoch.js';

/** An operation that is done and waits for its record. */
export interface Finished {
  /** Undefined where nobody was recognised: then there is nothing to charge and nothing to look at again. */
  readonly authority: Authority | undefined;
  /** The authority of the same token as the transaction sees it. */
  readonly look: (tx: Connection) => Promise<Authority>;
  readonly rows: number;
  /** The record, given the reason for which nothing may be released, if there is one. */
  readonly record: (refusal: BehalfError | undefined) => AuditBody;
}

/**
 * The last step of every operation: charge the chain's delegations, look once more whether the rights that
 * it used still stand, and write its record, in one transaction. Only then may the response leave.
 */
export class Releases {
  private readonly group: GroupCommit<Finished, BehalfError | undefined>;

  constructor(
    database: Database,
    private readonly clock: Clock,
  ) {
    this.group = new GroupCommit(database, (tx, all) => this.settle(tx, all));
  }

  /** For what changes nothing. Returns why nothing may be released; throws `AUDIT_UNAVAILABLE`. */
  release(finished: Finished): Promise<BehalfError | undefined> {
    return this.group.submit(finished);
  }

  /** For a mutation, in its own transaction. Throws, to roll it back, where nothing may be released. */
  async releaseInside(tx: Connection, finished: Finished): Promise<void> {
    const ledger = await Ledger.lock(tx, [finished]);
    const refusal = (await this.refusalOf(tx, finished)) ?? ledger.charge(finished);
    if (refusal !== undefined) throw refusal;
    await ledger.write(tx);
    await insertRecords(tx, [finished.record(undefined)]).catch((error: unknown) => {
      throw auditUnavailable(error);
    });
  }

  private async settle(tx: Connection, all: readonly Finished[]): Promise<(BehalfError | undefined)[]> {
    const ledger = await Ledger.lock(tx, all);
    const refusals: (BehalfError | undefined)[] = [];
    const bodies: AuditBody[] = [];
    for (const finished of all) {
      const refusal = (await this.refusalOf(tx, finished)) ?? ledger.charge(finished);
      refusals.push(refusal);
      bodies.push(finished.record(refusal));
    }
    await ledger.write(tx);
    await insertRecords(tx, bodies);
    return refusals;
  }

  /** A right lost since the operation began means that nothing is released. */
  private async refusalOf(tx: Connection, finished: Finished): Promise<BehalfError | undefined> {
    const { authority } = finished;
    if (authority === undefined) return undefined;
    if (authority.expiresAt <= this.clock.now()) return unauthenticated('The access token has expired.');
    const epoch = await readEpoch(tx, true);
    if (epoch.version === authority.version + tx.epochMoves) return undefined;
    try {
      if (authority.isWithin(await finished.look(tx))) return undefined;
    } catch (error) {
      if (error instanceof BehalfError) return error;
      throw error;
    }
    return new BehalfError(
      'FORBIDDEN',
      'The rights of this operation were narrowed while it ran. Try again.',
      {
        hint: 'Ask `viewer` what this task may do now.',
      },
    );
  }
}

/** What the delegations of some operations may still spend. */
class Ledger {
  private readonly changed = new Set<DelegationRow>();

  private constructor(private readonly byId: ReadonlyMap<string, DelegationRow>) {}

  /** Locked in the order of ids, and before the epoch, as by those who revoke. */
  static async lock(tx: Connection, all: readonly Finished[]): Promise<Ledger> {
    const ids = [...new Set(all.flatMap((finished) => finished.authority?.task?.delegationIds ?? []))];
    if (ids.length === 0) return new Ledger(new Map());
    const rows = await tx.select(delegations, isIn('id', ids), {
      order: [{ column: 'id', direction: 'asc' }],
      lock: 'update',
    });
    return new Ledger(new Map(rows.map((row) => [row.id, row])));
  }

  charge(finished: Finished): BehalfError | undefined {
    const mine = (finished.authority?.task?.delegationIds ?? []).map((id) => this.byId.get(id));
    for (const row of mine) {
      if (row === undefined) return unauthenticated('The delegation of this token has ended.');
      if (row.operationsUsed + 1 > row.operationsMax) return spent('operations');
      if (row.rowsUsed + finished.rows > row.rowsMax) return spent('rows');
    }
    for (const row of mine) {
      if (row === undefined) continue;
      row.operationsUsed += 1;
      row.rowsUsed += finished.rows;
      this.changed.add(row);
    }
    return undefined;
  }

  async write(tx: Connection): Promise<void> {
    for (const row of this.changed) {
      await tx.affecting('UPDATE `delegations` SET `operations_used` = ?, `rows_used` = ? WHERE `id` = ?', [
        row.operationsUsed,
        row.rowsUsed,
        row.id,
      ]);
    }
  }
}

const spent = (limit: 'operations' | 'rows'): BehalfError =>
  new BehalfError('LIMIT_EXCEEDED', `The task has no ${limit} left.`, {
    limit,
    hint: 'Ask the person who delegated it for a new delegation, or ask for fewer rows.',
  });
