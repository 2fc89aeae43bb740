import type { Catalog } from '../delegation/schema-catalog.js';
import type { DocumentRules } from '../delegation/trusted-documents.js';
import type { Domain, Resolver, Resolvers } from '../delegation/resolver-context.js';
import { auditRecords } from '../store/tables/audit.js';
import { backchannelRequests } from '../store/tables/backchannel-requests.js';
import { passkeys } from '../store/tables/passkeys.js';
import { identityProviders } from '../store/tables/identity-providers.js';
import { trustedDocuments } from '../store/tables/documents.js';
import { clientRequests, clientRules, clients } from '../store/tables/clients.js';
import { agents, consents, delegations, roles, users } from '../store/tables/identity.js';
import { resourceServers } from '../store/tables/resource-servers.js';
import { signIns } from '../store/tables/sign-ins.js';
import { agentResolvers } from './agent-resolvers.js';
import { assignmentResolvers } from './assignment-resolvers.js';
import { backchannelResolvers } from './backchannel-resolvers.js';
import { clientRequestResolvers } from './client-request-resolvers.js';
import { clientResolvers } from './client-resolvers.js';
import { consentResolvers } from './consent-resolvers.js';
import { delegationResolvers } from './delegation-resolvers.js';
import { documentResolvers } from './document-resolvers.js';
import type { Scopes } from './record-values.js';
import { passkeyResolvers } from './passkey-resolvers.js';
import { providerResolvers } from './provider-resolvers.js';
import { recordResolvers } from './record-resolvers.js';
import { resourceServerResolvers } from './resource-server-resolvers.js';
import { roleResolvers } from './role-resolvers.js';
import { signInResolvers } from './sign-in-resolvers.js';
import { stopResolvers } from './kill-switch.js';
import { userResolvers } from './user-resolvers.js';

/** Delegations, requests for them, accounts, passkeys, identity providers, resource servers, agents, clients, roles, registered documents, audit records and the kill switch. */
export const administration = (
  catalog: Catalog & { readonly scopes: Scopes },
  rules: DocumentRules,
): Domain => ({
  name: 'administration',
  tables: [
    ...[users, agents, roles, delegations, consents, signIns, passkeys, identityProviders, clients],
    ...[clientRequests, clientRules, resourceServers, trustedDocuments, auditRecords, backchannelRequests],
  ],
  resolvers: merge([
    delegationResolvers(catalog),
    consentResolvers(catalog),
    userResolvers,
    passkeyResolvers,
    agentResolvers,
    clientResolvers(catalog),
    clientRequestResolvers,
    roleResolvers(catalog),
    assignmentResolvers,
    providerResolvers,
    resourceServerResolvers(catalog),
    documentResolvers(rules),
    recordResolvers(catalog.scopes),
    signInResolvers,
    backchannelResolvers,
    stopResolvers,
  ]),
});

function merge(parts: readonly Resolvers[]): Resolvers {
  const merged: Record<string, Record<string, Resolver>> = {};
  for (const part of parts) {
    for (const [type, fields] of Object.entries(part)) merged[type] = { ...merged[type], ...fields };
  }
  return merged;
}
