import { auditUnavailable, GroupCommit } from '../audit/group-commit.js';
import { insertRecords, type AuditBody } from '../audit/record.js';
import type { Authority } from '../authority/authority.js';
import type { Clock } from '../core/clock.js';
import { BehalfError, unauthenticated } from '../core/errors.js';
import type { Connection } from '../store/sql/connection.js';
import { isLockConflict, RunAgain, type Database } from '../store/sql/database.js';
import { isActiveDocument } from './documents.js';
import { SpentBudgets } from './budgets.js';
import { readEpoch } from './authority-epoch.js';
import { Ledger } from './ledger.js';

export interface Caller {
  /** Undefined where nobody was recognised: then there is nothing to charge and nothing to look at again. */
  readonly authority: Authority | undefined;
  /** The authority of the same token as the transaction sees it. */
  readonly look: (tx: Connection) => Promise<Authority>;
  /** Nobody has looked since its token was last used whether the authority stands. */
  readonly isOptimistic?: boolean;
  /** The hash of the registered document without which a role would have refused it. */
  readonly restsOn?: string | undefined;
}

/** An operation that is done and waits for its record. */
export interface Finished extends Caller {
  readonly rows: number;
  /** It was refused before it began, for what its delegations have spent: it costs nothing. */
  readonly isFree?: boolean;
  /** The record, given the reason for which nothing may be released, if there is one. */
  readonly record: (refusal: BehalfError | undefined) => AuditBody;
}

/** Which delegations have nothing left, as of a version of the rights. */
export type Charges = Pick<Ledger, 'spent' | 'version'>;

interface Settled {
  readonly refusal: BehalfError | undefined;
  readonly charged: Charges;
}

/** An operation ran by an assumed authority that does not stand any more: nothing was recorded, and it may begin anew. */
export class StaleAuthority extends BehalfError {
  constructor() {
    super('FORBIDDEN', 'The rights of this operation changed while it ran. Try again.');
  }
}

/**
 * The last step of every operation: charge the chain's delegations, look once more whether the rights that
 * it used still stand, and write its record, in one transaction. Only then may the response leave.
 */
export class CommitGate {
  private readonly group: GroupCommit<Finished, Settled>;
  readonly budgets = new SpentBudgets();

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

  /**
   * For what changes nothing. Returns why nothing may be released, `Outdated` for one that has to begin anew; throws
   * `AUDIT_UNAVAILABLE`.
   */
  async release(finished: Finished): Promise<BehalfError | undefined> {
    const { refusal, charged } = await this.group.submit(finished);
    this.note(charged);
    return refusal;
  }

  /** Why nothing of it need begin: its delegations have nothing left. */
  spent(authority: Authority): BehalfError | undefined {
    return this.budgets.refusal(authority);
  }

  /** What a mutation has spent, once it is durable. */
  note({ spent, version }: Charges): void {
    for (const [id, limit] of spent) this.budgets.note(id, limit, version);
  }

  /**
   * For a mutation, at the beginning of its own transaction; what it returns is for the end. Both throw, to roll
   * it back, where nothing may be released: `Outdated` for one that has to begin anew. A mutation may end rights of its own chain, so what counts is whether
   * anyone else changed rights after its beginning: then it runs again.
   */
  async begin(tx: Connection, caller: Caller): Promise<(finished: Finished) => Promise<Charges>> {
    const start = await readEpoch(tx);
    if (caller.authority !== undefined && start.version !== caller.authority.version) {
      if (caller.isOptimistic === true) throw new StaleAuthority();
      const refusal = await lostSince(tx, caller.authority, caller);
      if (refusal !== undefined) throw refusal;
    }
    return async (finished) => {
      const ledger = await Ledger.charge(tx, [finished]);
      if (ledger.version !== start.version + tx.epochMoves) throw new RunAgain('rights changed meanwhile');
      const refusal =
        this.expired(finished.authority) ??
        (ledger.isCovered ? undefined : (await ledger.oneByOne()).charge(finished));
      if (refusal !== undefined) throw refusal;
      await insertRecords(tx, [finished.record(undefined)]).catch((error: unknown) => {
        throw isLockConflict(error) ? error : auditUnavailable(error);
      });
      return ledger;
    };
  }

  private async settle(tx: Connection, all: readonly Finished[]): Promise<Settled[]> {
    const ledger = await Ledger.charge(
      tx,
      all.filter(({ isFree }) => isFree !== true),
    );
    const isUndisputed = all.every(
      ({ authority }) =>
        authority === undefined ||
        (authority.version === ledger.version && this.expired(authority) === undefined),
    );
    const { refusals, spent } =
      ledger.isCovered && isUndisputed
        ? { refusals: all.map(() => undefined), spent: ledger.spent }
        : await this.refusals(tx, all, ledger);
    const bodies = all.flatMap((finished, index) => {
      const refusal = refusals[index];
      return refusal instanceof StaleAuthority ? [] : [finished.record(refusal)];
    });
    await insertRecords(tx, bodies);
    const charged = { spent, version: ledger.version };
    return refusals.map((refusal) => ({ refusal, charged }));
  }

  /** Which of them may release nothing, and why; what is refused costs nothing. */
  private async refusals(
    tx: Connection,
    all: readonly Finished[],
    ledger: Ledger,
  ): Promise<{ refusals: (BehalfError | undefined)[]; spent: Charges['spent'] }> {
    const spending = await ledger.oneByOne();
    const looks = new Map<string, Promise<BehalfError | undefined>>();
    const lost = (finished: Finished): Promise<BehalfError | undefined> | undefined => {
      const { authority, restsOn = '' } = finished;
      if (authority === undefined || authority.version === ledger.version) return undefined;
      if (finished.isOptimistic === true) return Promise.resolve(new StaleAuthority());
      const key = `${authority.tokenId} ${String(authority.version)} ${restsOn}`;
      const looked = looks.get(key) ?? lostSince(tx, authority, finished);
      looks.set(key, looked);
      return looked;
    };
    const refusals: (BehalfError | undefined)[] = [];
    for (const finished of all) {
      const refusal = (await lost(finished)) ?? this.expired(finished.authority);
      refusals.push(refusal ?? (finished.isFree === true ? undefined : spending.charge(finished)));
    }
    await spending.write();
    return { refusals, spent: spending.spent };
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
    if (isHeld && (restsOn === undefined || (await isActiveDocument(tx, restsOn)))) return undefined;
  } catch (error) {
    if (error instanceof BehalfError) return error;
    throw error;
  }
  return new BehalfError('FORBIDDEN', 'The rights of this operation were narrowed while it ran. Try again.', {
    hint: 'Ask `viewer` what this task may do now.',
  });
}
