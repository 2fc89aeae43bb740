import type { DocumentNode } from 'graphql';
import type { Authority } from '../../authority/authority.js';
import type { Scope } from '../../authority/scope.js';
import type { AuditBody, McpUse, Outcome } from '../../audit/record.js';
import { Trail } from '../../audit/trail.js';
import type { Clock } from '../../core/clock.js';
import type { BehalfError, ErrorCode } from '../../core/errors.js';
import type { Connection } from '../../store/sql/connection.js';
import type { Refused } from '../plan/prune-and-merge.js';

const noScopes = (): readonly Scope[] => [];

/** When a call reached each step, in milliseconds of `performance.now()`; 0 for a step it has not reached. */
export interface Marks {
  /** The head of the request has arrived. */
  arrived: number;
  authenticated: number;
  /** The call's turn has come. */
  admitted: number;
  /** Everything but the record is done. */
  releasing: number;
  /** The record is durable, or could not be written. */
  recorded: number;
}

/** One request by a recognised caller, from its arrival until its record is durable. */
export class Call {
  /** Each attempt of a mutation has a trail of its own; after a rollback only the reads stay in it. */
  trail: Trail;
  operationName: string | null = null;
  operationType: string | null = null;
  documentHash: string | null = null;
  /** The document's registered name or the policy it broke, for the record. */
  document: Pick<NonNullable<AuditBody['operation']>, 'registeredAs' | 'unregistered'> = {};
  /** The document that ran; undefined where none did. */
  ran: DocumentNode | undefined;
  /** Set where the call came by MCP. */
  mcp: McpUse | undefined;
  /** The fault of data without errors; undefined where any data will do. */
  faultOf: ((data: Readonly<Record<string, unknown>>) => BehalfError | undefined) | undefined;
  /** Set where only operations of this kind may run. */
  only: 'query' | 'mutation' | undefined;
  /** The scopes of a new token for the operation; none before it was decided. */
  requiredScopes: () => readonly Scope[] = noScopes;
  /** The hash of the registered document that this call needs in order to run. */
  restsOn: string | undefined;
  /** JSON, without personal values. */
  variables: string | null = null;
  /** JSON of the arguments that the document writes as literals. */
  literals: string | null = null;
  /**
   * True while the call runs with the authority that its token last had, without having checked that it still holds. If
   * it no longer does, no record is written and nothing is released.
   */
  isOptimistic = false;
  /**
   * True where the call is not charged: it is refused, before it runs, because its delegations have spent their limits,
   * or it is an inspection.
   */
  isFree = false;
  /**
   * True where a person looks through one of their delegations: the authority is that of the delegation's chain, but the
   * person acts, and nothing may change.
   */
  isInspection = false;
  /** Results of the work before a mutation's transaction, kept because the transaction may run again. */
  readonly beforehand = new Map<string, Promise<unknown>>();
  /** Fields that were refused before the operation ran; the response still has to report them. */
  refused: readonly Refused[] = [];
  /** The outcome in the record; undefined where there is no record, as for a request refused for load. */
  outcome: Outcome | undefined;
  /** The code of the first error. */
  errorCode: ErrorCode | undefined;
  readonly marks: Marks;

  constructor(
    readonly id: string,
    readonly startedAt: number,
    private readonly clock: Clock,
    readonly authority: Authority,
    /** The authority of the same token, read inside a transaction. */
    readonly look: (tx: Connection) => Promise<Authority>,
    readonly source: { readonly address: string | null; readonly userAgent: string | null },
    private readonly limits: CallLimits,
  ) {
    this.trail = this.makeTrail();
    const now = performance.now();
    this.marks = { arrived: now, authenticated: now, admitted: 0, releasing: 0, recorded: 0 };
  }

  /** True once the record is durable, or it is certain that there will be none. */
  get isRecorded(): boolean {
    return this.marks.recorded > 0;
  }

  markRecorded(): void {
    this.marks.recorded ||= performance.now();
  }

  /** Notes that there will be no record, for this reason, and that nothing is released. */
  markUnrecorded(code: ErrorCode): void {
    this.outcome = 'failed';
    this.errorCode = code;
    this.markRecorded();
  }

  /** Milliseconds since the request arrived. */
  get durationMs(): number {
    return Math.max(0, this.clock.now() - this.startedAt);
  }

  /** For another attempt. That of the one before ends. */
  newTrail(): Trail {
    this.trail.end();
    this.trail = this.makeTrail();
    return this.trail;
  }

  private makeTrail(): Trail {
    const { rows, seconds } = this.limits;
    return new Trail(rows, () => this.startedAt + seconds * 1000 - this.clock.now());
  }
}

/** The most that one operation may take. */
export interface CallLimits {
  readonly rows: number;
  readonly seconds: number;
}
