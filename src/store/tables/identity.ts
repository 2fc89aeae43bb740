import { flag, id, int, json, longtext, nullable, since, table, text, time, type RowOf } from './table.js';

/** Dimension to allowed values, or `all`. A dimension that is missing allows nothing. */
export type StoredBoundary = Record<string, readonly string[] | 'all'>;

/** A row's value in each dimension of its type. */
export type StoredDimensionValues = Readonly<Record<string, string | null>>;

export const users = table(
  'User',
  'users',
  {
    id: id(),
    /** What the person types to sign in; unique. */
    name: text(100),
    displayName: text(200),
    email: nullable(text(254)),
    passwordHash: text(300),
    mustChangePassword: flag(),
    /** active, disabled */
    status: text(20),
    createdAt: time(),
    version: int(),
  },
  ['id'],
  { unique: [['name']] },
);

export const agents = table(
  'Agent',
  'agents',
  {
    id: id(),
    /** The OAuth `client_id`; unique. */
    name: text(100),
    displayName: text(200),
    businessTask: text(500),
    ownerId: id('users'),
    /** active, stopped */
    status: text(20),
    /** client_secret_basic, private_key_jwt */
    authMethod: text(40),
    /** Public keys (RFC 7517) of an agent that signs its assertions. */
    jwks: nullable(json<{ keys: Record<string, unknown>[] }>()),
    /** Moves when tokens end that were issued to it: those of an earlier generation are worth nothing. */
    tokenGeneration: since(int(), 0),
    createdAt: time(),
    version: int(),
  },
  ['id'],
  { unique: [['name']] },
);

/** Several may be valid at once, so that a secret can be rotated with overlap. */
export const agentSecrets = table(
  'AgentSecret',
  'agent_secrets',
  {
    id: id(),
    agentId: id('agents'),
    secretHash: text(300),
    createdAt: time(),
    expiresAt: nullable(time()),
  },
  ['id'],
  { indexes: [['agentId']] },
);

export interface StoredLimits {
  operations: number;
  rows: number;
  expirySeconds: number;
  depth: number;
}

/** What a role limits: what a delegation under it may spend, and what one operation may cost. */
export interface StoredRoleLimits extends StoredLimits {
  /** The largest cost of one operation; none but the server's own where it is missing. */
  operationCost?: number;
}

export const roles = table(
  'Role',
  'roles',
  {
    id: id(),
    name: text(100),
    description: text(1000),
    businessTask: text(500),
    /** agent, person: who may hold it. */
    holder: text(20),
    scopes: json<readonly string[]>(),
    /** Scopes that a person has to approve operation by operation. */
    approvalScopes: json<readonly string[]>(),
    boundary: json<StoredBoundary>(),
    limits: json<StoredRoleLimits>(),
    /** any, logged, registered: `DocumentPolicy` in src/authority/documents.ts */
    documents: since(text(20), 'any'),
    shipped: flag(),
    createdAt: time(),
    version: int(),
  },
  ['id'],
  { unique: [['name']] },
);

export const userRoles = table(
  'UserRole',
  'user_roles',
  { userId: id('users'), roleId: id('roles'), grantedBy: nullable(id('users')), grantedAt: time() },
  ['userId', 'roleId'],
  { indexes: [['roleId']] },
);

export const agentRoles = table(
  'AgentRole',
  'agent_roles',
  { agentId: id('agents'), roleId: id('roles'), grantedBy: nullable(id('users')), grantedAt: time() },
  ['agentId', 'roleId'],
  { indexes: [['roleId']] },
);

/** Which roles an administrator may assign to others. */
export const grantableRoles = table(
  'GrantableRole',
  'grantable_roles',
  { userId: id('users'), roleId: id('roles') },
  ['userId', 'roleId'],
);

export const delegations = table(
  'Delegation',
  'delegations',
  {
    id: id(),
    /** The person at the root. */
    userId: id('users'),
    agentId: id('agents'),
    /** The one role of the agent that this delegation uses. */
    roleId: id('roles'),
    parentId: nullable(id('delegations')),
    /** 0 for a person's own delegation. */
    depth: int(),
    purpose: text(500),
    task: text(200),
    scopes: json<readonly string[]>(),
    boundary: json<StoredBoundary>(),
    operationsMax: int(),
    operationsUsed: int(),
    rowsMax: int(),
    rowsUsed: int(),
    depthMax: int(),
    /** active, completed, revoked; expiry follows from `expiresAt`. */
    status: text(20),
    /** A standing delegation: an agent on a schedule runs under it. */
    standing: flag(),
    createdAt: time(),
    expiresAt: time(),
    endedAt: nullable(time()),
    endedBy: nullable(id('users')),
    version: int(),
  },
  ['id'],
  { indexes: [['agentId', 'id'], ['parentId'], ['userId', 'id']] },
);

/** A person allows an agent to exchange the person's token (`may_act`, RFC 8693 section 4.4). */
export const consents = table(
  'Consent',
  'consents',
  {
    id: id(),
    userId: id('users'),
    agentId: id('agents'),
    roleId: id('roles'),
    scopes: json<readonly string[]>(),
    boundary: json<StoredBoundary>(),
    createdAt: time(),
    revokedAt: nullable(time()),
  },
  ['id'],
  { indexes: [['userId', 'agentId']] },
);

/** What the authorization server keeps. `id` is a digest: no token or code is stored as such. */
export const oauthPayloads = table(
  'OAuthPayload',
  'oauth_payloads',
  {
    model: text(40),
    id: text(64),
    grantId: nullable(text(64)),
    uid: nullable(text(64)),
    userCode: nullable(text(64)),
    accountId: nullable(id('users')),
    payload: longtext(),
    expiresAt: nullable(time()),
    consumedAt: nullable(time()),
  },
  ['model', 'id'],
  { indexes: [['accountId'], ['expiresAt'], ['grantId'], ['uid'], ['userCode']] },
);

/** One row. Every change that ends or narrows a right moves `version` in its own transaction. */
export const authorityEpoch = table('AuthorityEpoch', 'authority_epoch', {
  id: int(),
  version: int(),
  /** The kill switch for everything. */
  stopped: flag(),
  /** As that of an agent, for the tokens of all agents. */
  tokenGeneration: since(int(), 0),
});

/** The first answer to a mutation, given again for the same key and input. */
export const idempotencyKeys = table(
  'IdempotencyKey',
  'idempotency_keys',
  {
    /** The delegation, or the person where there is none. */
    ownerId: id(),
    key: text(100),
    inputDigest: text(64),
    operationId: id(),
    answer: longtext(),
    /** Where the answer's rows stood, by its properties and then by dimension. Without it none is given again. */
    places: nullable(json<Record<string, StoredDimensionValues>>()),
    createdAt: time(),
  },
  ['ownerId', 'key'],
  { indexes: [['createdAt']] },
);

/** Which of our rows an imported record became. */
export const importKeys = table(
  'ImportKey',
  'import_keys',
  { source: text(60), entity: text(60), externalId: text(200), id: id() },
  ['source', 'entity', 'externalId'],
);

export type UserRow = RowOf<typeof users>;
export type AgentRow = RowOf<typeof agents>;
export type AgentSecretRow = RowOf<typeof agentSecrets>;
export type RoleRow = RowOf<typeof roles>;
export type DelegationRow = RowOf<typeof delegations>;
export type ConsentRow = RowOf<typeof consents>;
export type IdempotencyKeyRow = RowOf<typeof idempotencyKeys>;
export type OAuthPayloadRow = RowOf<typeof oauthPayloads>;
