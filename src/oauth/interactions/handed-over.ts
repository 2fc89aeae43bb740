import { isoTime, type Clock } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import { all, eq } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';
import type { HandedOver } from '../contract/dependencies.js';

const model = 'HandedOver';
/** As long as an interaction. */
const keptMs = 600_000;

/** The task that an interaction has handed over already. Exact where the account is locked. */
export async function handedOver(tx: Connection, uid: string): Promise<HandedOver | undefined> {
  const key = all<OAuthPayloadRow>(eq('model', model), eq('id', sha256(uid)));
  const row = await tx.one(oauthPayloads, key);
  return row === undefined ? undefined : (JSON.parse(row.payload) as HandedOver);
}

/** Keeps the task of an interaction, for a form that comes twice. */
export async function keepHandedOver(
  tx: Connection,
  clock: Clock,
  uid: string,
  handed: HandedOver,
): Promise<void> {
  const row: OAuthPayloadRow = {
    ...{ model, id: sha256(uid), grantId: null, uid: null, userCode: null, accountId: null },
    payload: JSON.stringify(handed),
    expiresAt: isoTime(clock.now() + keptMs),
    consumedAt: null,
  };
  await tx.insert(oauthPayloads, [row]);
}
