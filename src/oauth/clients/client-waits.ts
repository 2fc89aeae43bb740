import { errors } from '../library/oidc-provider.js';
import { describable } from '../library/oauth-errors.js';

/** A client in quarantine. Nobody has checked the names that it gives itself. */
export interface WaitingClient {
  /** Of its row. */
  readonly id: string;
  readonly clientId: string;
  readonly name: string;
  readonly redirectUris: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
}

/** The client is in quarantine: it gets nothing until an administrator admits it. */
export class ClientWaits extends errors.InvalidClient {
  constructor(readonly client: WaitingClient) {
    super(`the client waits until an administrator admits it: ${describable(client.clientId)}`);
  }
}

/** The document of a client cannot be read, or says nothing usable. */
export class UnusableDocument extends errors.InvalidClient {
  constructor(why: string, cause?: unknown) {
    super(`the client id metadata document is not usable: ${describable(why)}`, { cause });
  }
}
