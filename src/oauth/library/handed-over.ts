import { isoTime } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import { all, eq } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';
import type { Delegations, HandedOver } from '../contract/dependencies.js';

const model = 'HandedOver';
/** As long as an interaction. */
const interactionMs = 600_000;

/** A task that was handed over, and the digest of the form that did. */
interface Kept {
  readonly handed: HandedOver;
  readonly userId: string;
  readonly form: string;
}

const rowOf = (decision: string) => all<OAuthPayloadRow>(eq('model', model), eq('id', sha256(decision)));

/** The task that a decision has handed over already. Exact where the account is locked. */
export async function handedOver(tx: Connection, decision: string): Promise<Kept | undefined> {
  const row = await tx.one(oauthPayloads, rowOf(decision));
  return row === undefined ? undefined : (JSON.parse(row.payload) as Kept);
}

/** Ends the task that a decision has handed over, if there is one: the person decides otherwise. */
export async function takeBackHandedOver(
  tx: Connection,
  decision: string,
  delegations: Pick<Delegations, 'takeBack'>,
): Promise<void> {
  const kept = await handedOver(tx, decision);
  if (kept === undefined) return;
  await tx.delete(oauthPayloads, rowOf(decision));
  await delegations.takeBack(tx, kept.handed, kept.userId);
}

/** Keeps the task of a decision, for a form that comes twice, as long as an interaction that begins up to then may last. */
export async function keepHandedOver(
  tx: Connection,
  decision: string,
  kept: Kept,
  lastBegunMs: number,
): Promise<void> {
  const row: OAuthPayloadRow = {
    ...{ model, id: sha256(decision), grantId: null, uid: null, userCode: null, accountId: null },
    payload: JSON.stringify(kept),
    expiresAt: isoTime(lastBegunMs + interactionMs),
    consumedAt: null,
  };
  await tx.insert(oauthPayloads, [row]);
}
