import type { Delegations } from '../contract/dependencies.js';
import { takeBackHandedOver } from './handed-over.js';
import type { Condition } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';
import { errors } from './oidc-provider.js';
import { keyOf, parsePayload, PayloadAdapter, type PayloadStore } from './payload-adapter.js';

const model = 'Interaction';

/**
 * Keeps interactions. One that ends without consent ends the task that it handed over: of two forms at the same moment, the
 * refusal may be the answer.
 */
export class InteractionAdapter extends PayloadAdapter {
  constructor(
    store: PayloadStore,
    private readonly delegations: Pick<Delegations, 'takeBack'>,
  ) {
    super(model, store);
  }

  protected override async ending(
    tx: Connection,
    key: Condition<OAuthPayloadRow>,
    uid: string,
  ): Promise<void> {
    const row = await tx.one(oauthPayloads, key, { lock: 'update' });
    const { result } = row === undefined ? {} : parsePayload(row.payload);
    if (result?.consent === undefined) await takeBackHandedOver(tx, uid, this.delegations);
  }
}

/** Throws where the interaction has ended. Otherwise it does not end before `tx` does. */
export async function requireInteraction(tx: Connection, uid: string): Promise<void> {
  if ((await tx.one(oauthPayloads, keyOf(model, uid), { lock: 'update' })) === undefined)
    throw new errors.SessionNotFound('the request has an answer already');
}
