/** Who learns which rows an operation touched; the audit trail. */
export interface Witness {
  /** Before every statement. Throws `LIMIT_EXCEEDED` where the operation has used up its time. */
  asking(): void;
  touched(type: string, ids: readonly string[], action: TouchAction): void;
}
export type TouchAction = 'read' | 'create' | 'update' | 'delete' | 'aggregate';
