import type { DimensionValue } from '../../authority/boundary.js';
import { flag, id, int, json, longtext, nullable, since, table, text, time, type RowOf } from './table.js';

/** Maps dimensions to allowed values or `all`. A missing dimension allows nothing. */
export type StoredBoundary = Record<string, readonly string[] | 'all'>;

/** A row's value in each dimension of its type. */
export type StoredDimensionValues = Readonly<Record<string, DimensionValue>>;

/** A workload whose JWTs authenticate an agent. Every claim is compared exactly. */
export interface StoredWorkload {
  /** The claim `iss`; a trust domain's `spiffe://…` for a JWT-SVID without it. */
  readonly issuer: string;
  /** The claim `sub`. */
  readonly subject: string;
  /** Where the issuer's keys are. Null: its metadata says so. */
  readonly keysUri: string | null;
  /** Further claims, by name or JSON Pointer (RFC 6901). */
  readonly claims: Readonly<Record<string, string>>;
  /** Whether one JWT may be used again until it expires. */
  readonly reusable: boolean;
}

/** A name in a certificate by which it authenticates a client (RFC 8705 section 2.1.2). */
export interface StoredCertificateName {
  readonly kind: 'subject_dn' | 'san_dns' | 'san_uri' | 'san_ip' | 'san_email';
  readonly value: string;
}

export const users = table(
  'User',
  'users',
  {
    id: id(),
    /** The sign-in name of the person; unique. */
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
    /**
     * client_secret_basic, private_key_jwt, workload_jwt, tls_client_auth, self_signed_tls_client_auth; none: it is no client
     * itself, and a client of `clients` acts as it.
     */
    authMethod: text(40),
    /** Public keys (RFC 7517) of an agent that signs its assertions, or that has certificates of its own (`x5c`). */
    jwks: nullable(json<{ keys: Record<string, unknown>[] }>()),
    /** Of an agent that is authenticated by JWTs of its workloads. */
    workloads: nullable(json<readonly StoredWorkload[]>()),
    /** Of an agent that is authenticated by certificates of an authority. */
    certificateName: nullable(json<StoredCertificateName>()),
    /** any, dpop, certificate: what its access tokens must be bound to. A client of `clients` has its own. */
    tokenBinding: since(text(20), 'any'),
    /** Where its authorization requests may be answered (RFC 6749 section 3.1.2). Null: it makes none. */
    redirectUris: nullable(json<readonly string[]>()),
    /** Moves to end the agent's tokens: tokens of an earlier generation are invalid. */
    tokenGeneration: since(int(), 0),
    createdAt: time(),
    version: int(),
  },
  ['id'],
  { unique: [['name']] },
);

/** Several secrets may be valid at once, so that they can be rotated with overlap. */
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

/** The limits of a role: what a delegation under it may spend, and the cost of one operation. */
export interface StoredRoleLimits extends StoredLimits {
  /** The largest cost of one operation. Where it is missing, only the server's own limit applies. */
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
    /** agent or person: the kind of holder. */
    holder: text(20),
    scopes: json<readonly string[]>(),
    /** Scopes that need a person's approval for each operation. */
    approvalScopes: json<readonly string[]>(),
    boundary: json<StoredBoundary>(),
    limits: json<StoredRoleLimits>(),
    /** any, logged, registered: `DocumentPolicy` in src/authority/documents.ts */
    documents: since(text(20), 'any'),
    /** any, passkey: `SignInPolicy` in src/authority/sign-in-policy.ts */
    signIn: since(text(20), 'any'),
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

/** The roles that an administrator may assign to others. */
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
    /** The agent's role that this delegation uses. */
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
    /** active, completed, revoked. Expiry follows from `expiresAt`. */
    status: text(20),
    /** Whether it is a standing delegation, for an agent on a schedule. */
    standing: flag(),
    /** The `SignInPolicy` that the person's sign-in met when the task was handed over. */
    signIn: since(text(20), 'any'),
    /** The resources (RFC 8707) that its tokens may be for. Null: all. */
    resources: nullable(json<readonly string[]>()),
    createdAt: time(),
    expiresAt: time(),
    endedAt: nullable(time()),
    endedBy: nullable(id('users')),
    version: int(),
  },
  ['id'],
  { indexes: [['agentId', 'id'], ['parentId'], ['userId', 'id']] },
);

/** A person's permission for an agent to exchange the person's token (`may_act`, RFC 8693 section 4.4). */
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
    expiresAt: time(),
    revokedAt: nullable(time()),
  },
  ['id'],
  { indexes: [['userId', 'agentId']] },
);

/** The authorization server's data. `id` is a digest: no token or code is stored in the clear. */
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
  /** The kill switch: no agent acts while it is set. */
  stopped: flag(),
  /** Like an agent's `tokenGeneration`, for the tokens of all agents. */
  tokenGeneration: since(int(), 0),
});

/** The first answer to a mutation. A repeat with the same key and input gets it again. */
export const idempotencyKeys = table(
  'IdempotencyKey',
  'idempotency_keys',
  {
    /** The delegation's id, or the person's where there is none. */
    ownerId: id(),
    key: text(100),
    inputDigest: text(64),
    operationId: id(),
    answer: longtext(),
    /**
     * The dimension values of the answer's rows, by property. Without them the rows are not returned again.
     */
    places: nullable(json<Record<string, StoredDimensionValues>>()),
    createdAt: time(),
  },
  ['ownerId', 'key'],
  { indexes: [['createdAt']] },
);

/** Maps imported records to the rows that they became. */
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
