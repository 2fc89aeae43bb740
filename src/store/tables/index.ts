import type { AnyTable } from './table.js';
import * as audit from './audit.js';
import * as backchannelRequests from './backchannel-requests.js';
import * as clients from './clients.js';
import * as documents from './documents.js';
import * as identityProviders from './identity-providers.js';
import * as identity from './identity.js';
import * as passkeys from './passkeys.js';
import * as resourceServers from './resource-servers.js';
import * as server from './server.js';
import * as signIns from './sign-ins.js';
import * as signingKeys from './signing-keys.js';
import * as tokenIssuers from './token-issuers.js';

/** The server's own tables. Each file adds one name here. */
export const ownTables: readonly AnyTable[] = [
  audit,
  backchannelRequests,
  clients,
  documents,
  identity,
  identityProviders,
  passkeys,
  resourceServers,
  server,
  signIns,
  signingKeys,
  tokenIssuers,
].flatMap((file) => Object.values<AnyTable>(file));
