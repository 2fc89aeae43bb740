import { isoTime } from '../core/clock.js';
import { conflict, notFound } from '../core/errors.js';
import { isId } from '../core/ids.js';
import { all, eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { clientRequests, clients, type ClientRequestRow, type ClientRow } from '../store/tables/clients.js';
import { users, type UserRow } from '../store/tables/identity.js';
import { add, shown, store, type UnitOfWork } from './unit-of-work.js';

/** How many requests one person may have. */
const requestsMax = 50;
/** How long a client waits for admission before it is forgotten. */
export const waitingMs = 7 * 86_400_000;

/** A client that waits; undefined for every other one, which only administrators may know. */
export async function findWaitingClient(
  connection: Connection,
  id: string,
  lock?: 'update',
): Promise<ClientRow | undefined> {
  if (!isId(id)) return undefined;
  const client = await connection.one(clients, eq<ClientRow>('id', id), lock === undefined ? {} : { lock });
  return client?.status === 'quarantined' ? client : undefined;
}

/** As `findWaitingClient`, locked. Throws `NOT_FOUND`. */
export async function waitingClient(tx: Connection, id: string): Promise<ClientRow> {
  const client = await findWaitingClient(tx, id, 'update');
  if (client === undefined) throw notFound('Client');
  return client;
}

/**
 * A signed-in person asks for the admission of a client. Its wait begins anew, because somebody answers for the request:
 * requests of the client itself, which anybody can send, do not prolong it.
 */
export async function requestClient(
  unit: UnitOfWork,
  userId: string,
  client: ClientRow,
): Promise<ClientRequestRow> {
  const { tx, clock, trail } = unit;
  const { clientId, name } = client;
  const createdAt = isoTime(clock.now());
  const waiting = { requestedAt: createdAt, expiresAt: isoTime(clock.now() + waitingMs) };
  // Its version stays: it says what an administrator has looked at.
  await tx.update(clients, eq<ClientRow>('id', client.id), waiting);
  trail.touched(clients.type, [client.id], 'update');
  trail.changed({
    ...{ type: clients.type, id: client.id },
    ...{ before: shown(client, Object.keys(waiting)), after: waiting },
  });
  const before = await tx.one(
    clientRequests,
    all(eq<ClientRequestRow>('userId', userId), eq<ClientRequestRow>('clientId', clientId)),
    { lock: 'update' },
  );
  if (before !== undefined) return store(unit, clientRequests, before, { name, createdAt });
  // Requests of the person for other clients, at the same moment, count too.
  await tx.one(users, eq<UserRow>('id', userId), { lock: 'update' });
  if ((await tx.count(clientRequests, eq<ClientRequestRow>('userId', userId))) >= requestsMax)
    throw conflict('You have asked for many applications already. Ask an administrator yourself.');
  const row: ClientRequestRow = { id: unit.ids.next(), userId, clientId, name, createdAt, version: 1 };
  await add(unit, clientRequests, row, 'You have asked for this application just now.');
  return row;
}

/** The present state of a request for a client. */
export function requestStatus(client: ClientRow | null): 'WAITING' | 'ADMITTED' | 'REFUSED' | 'FORGOTTEN' {
  if (client === null) return 'FORGOTTEN';
  if (client.status === 'quarantined') return 'WAITING';
  return client.status === 'active' ? 'ADMITTED' : 'REFUSED';
}
