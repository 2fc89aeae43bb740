import type { AdapterPayload, KoaContextWithOIDC } from 'oidc-provider';
import { AlreadyUsedError } from 'oidc-provider/lib/helpers/re_render_errors.js';
import type { Condition } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';
import type { Delegations } from '../contract/dependencies.js';
import { handedOver, takeBackHandedOver } from './handed-over.js';
import { decisionOf, deviceInfoOf } from './device-codes.js';
import { Provider } from './oidc-provider.js';
import { parsePayload, PayloadAdapter, type PayloadStore } from './payload-adapter.js';

/**
 * Keeps device codes, found by their user code. The first answer stays: a page that was opened before it throws
 * `AlreadyUsedError` and saves nothing. A request that names its person gets an error from that person alone; a stranger who
 * knows its id, and a failure of the server, leave it as it is. A refusal ends, in its own transaction, the task that the
 * person allowed in another tab. Of several tasks the last one is the answer.
 */
export class DeviceCodeAdapter extends PayloadAdapter {
  constructor(
    store: PayloadStore,
    private readonly delegations: Pick<Delegations, 'takeBack'>,
  ) {
    super('DeviceCode', store);
  }

  override async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    if (payload.error === undefined || isRefusal(payload, Provider.ctx))
      await super.upsert(id, payload, expiresIn);
  }

  protected override async requireOpen(
    tx: Connection,
    key: Condition<OAuthPayloadRow>,
    payload: AdapterPayload,
  ): Promise<void> {
    const row = await tx.one(oauthPayloads, key, { lock: 'update' });
    if (row === undefined || row.accountId !== null || parsePayload(row.payload).error !== undefined)
      throw new AlreadyUsedError();
    const { Interaction: interaction } = Provider.ctx?.oidc.entities ?? {};
    if (interaction === undefined) return;
    const decision = decisionOf({ uid: interaction.uid, device: deviceInfoOf(payload.deviceInfo) });
    if (payload.error !== undefined) await takeBackHandedOver(tx, decision, this.delegations);
    else if (payload.accountId !== undefined) await requireLast(tx, decision, payload);
  }
}

/** Throws where the person has decided otherwise since: that decision answers. */
async function requireLast(tx: Connection, decision: string, { grantId }: AdapterPayload): Promise<void> {
  const last = await handedOver(tx, decision);
  if (last?.handed.delegationId !== grantId) throw new AlreadyUsedError();
}

/** Whether an error may answer the request. */
function isRefusal({ deviceInfo, error }: AdapterPayload, ctx: KoaContextWithOIDC | undefined): boolean {
  const { backchannel } = deviceInfoOf(deviceInfo);
  if (backchannel === undefined) return true;
  const { Interaction: interaction } = ctx?.oidc.entities ?? {};
  const login = interaction?.lastSubmission?.login;
  return interaction?.result?.error === error && login?.accountId === backchannel.person;
}
