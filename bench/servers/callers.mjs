import { createHash } from 'node:crypto';
import { statements } from './statements.mjs';

/** Who a request comes from: one look into the database by the token's digest. Undefined for nobody. */
export async function callerOf(store, authorization) {
  const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
  if (token === undefined) return undefined;
  const digest = createHash('sha256').update(token).digest('base64url');
  const [row] = await store.all(statements.token, [digest]);
  return row === undefined ? undefined : { agentId: row.agentId, scopes: new Set(row.scopes.split(' ')) };
}
