import { sha256 } from '../core/digest.js';
import type { DimensionValue, DimensionValues } from '../authority/boundary.js';
import { BehalfError, outOfTime } from '../core/errors.js';
import type { TouchAction, RowAccessObserver } from '../store/bounded/row-access-observer.js';

export interface TouchedResources {
  readonly type: string;
  readonly action: TouchAction;
  readonly count: number;
  /** The first ids. */
  readonly ids: readonly string[];
  /** SHA-256 over all ids in the order of access, one per line. */
  readonly digest: string;
  /** The number of answers that showed no row: counts, sums, empty results. Each is charged as one row. */
  readonly looks?: number;
}

/** Rows beyond those named in `resources`, so that a search for any row finds the record. */
export interface FurtherRows {
  readonly type: string;
  readonly ids: readonly string[];
}

/** The maximum number of ids per type and action in `resources`. The digest covers all of them. */
const namedMax = 100;

/** The dimension values of a row when it was written. */
export interface WrittenRow {
  readonly type: string;
  readonly place: Readonly<Record<string, DimensionValue>>;
}

interface Touched {
  readonly type: string;
  readonly action: TouchAction;
  readonly ids: Set<string>;
  looks: number;
}

/** A change of a row by an administrator. It never holds a secret. */
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

/** Collects the rows that one operation touches and the decisions about it, while it runs. */
export class Trail implements RowAccessObserver {
  readonly changes: Change[] = [];
  private readonly byKey = new Map<string, Touched>();
  private readonly denied = new Map<string, RecordedDecision>();
  private readonly writtenRows = new Map<string, WrittenRow>();
  private rows = 0;
  private isOver = false;

  /**
   * @param rowsMax how many rows one operation may touch; above that it is `QUERY_TOO_COMPLEX`
   * @param leftMs how many more milliseconds it may use the database
   */
  constructor(
    private readonly rowsMax = Number.POSITIVE_INFINITY,
    private readonly leftMs: () => number = () => Number.POSITIVE_INFINITY,
  ) {}

  /**
   * Its record is taken, or will never be. From now on it refuses to note rows, so that whoever still holds rows of the
   * operation gets none that no record names.
   */
  end(): void {
    this.isOver = true;
  }

  get hasEnded(): boolean {
    return this.isOver;
  }

  private goesOn(): void {
    if (this.isOver) throw new Error('The operation is over: its rows are not read any more.');
  }

  asking(): number {
    this.goesOn();
    const leftMs = this.leftMs();
    if (leftMs < 0) throw outOfTime();
    return leftMs;
  }

  touched(type: string, ids: readonly string[], action: TouchAction): void {
    this.goesOn();
    const entry = this.entry(type, action);
    const before = entry.ids.size;
    for (const id of ids) entry.ids.add(id);
    this.charge(entry.ids.size - before);
  }

  looked(type: string, action: 'read' | 'aggregate', answers: number): void {
    this.goesOn();
    this.entry(type, action).looks += answers;
    this.charge(answers);
  }

  private entry(type: string, action: TouchAction): Touched {
    const key = `${type} ${action}`;
    const entry = this.byKey.get(key) ?? { type, action, ids: new Set<string>(), looks: 0 };
    this.byKey.set(key, entry);
    return entry;
  }

  private charge(rows: number): void {
    this.rows += rows;
    if (this.rows > this.rowsMax) {
      throw new BehalfError('QUERY_TOO_COMPLEX', `One operation may touch ${String(this.rowsMax)} rows.`, {
        hint: 'Ask for smaller pages.',
      });
    }
  }

  /** Ends it. The trail of an operation that was rolled back: its reads and its refusals. */
  rolledBack(): Trail {
    this.end();
    const kept = new Trail(this.rowsMax, this.leftMs);
    for (const [key, decision] of this.denied) kept.denied.set(key, decision);
    for (const [key, entry] of this.byKey) {
      if (entry.action !== 'read' && entry.action !== 'aggregate') continue;
      // Rows that the operation itself created no longer exist, so its reads of them are left out.
      const made = this.byKey.get(`${entry.type} create`)?.ids ?? new Set<string>();
      const ids = new Set([...entry.ids].filter((id) => !made.has(id)));
      if (ids.size + entry.looks === 0) continue;
      kept.byKey.set(key, { ...entry, ids });
      kept.rows += ids.size + entry.looks;
    }
    return kept;
  }

  wrote(type: string, values: DimensionValues): void {
    const at = { type, place: Object.fromEntries(values) };
    this.writtenRows.set(JSON.stringify(at), at);
  }

  get places(): readonly WrittenRow[] {
    return [...this.writtenRows.values()];
  }

  changed(change: Change): void {
    this.changes.push(change);
  }

  /** Notes a refusal. The same coordinate, scope and reason for many rows is noted once. */
  refused(decision: RecordedDecision): void {
    this.denied.set(`${decision.coordinate} ${decision.scope} ${decision.reason ?? ''}`, decision);
  }

  get refusals(): readonly RecordedDecision[] {
    return [...this.denied.values()];
  }

  /** Rows read and written, each counted once, plus answers that showed no row. */
  get rowCount(): number {
    return this.rows;
  }

  get resources(): readonly TouchedResources[] {
    return [...this.byKey.values()].map(({ type, action, ids, looks }) => ({
      type,
      action,
      count: ids.size,
      ids: [...ids].slice(0, namedMax),
      digest: sha256([...ids].join('\n')),
      ...(looks === 0 ? {} : { looks }),
    }));
  }

  get furtherRows(): readonly FurtherRows[] {
    return [...this.byKey.values()]
      .filter(({ ids }) => ids.size > namedMax)
      .map(({ type, ids }) => ({ type, ids: [...ids].slice(namedMax) }));
  }
}
