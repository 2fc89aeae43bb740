import { errors } from '../library/oidc-provider.js';
import { describable } from '../library/oauth-errors.js';

/** The names that a client in quarantine gives itself. Nobody has checked them. */
export interface WaitingClient {
  readonly clientId: string;
  readonly name: string;
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
