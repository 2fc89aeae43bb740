import type { Connection } from '../store/sql/connection.js';
import type { DelegationRow } from '../store/tables/identity.js';
import type { AuthRecords } from './auth-records.js';
import { changeOf, type Ended } from './end-delegation.js';

/**
 * Records a new delegation, in the transaction that makes it. The token has a record of its own.
 * @param by what made it, such as `a token exchange`
 */
export function recordMade(
  records: AuthRecords,
  tx: Connection,
  row: DelegationRow,
  by: string,
): Promise<void> {
  const { id, userId, agentId, roleId, parentId, purpose, task, scopes, boundary, expiresAt } = row;
  const after = { userId, agentId, roleId, parentId, purpose, task, scopes, boundary, expiresAt };
  return records.recordAuthEventIn(tx, {
    kind: 'token',
    outcome: 'success',
    userId,
    agentId,
    delegationId: id,
    detail: `${by} made this delegation`,
    changes: [{ type: 'Delegation', id, before: null, after }],
  });
}

/** Records each ended delegation by itself, so that it is found by its id. */
export async function recordEnded(
  records: AuthRecords,
  tx: Connection,
  ended: readonly Ended[],
  detail: string,
): Promise<void> {
  for (const one of ended) {
    await records.recordAuthEventIn(tx, {
      kind: 'revocation',
      outcome: 'success',
      delegationId: one.after.id,
      detail,
      changes: [changeOf(one)],
    });
  }
}
