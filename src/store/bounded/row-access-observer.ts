import type { DimensionValues } from '../../authority/boundary.js';

/** Who learns which rows an operation touched; the audit trail. */
export interface RowAccessObserver {
  /**
   * Before every statement: how many milliseconds the operation has left. Throws `LIMIT_EXCEEDED` where it has used up
   * its time.
   */
  asking(): number;
  touched(type: string, ids: readonly string[], action: TouchAction): void;
  /** Answers that show no row and tell something all the same: a count, a sum, that nothing was found. */
  looked(type: string, action: 'read' | 'aggregate', answers: number): void;
  /** Where a row stands that is written, before or after it. */
  wrote(type: string, values: DimensionValues): void;
}
export type TouchAction = 'read' | 'create' | 'update' | 'delete' | 'aggregate';
