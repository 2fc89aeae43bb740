import type { Authority } from '../authority/authority.js';
import { Trail } from '../audit/trail.js';
import type { Clock } from '../core/clock.js';
import type { Connection } from '../store/connection.js';

/** One request to the endpoint by a recognised caller, from its arrival until its record is durable. */
export class Call {
  /** Replaced for each attempt of a mutation, so that a rolled back attempt leaves no trace. */
  trail: Trail;
  operationName: string | null = null;
  operationType: string | null = null;
  documentHash: string | null = null;
  /** JSON, personal values redacted. */
  variables: string | null = null;
  /** True once a durable record of this call exists. */
  recorded = false;

  constructor(
    readonly id: string,
    readonly startedAt: number,
    private readonly clock: Clock,
    readonly authority: Authority,
    /** The authority of the same token as a transaction sees it. */
    readonly look: (tx: Connection) => Promise<Authority>,
    readonly source: { readonly address: string | null; readonly userAgent: string | null },
    private readonly rowsMax: number,
  ) {
    this.trail = new Trail(rowsMax);
  }

  /** Milliseconds since its arrival. */
  get durationMs(): number {
    return Math.max(0, this.clock.now() - this.startedAt);
  }

  newTrail(): Trail {
    this.trail = new Trail(this.rowsMax);
    return this.trail;
  }
}

/** What Apollo Server carries. It copies its context for each operation, so the call is one step inside. */
export interface CallContext {
  readonly call: Call;
}
