/** Who learns which rows an operation touched; the audit trail. */
export interface Witness {
  /**
   * Before every statement: how many milliseconds the operation has left. Throws `LIMIT_EXCEEDED` where it has used up
   * its time.
   */
  asking(): number;
  touched(type: string, ids: readonly string[], action: TouchAction): void;
}
export type TouchAction = 'read' | 'create' | 'update' | 'delete' | 'aggregate';
