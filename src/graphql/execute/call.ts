import type { Authority } from '../../authority/authority.js';
import type { AuditBody, Outcome } from '../../audit/record.js';
import { Trail } from '../../audit/trail.js';
import type { Clock } from '../../core/clock.js';
import type { ErrorCode } from '../../core/errors.js';
import type { Connection } from '../../store/sql/connection.js';
import type { Refused } from '../plan/prune-and-merge.js';

/** When it came to what, in milliseconds of `performance.now()`; 0 for what it has not come to. */
export interface Marks {
  /** The request's head was here. */
  arrived: number;
  authenticated: number;
  /** It was its turn. */
  admitted: number;
  /** It was done but for its record. */
  releasing: number;
  /** Its record was durable, or could not be written. */
  recorded: number;
}

/** One request to the endpoint by a recognised caller, from its arrival until its record is durable. */
export class Call {
  /** Replaced for each attempt of a mutation; of one that was rolled back only what it looked at stays. */
  trail: Trail;
  operationName: string | null = null;
  operationType: string | null = null;
  documentHash: string | null = null;
  /** What its record says of the document beside its hash. */
  document: Pick<NonNullable<AuditBody['operation']>, 'registeredAs' | 'unregistered'> = {};
  /** The hash of the registered document without which it could not run. */
  restsOn: string | undefined;
  /** JSON, personal values redacted. */
  variables: string | null = null;
  /** JSON, the arguments that its document says itself. */
  literals: string | null = null;
  /**
   * Its authority is the one that its token last had, and nobody has looked yet whether it still stands: its record
   * is not written where it does not, and nothing is released.
   */
  isOptimistic = false;
  /** It is refused for what its delegations have spent, before it began. */
  isFree = false;
  /** What a mutation did before its transaction, which may have to run again. */
  readonly beforehand = new Map<string, Promise<unknown>>();
  /** Fields that were refused before it ran, which its response has yet to tell. */
  refused: readonly Refused[] = [];
  /** What its record says; undefined where it came to none, such as a request that was refused for load. */
  outcome: Outcome | undefined;
  /** The first error's. */
  errorCode: ErrorCode | undefined;
  readonly marks: Marks;

  constructor(
    readonly id: string,
    readonly startedAt: number,
    private readonly clock: Clock,
    readonly authority: Authority,
    /** The authority of the same token as a transaction sees it. */
    readonly look: (tx: Connection) => Promise<Authority>,
    readonly source: { readonly address: string | null; readonly userAgent: string | null },
    private readonly limits: CallLimits,
  ) {
    this.trail = this.newTrail();
    const now = performance.now();
    this.marks = { arrived: now, authenticated: now, admitted: 0, releasing: 0, recorded: 0 };
  }

  /** True once a durable record of this call exists, or it is sure that there will be none. */
  get isRecorded(): boolean {
    return this.marks.recorded > 0;
  }

  markRecorded(): void {
    this.marks.recorded ||= performance.now();
  }

  /** There will be no record, for this reason, and nothing is released. */
  markUnrecorded(code: ErrorCode): void {
    this.outcome = 'failed';
    this.errorCode = code;
    this.markRecorded();
  }

  /** Milliseconds since its arrival. */
  get durationMs(): number {
    return Math.max(0, this.clock.now() - this.startedAt);
  }

  newTrail(): Trail {
    const { rows, seconds } = this.limits;
    this.trail = new Trail(rows, () => this.startedAt + seconds * 1000 - this.clock.now());
    return this.trail;
  }
}

/** What one operation may take. */
export interface CallLimits {
  readonly rows: number;
  readonly seconds: number;
}
