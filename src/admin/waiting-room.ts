import { all, eq, type Condition } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { clients, type ClientRow } from '../store/tables/clients.js';
import type { UnknownClient } from '../delegation/unknown-client.js';

/** How many clients may wait at once: of each kind, and with a document at one host. */
const waitingMax = { ofKind: 1_000, ofHost: 20 };
/** How many are tried where others take the oldest at the same moment. */
const candidatesMax = 10;

interface Room {
  /** False where the wait of everybody there was asked for by a person. */
  readonly isFree: boolean;
  /** The client that was forgotten for it. */
  readonly gaveWay?: ClientRow;
}

/**
 * Room for one more client to wait. Where there is none, the client whose wait ends first gives way, unless a signed-in
 * person asked for it: strangers can push out one another, and nothing for which somebody answers.
 */
export async function makeRoom(tx: Connection, { clientId, registration }: UnknownClient): Promise<Room> {
  const ofKind = all<ClientRow>(eq('status', 'quarantined'), eq('registration', registration));
  if (registration === 'document') {
    const ofHost = all<ClientRow>(ofKind, {
      ...{ kind: 'prefix', column: 'clientId' },
      value: `${new URL(clientId).origin}/`,
    });
    const room = await roomIn(tx, ofHost, waitingMax.ofHost);
    if (!room.isFree || room.gaveWay !== undefined) return room;
  }
  return roomIn(tx, ofKind, waitingMax.ofKind);
}

async function roomIn(tx: Connection, waiting: Condition<ClientRow>, max: number): Promise<Room> {
  if ((await tx.count(clients, waiting)) < max) return { isFree: true };
  const unasked = all(waiting, eq<ClientRow>('requestedAt', null));
  const candidates = await tx.select(clients, unasked, {
    order: [
      { column: 'expiresAt', direction: 'asc' },
      { column: 'id', direction: 'asc' },
    ],
    limit: candidatesMax,
  });
  for (const gaveWay of candidates) {
    const { id, version } = gaveWay;
    const same = all<ClientRow>(eq('id', id), eq('version', version), unasked);
    if ((await tx.delete(clients, same)) > 0) return { isFree: true, gaveWay };
  }
  return { isFree: false };
}
