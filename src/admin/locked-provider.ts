import { notFound } from '../core/errors.js';
import { eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { identityProviders } from '../store/tables/identity-providers.js';

/** Locks a provider, so that it is not removed meanwhile. `NOT_FOUND` where it was removed. */
export async function lockProvider(tx: Connection, id: string): Promise<void> {
  if ((await tx.one(identityProviders, eq('id', id), { lock: 'update' })) === undefined)
    throw notFound('Identity provider');
}
