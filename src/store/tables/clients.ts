import { clientIdLengthMax } from '../../core/client-ids.js';
import type { StoredCertificateName } from './identity.js';
import { flag, id, int, json, nullable, since, table, text, time, type RowOf } from './table.js';

/** The description of a client in its document or registration, as far as it counts here. */
export interface ClientDescription {
  readonly name: string;
  /** none, private_key_jwt */
  readonly authMethod: string;
  readonly jwks: { readonly keys: Record<string, unknown>[] } | null;
  readonly redirectUris: readonly string[];
  /** The kind of key to which its access tokens must be bound: any, dpop, certificate. */
  readonly tokenBinding: string;
}

/** OAuth clients beside agents with credentials of their own. None has a secret. */
export const clients = table(
  'Client',
  'clients',
  {
    id: id(),
    /** The OAuth `client_id`; unique. The address of its document, where it has one. */
    clientId: text(clientIdLengthMax),
    name: text(200),
    /** administrator, document, dynamic */
    registration: text(20),
    /** quarantined, active, stopped */
    status: text(20),
    /** The agent as which it acts. Null: a person's own tool, or not admitted. */
    agentId: nullable(id('agents')),
    /** Whether its tokens are the person's own sign-in. */
    isOwnTool: flag(),
    /** none, private_key_jwt, tls_client_auth, self_signed_tls_client_auth */
    authMethod: text(40),
    jwks: nullable(json<{ readonly keys: Record<string, unknown>[] }>()),
    /** Of a client that is authenticated by certificates of an authority. */
    certificateName: nullable(json<StoredCertificateName>()),
    /** any, dpop, certificate: what its access tokens must be bound to. */
    tokenBinding: since(text(20), 'any'),
    redirectUris: json<readonly string[]>(),
    /** The scopes that its tokens have at most. Null: no ceiling of its own. */
    scopes: nullable(json<readonly string[]>()),
    /** The resources that its tokens may be for (RFC 8707). Null: those of this server itself. */
    resources: nullable(json<readonly string[]>()),
    /** Where it is told that a person has decided (OpenID CIBA section 4). Null: it polls. */
    notificationEndpoint: nullable(text(500)),
    /** The present description in its document, where that is not the admitted one. */
    changedTo: nullable(json<ClientDescription>()),
    /** When its document was read. */
    checkedAt: nullable(time()),
    /** When a signed-in person last asked for its admission. */
    requestedAt: nullable(time()),
    /** When it is deleted unless it is admitted. */
    expiresAt: nullable(time()),
    createdAt: time(),
    version: int(),
  },
  ['id'],
  { unique: [['clientId']], indexes: [['agentId'], ['status', 'expiresAt']] },
);

/** Clients whose document is at a host are admitted with one role, and no scopes beyond these. */
export const clientRules = table(
  'ClientRule',
  'client_rules',
  {
    id: id(),
    /** As URLs write it, with the port where that is not 443; unique. */
    host: text(255),
    roleId: id('roles'),
    scopes: json<readonly string[]>(),
    /** The person who answers for the agents. */
    ownerId: id('users'),
    /** The administrator. The rule counts while they may grant the role. */
    addedBy: id('users'),
    createdAt: time(),
    version: int(),
  },
  ['id'],
  { unique: [['host']] },
);

/** A signed-in person asked for the admission of a client. */
export const clientRequests = table(
  'ClientRequest',
  'client_requests',
  {
    id: id(),
    userId: id('users'),
    /** The OAuth `client_id`. The client may be forgotten since. */
    clientId: text(clientIdLengthMax),
    /** The client's name in its own words. */
    name: text(200),
    createdAt: time(),
    version: int(),
  },
  ['id'],
  { unique: [['userId', 'clientId']], indexes: [['clientId'], ['createdAt']] },
);

export type ClientRequestRow = RowOf<typeof clientRequests>;
export type ClientRow = RowOf<typeof clients>;
export type ClientRuleRow = RowOf<typeof clientRules>;
