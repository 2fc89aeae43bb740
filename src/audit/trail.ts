import { sha256 } from '../core/digest.js';
import { BehalfError, outOfTime } from '../core/errors.js';
import type { TouchAction, Witness } from '../store/witness.js';

/** How many ids of one type and action a record names; the digest stands for all of them. */
const namedMax = 100;

export interface TouchedResources {
  readonly type: string;
  readonly action: TouchAction;
  readonly count: number;
  readonly ids: readonly string[];
  /** SHA-256 over all ids in order of being touched, one a line. */
  readonly digest: string;
}

/** What an administrator's change made of a row. Never holds a secret. */
export interface Change {
  readonly type: string;
  readonly id: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

export interface RecordedDecision {
  readonly coordinate: string;
  readonly scope: string;
  readonly outcome: 'allow' | 'deny';
  readonly reason?: string;
  readonly layer?: string;
}

/** What one operation touched and what was decided about it, gathered while it runs. */
export class Trail implements Witness {
  readonly changes: Change[] = [];
  private readonly byKey = new Map<string, { type: string; action: TouchAction; ids: Set<string> }>();
  private readonly denied = new Map<string, RecordedDecision>();
  private rows = 0;

  /**
   * @param rowsMax how many rows one operation may touch before it is `QUERY_TOO_COMPLEX`
   * @param leftMs how much longer it may ask the database for anything
   */
  constructor(
    private readonly rowsMax = Number.POSITIVE_INFINITY,
    private readonly leftMs: () => number = () => Number.POSITIVE_INFINITY,
  ) {}

  asking(): number {
    const leftMs = this.leftMs();
    if (leftMs < 0) throw outOfTime();
    return leftMs;
  }

  touched(type: string, ids: readonly string[], action: TouchAction): void {
    const key = `${type} ${action}`;
    const entry = this.byKey.get(key) ?? { type, action, ids: new Set<string>() };
    const before = entry.ids.size;
    for (const id of ids) entry.ids.add(id);
    this.rows += entry.ids.size - before;
    this.byKey.set(key, entry);
    if (this.rows > this.rowsMax) {
      throw new BehalfError('QUERY_TOO_COMPLEX', `One operation may touch ${String(this.rowsMax)} rows.`, {
        hint: 'Ask for smaller pages.',
      });
    }
  }

  changed(change: Change): void {
    this.changes.push(change);
  }

  /** A refusal; the same coordinate for many rows is told once. */
  refused(decision: RecordedDecision): void {
    this.denied.set(`${decision.coordinate} ${decision.scope} ${decision.reason ?? ''}`, decision);
  }

  get refusals(): readonly RecordedDecision[] {
    return [...this.denied.values()];
  }

  /** Rows read and written, each once. */
  get rowCount(): number {
    return this.rows;
  }

  get resources(): readonly TouchedResources[] {
    return [...this.byKey.values()].map(({ type, action, ids }) => ({
      type,
      action,
      count: ids.size,
      ids: [...ids].slice(0, namedMax),
      digest: sha256([...ids].join('\n')),
    }));
  }
}
