import { decodeJwt } from 'jose';
import type { AdapterPayload } from 'oidc-provider';
import { Provider } from './oidc-provider.js';
import { PayloadAdapter } from './payload-adapter.js';

/**
 * Keeps pushed authorization requests, each for the client that pushed it (RFC 9126 section 2.2). To another client a
 * reference to it is one that there is not. The library would look at the client after it has taken over the `state`.
 */
export class PushedRequestAdapter extends PayloadAdapter {
  override async find(id: string): Promise<AdapterPayload | undefined> {
    const payload = await super.find(id);
    const pusher = payload?.request === undefined ? undefined : decodeJwt(payload.request).client_id;
    return pusher !== undefined && pusher === Provider.ctx?.oidc.client?.clientId ? payload : undefined;
  }
}
