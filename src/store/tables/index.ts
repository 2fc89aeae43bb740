import type { AnyTable } from './table.js';
import * as audit from './audit.js';
import * as documents from './documents.js';
import * as identityProviders from './identity-providers.js';
import * as identity from './identity.js';
import * as server from './server.js';

/** The server's own tables. Each file adds one name here. */
export const ownTables: readonly AnyTable[] = [audit, documents, identity, identityProviders, server].flatMap(
  (file) => Object.values<AnyTable>(file),
);
