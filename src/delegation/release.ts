import { auditUnavailable, GroupCommit } from '../audit/group-commit.js';
import { insertRecords, type AuditBody } from '../audit/record.js';
import type { Authority } from '../authority/authority.js';
import type { Clock } from '../core/clock.js';
import { BehalfError, unauthenticated } from '../core/errors.js';
import { isIn, padded } from '../store/condition.js';
import type { Connection } from '../store/connection.js';
import { isLockConflict, RunAgain, type Database } from '../store/database.js';
import { delegations, type DelegationRow } from '../store/tables/identity.js';
import { isStanding } from './documents.js';
import { readEpoch } from './epoch.js';

export interface Caller {
  /** Undefined where nobody was recognised: then there is nothing to charge and nothing to look at again. */
  readonly authority: Authority | undefined;
  /** The authority of the same token as the transaction sees it. */
  readonly look: (tx: Connection) => Promise<Authority>;
  /** The hash of the registered document without which a role would have refused it. */
  readonly restsOn?: string | undefined;
}

/** An operation that is done and waits for its record. */
export interface Finished extends Caller {
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
    onCommit?: (seconds: number, records: number) => void,
  ) {
    this.group = new GroupCommit(database, (tx, all) => this.settle(tx, all), undefined, undefined, onCommit);
  }

  /** Records that wait for their commit. */
  get size(): number {
    return this.group.size;
  }

  get isFull(): boolean {
    return this.group.isFull;
  }

  /** For what changes nothing. Returns why nothing may be released; throws `AUDIT_UNAVAILABLE`. */
  release(finished: Finished): Promise<BehalfError | undefined> {
    return this.group.submit(finished);
  }

  /**
   * For a mutation, at the beginning of its own transaction; what it returns is for the end. Both throw, to roll
   * it back, where nothing may be released. A mutation may end rights of its own chain, so what counts is whether
   * anyone else changed rights after its beginning: then it runs again.
   */
  async begin(tx: Connection, caller: Caller): Promise<(finished: Finished) => Promise<void>> {
    const start = await readEpoch(tx);
    if (caller.authority !== undefined && start.version !== caller.authority.version) {
      const refusal = await lostSince(tx, caller.authority, caller);
      if (refusal !== undefined) throw refusal;
    }
    return async (finished) => {
      const ledger = await Ledger.lock(tx, [finished]);
      const end = await readEpoch(tx, true);
      if (end.version !== start.version + tx.epochMoves) throw new RunAgain('rights changed meanwhile');
      const refusal = this.expired(finished.authority) ?? ledger.charge(finished);
      if (refusal !== undefined) throw refusal;
      await ledger.write(tx);
      await insertRecords(tx, [finished.record(undefined)]).catch((error: unknown) => {
        throw isLockConflict(error) ? error : auditUnavailable(error);
      });
    };
  }

  private async settle(tx: Connection, all: readonly Finished[]): Promise<(BehalfError | undefined)[]> {
    const ledger = await Ledger.lock(tx, all);
    const epoch = await readEpoch(tx, true);
    const looks = new Map<string, Promise<BehalfError | undefined>>();
    const lost = (finished: Finished): Promise<BehalfError | undefined> | undefined => {
      const { authority, restsOn = '' } = finished;
      if (authority === undefined || authority.version === epoch.version) return undefined;
      const key = `${authority.tokenId} ${String(authority.version)} ${restsOn}`;
      const looked = looks.get(key) ?? lostSince(tx, authority, finished);
      looks.set(key, looked);
      return looked;
    };
    const refusals: (BehalfError | undefined)[] = [];
    const bodies: AuditBody[] = [];
    for (const finished of all) {
      const refusal = this.expired(finished.authority) ?? (await lost(finished)) ?? ledger.charge(finished);
      refusals.push(refusal);
      bodies.push(finished.record(refusal));
    }
    await ledger.write(tx);
    await insertRecords(tx, bodies);
    return refusals;
  }

  private expired(authority: Authority | undefined): BehalfError | undefined {
    return authority !== undefined && authority.expiresAt <= this.clock.now()
      ? unauthenticated('The access token has expired. Get a new one.')
      : undefined;
  }
}

/** Why an operation that began with this authority may release nothing now: a right that it had is gone. */
async function lostSince(
  tx: Connection,
  authority: Authority,
  { look, restsOn }: Caller,
): Promise<BehalfError | undefined> {
  try {
    const isHeld = authority.isWithin(await look(tx));
    if (isHeld && (restsOn === undefined || (await isStanding(tx, restsOn)))) return undefined;
  } catch (error) {
    if (error instanceof BehalfError) return error;
    throw error;
  }
  return new BehalfError('FORBIDDEN', 'The rights of this operation were narrowed while it ran. Try again.', {
    hint: 'Ask `viewer` what this task may do now.',
  });
}

/** What the delegations of some operations may still spend. */
class Ledger {
  private readonly changed = new Set<Spending>();

  private constructor(private readonly byId: ReadonlyMap<string, Spending>) {}

  /** Locked in the order of ids, and before the epoch, as by those who revoke. */
  static async lock(tx: Connection, all: readonly Finished[]): Promise<Ledger> {
    const ids = [...new Set(all.flatMap((finished) => finished.authority?.task?.delegationIds ?? []))];
    if (ids.length === 0) return new Ledger(new Map());
    const rows = await tx.selectColumns(delegations, spending, isIn('id', ids), {
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
    const rows = padded([...this.changed]);
    if (rows.length === 0) return;
    const cases = rows.map(() => 'WHEN ? THEN ?').join(' ');
    const spentOf = (count: (row: Spending) => number) => rows.flatMap((row) => [row.id, count(row)]);
    await tx.affecting(
      `UPDATE \`delegations\` SET \`operations_used\` = CASE \`id\` ${cases} END, \`rows_used\` = CASE \`id\` ${cases} END ` +
        `WHERE \`id\` IN (${rows.map(() => '?').join(', ')})`,
      [
        ...spentOf((row) => row.operationsUsed),
        ...spentOf((row) => row.rowsUsed),
        ...rows.map((row) => row.id),
      ],
      true,
    );
  }
}

const spending = ['id', 'operationsMax', 'operationsUsed', 'rowsMax', 'rowsUsed'] as const;
type Spending = Pick<DelegationRow, (typeof spending)[number]>;

const spent = (limit: 'operations' | 'rows'): BehalfError =>
  new BehalfError('LIMIT_EXCEEDED', `The task has no ${limit} left.`, {
    limit,
    hint: 'Ask the person who delegated it for a new delegation, or ask for fewer rows.',
  });
