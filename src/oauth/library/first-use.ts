import { isoTime } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import type { Connection } from '../../store/sql/connection.js';
import { isDuplicate } from '../../store/sql/database.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';
import type { PayloadStore } from './payload-adapter.js';

/** True once for each (issuer, id) until it is purged: the unique key decides (RFC 7523 section 3, RFC 9449). */
export const firstUse = (
  { database, clock }: Pick<PayloadStore, 'database' | 'clock'>,
  issuer: string,
  jti: string,
  expiresAtSeconds: number,
): Promise<boolean> => database.transaction((tx) => firstUseIn(tx, { clock }, issuer, jti, expiresAtSeconds));

/** The last moment whose text sorts as the time does. Tokens of others may end later. */
const lastMs = Date.UTC(9999, 11, 31);

/** As `firstUse`, inside the transaction of what the token does. */
export async function firstUseIn(
  tx: Connection,
  { clock }: Pick<PayloadStore, 'clock'>,
  issuer: string,
  jti: string,
  expiresAtSeconds: number,
): Promise<boolean> {
  const row: OAuthPayloadRow = {
    model: 'ReplayDetection',
    id: sha256(`${issuer}\n${jti}`),
    grantId: null,
    uid: null,
    userCode: null,
    accountId: null,
    payload: '{}',
    expiresAt: isoTime(Math.min(Math.max(expiresAtSeconds * 1000, clock.now() + 1000), lastMs)),
    consumedAt: null,
  };
  return tx.insert(oauthPayloads, [row]).then(
    () => true,
    (error: unknown) => {
      if (isDuplicate(error)) return false;
      throw error;
    },
  );
}
