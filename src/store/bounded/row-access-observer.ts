import type { DimensionValues } from '../../authority/boundary.js';

/** Learns which rows an operation touches. The audit trail implements it. */
export interface RowAccessObserver {
  /**
   * Called before every statement. Returns how many milliseconds the operation has left. Throws
   * `LIMIT_EXCEEDED` where none are left.
   */
  asking(): number;
  touched(type: string, ids: readonly string[], action: TouchAction): void;
  /** Answers that show no row but still reveal something: a count, a sum, an empty result. */
  looked(type: string, action: 'read' | 'aggregate', answers: number): void;
  /** The dimension values of a written row, before or after the write. */
  wrote(type: string, values: DimensionValues): void;
}
export type TouchAction = 'read' | 'create' | 'update' | 'delete' | 'aggregate';
