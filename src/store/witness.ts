/** Who learns which rows an operation touched; the audit trail. */
export interface Witness {
  touched(type: string, ids: readonly string[], action: TouchAction): void;
}
export type TouchAction = 'read' | 'create' | 'update' | 'delete' | 'aggregate';
