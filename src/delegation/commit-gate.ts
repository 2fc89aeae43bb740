import { auditUnavailable, GroupCommit } from '../audit/group-commit.js';
import { insertRecords, type AuditBody } from '../audit/record.js';
import type { Authority } from '../authority/authority.js';
import type { Clock } from '../core/clock.js';
import { BehalfError, unauthenticated } from '../core/errors.js';
import type { Connection } from '../store/sql/connection.js';
import { isLockConflict, RunAgain } from '../store/drivers/lock-conflicts.js';
import type { Database } from '../store/sql/database.js';
import { isActiveDocument } from './trusted-documents.js';
import { SpentBudgets } from './budgets.js';
import { readEpoch } from './authority-epoch.js';
import { ChargeLedger } from './charge-ledger.js';

/** The rights that an operation uses, and how to look at them again before anything is released. */
interface UsedRights {
  /** Undefined where the caller was not authenticated. Then nothing is charged or checked again. */
  readonly authority: Authority | undefined;
  /** Computes the authority of the same token inside the transaction. */
  readonly look: (tx: Connection) => Promise<Authority>;
  /** Whether the authority comes from the cache without a check of its version. */
  readonly isOptimistic?: boolean;
  /** The hash of a registered document that a role of the chain requires. */
  readonly restsOn?: string | undefined;
}

/** A finished operation that waits for its record. */
export interface Finished extends UsedRights {
  readonly rows: number;
  /** Whether its delegations are not charged: they are used up, and it did not begin, or their person inspects them. */
  readonly isFree?: boolean;
  /** Builds the record. `refusal` says why nothing may be released, if so. */
  readonly record: (refusal: BehalfError | undefined) => AuditBody;
}

/** The delegations that are used up, as of one version of the rights. */
export type Charges = Pick<ChargeLedger, 'spent' | 'version'>;

interface CommitResult {
  readonly refusal: BehalfError | undefined;
  readonly charged: Charges;
}

/**
 * An operation ran under an optimistic authority that is out of date. Nothing was recorded, and the operation
 * may start again.
 */
export class StaleAuthority extends BehalfError {
  constructor() {
    super('FORBIDDEN', 'The rights of this operation changed while it ran. Try again.');
  }
}

/**
 * The last step of every operation. In one transaction it charges the chain's delegations, checks again that
 * the rights it used are still held, and writes its record. Only then may the response leave.
 */
export class CommitGate {
  private readonly group: GroupCommit<Finished, CommitResult>;
  readonly budgets = new SpentBudgets();

  constructor(
    database: Database,
    private readonly clock: Clock,
    onCommit?: (seconds: number, records: number) => void,
  ) {
    this.group = new GroupCommit(
      database,
      (tx, all) => this.commitAll(tx, all),
      undefined,
      undefined,
      onCommit,
    );
  }

  /** Operations that wait for their record to be committed. */
  get size(): number {
    return this.group.size;
  }

  get isFull(): boolean {
    return this.group.isFull;
  }

  /**
   * For an operation that changes nothing. Returns why nothing may be released: `StaleAuthority` where the
   * operation has to start again. Throws `AUDIT_UNAVAILABLE`.
   */
  async release(finished: Finished): Promise<BehalfError | undefined> {
    const { refusal, charged } = await this.group.submit(finished);
    this.note(charged);
    return refusal;
  }

  /** Why an operation need not begin: its delegations are used up. Undefined where it may. */
  spent(authority: Authority): BehalfError | undefined {
    return this.budgets.refusal(authority);
  }

  /** Notes what a mutation has used up. Called once the charge is durable. */
  note({ spent, version }: Charges): void {
    for (const [id, limit] of spent) this.budgets.note(id, limit, version);
  }

  /**
   * For a mutation, at the beginning of its own transaction. Returns a function to call at the end. Both
   * throw, to roll the transaction back, where nothing may be released: `StaleAuthority` where the mutation
   * has to start again. A mutation may end rights of its own chain. So it runs again only if another
   * transaction changed rights after it began.
   */
  async begin(tx: Connection, rights: UsedRights): Promise<(finished: Finished) => Promise<Charges>> {
    const start = await readEpoch(tx);
    if (rights.authority !== undefined && start.version !== rights.authority.version) {
      if (rights.isOptimistic === true) throw new StaleAuthority();
      const refusal = await lostSince(tx, rights.authority, rights);
      if (refusal !== undefined) throw refusal;
    }
    return async (finished) => {
      const ledger = await ChargeLedger.charge(tx, [finished]);
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

  private async commitAll(tx: Connection, all: readonly Finished[]): Promise<CommitResult[]> {
    const ledger = await ChargeLedger.charge(
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

  /**
   * Why each operation may release nothing; undefined where it may. A lost right or an expired token costs
   * nothing.
   */
  private async refusals(
    tx: Connection,
    all: readonly Finished[],
    ledger: ChargeLedger,
  ): Promise<{ refusals: (BehalfError | undefined)[]; spent: Charges['spent'] }> {
    const spending = await ledger.oneByOne();
    const looks = new Map<string, Promise<BehalfError | undefined>>();
    const lost = (finished: Finished): Promise<BehalfError | undefined> | undefined => {
      const { authority, restsOn = '' } = finished;
      if (authority === undefined || authority.version === ledger.version) return undefined;
      if (finished.isOptimistic === true) return Promise.resolve(new StaleAuthority());
      // One token of a person may act in person and inspect several delegations.
      const { tokenId, version, task } = authority;
      const key = `${tokenId} ${task?.delegationId ?? ''} ${String(version)} ${restsOn}`;
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

/** Why an operation that began with this authority may release nothing now: it has lost a right. */
async function lostSince(
  tx: Connection,
  authority: Authority,
  { look, restsOn }: UsedRights,
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
