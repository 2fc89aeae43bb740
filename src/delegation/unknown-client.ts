import type { Change } from '../audit/trail.js';
import type { ClientDescription, ClientRow } from '../store/tables/clients.js';

/** A client that nobody registered by hand, as it describes itself. */
export interface UnknownClient {
  readonly clientId: string;
  readonly registration: 'document' | 'dynamic';
  readonly description: ClientDescription;
}

/** Such a client after a change that no person made, and what its record says. */
export interface ClientChange {
  readonly client: ClientRow;
  readonly detail: string;
  /** None: nothing was changed, and there is no record. */
  readonly changes: readonly Change[];
}

/** A client that is known now, and the one that was forgotten to make room for it. */
export interface KeptClient extends ClientChange {
  readonly gaveWay?: ClientChange;
}
