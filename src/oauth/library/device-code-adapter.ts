import type { AdapterPayload, KoaContextWithOIDC } from 'oidc-provider';
import { AlreadyUsedError } from 'oidc-provider/lib/helpers/re_render_errors.js';
import type { Condition } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';
import { deviceInfoOf } from './device-codes.js';
import { Provider } from './oidc-provider.js';
import { parsePayload, PayloadAdapter } from './payload-adapter.js';

/**
 * Keeps device codes, found by their user code. The first answer stays: a page that was opened before it throws
 * `AlreadyUsedError` and saves nothing. A request that names its person gets an error from them alone: whoever only knows its
 * id, and a failure of the server, leave it as it is.
 */
export class DeviceCodeAdapter extends PayloadAdapter {
  override async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    if (payload.error === undefined || isRefusal(payload, Provider.ctx))
      await super.upsert(id, payload, expiresIn);
  }

  protected override async requireOpen(tx: Connection, key: Condition<OAuthPayloadRow>): Promise<void> {
    const row = await tx.one(oauthPayloads, key, { lock: 'update' });
    if (row === undefined || row.accountId !== null || parsePayload(row.payload).error !== undefined)
      throw new AlreadyUsedError();
  }
}

/** Whether an error may answer the request. */
function isRefusal({ deviceInfo, error }: AdapterPayload, ctx: KoaContextWithOIDC | undefined): boolean {
  const { backchannel } = deviceInfoOf(deviceInfo);
  if (backchannel === undefined) return true;
  const { Interaction: interaction } = ctx?.oidc.entities ?? {};
  const login = interaction?.lastSubmission?.login;
  return interaction?.result?.error === error && login?.accountId === backchannel.person;
}
