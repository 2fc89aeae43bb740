import type { DocumentPolicy } from '../authority/documents.js';
import type { SignInPolicy } from '../authority/sign-in-policy.js';
import type { Scope } from '../authority/scope.js';
import type { StoredBoundary, StoredRoleLimits } from '../store/tables/identity.js';

/** A role that ships: one business task, and only what that task needs. */
interface ShippedRole {
  readonly name: string;
  readonly description: string;
  readonly businessTask: string;
  readonly holder: 'agent' | 'person';
  readonly scopes: readonly Scope[];
  /** Every dimension is given. */
  readonly boundary: StoredBoundary;
  readonly limits: StoredRoleLimits;
  /** An administrator may restrict a role to registered documents once there are some. */
  readonly documents: DocumentPolicy;
  readonly approvalScopes: readonly Scope[];
  readonly signIn: SignInPolicy;
}

const hourSeconds = 3_600;
const daySeconds = 24 * hourSeconds;

const reading: readonly Scope[] = ['collections:read', 'documents:read'];

/** Every employee can hand over tasks, see their results and end them. */
const handingOver: readonly Scope[] = [
  'users:read',
  'agents:read',
  'roles:read',
  'delegations:create',
  'delegations:read',
  'delegations:revoke',
  'audit:read',
];

/** Every person looks after their own account and asks for applications; administrators also see to those of others. */
const ownAccount: readonly Scope[] = ['passkeys:manage', 'clients:request'];

/** The part of the knowledge base that everyone in the company may read. */
const everyday = ['public', 'internal'];
const leading = ['public', 'internal', 'confidential'];

/** All customers and regions; an administrator narrows copies of a role for a team. */
const business = (classification: readonly string[], person: readonly string[]): StoredBoundary => ({
  customer: 'all',
  region: 'all',
  collection: 'all',
  classification,
  person,
});

const oneself = ['self'];
const nobody: readonly string[] = [];

/** The accounts, delegations and records of all people, and no business data. */
const everyone: StoredBoundary = {
  customer: [],
  region: [],
  collection: [],
  classification: [],
  person: 'all',
};

const support: readonly Scope[] = [
  ...reading,
  'customers:read',
  'customers:read_contact',
  'products:read',
  'orders:read',
  'invoices:read',
  'tickets:read',
  'tickets:reply',
  'tickets:update_status',
];
const analytics: readonly Scope[] = [...reading, 'products:read', 'analytics:sales', 'analytics:tickets'];
const finance: readonly Scope[] = [
  ...reading,
  'customers:read',
  'customers:read_credit',
  'orders:read',
  'invoices:read',
  'invoices:issue',
  'payments:read',
  'payments:record',
  'refunds:read',
  'refunds:issue',
  'analytics:sales',
];
const operations: readonly Scope[] = [
  ...reading,
  'customers:read',
  'products:read',
  'stock:read',
  'stock:adjust',
  'orders:read',
  'orders:update_status',
];

const agent = (
  role: Pick<ShippedRole, 'name' | 'description' | 'businessTask' | 'scopes' | 'limits'>,
): ShippedRole => ({
  ...role,
  holder: 'agent',
  boundary: business(everyday, nobody),
  approvalScopes: [],
  documents: 'any',
  signIn: 'any',
});

/** These limits belong to delegations: what people do themselves is not counted. */
const person = (
  role: Pick<ShippedRole, 'name' | 'description' | 'businessTask' | 'scopes' | 'boundary'>,
): ShippedRole => ({
  ...role,
  scopes: [...role.scopes, ...ownAccount],
  holder: 'person',
  limits: { operations: 0, rows: 0, expirySeconds: 0, depth: 0 },
  approvalScopes: [],
  documents: 'any',
  signIn: 'any',
});

const agentRoles: readonly ShippedRole[] = [
  agent({
    name: 'support-agent',
    description: 'Reads what a ticket is about and answers it. No credit, no costs, no money.',
    businessTask: 'Answer customers’ tickets.',
    scopes: support,
    limits: { operations: 500, rows: 5_000, expirySeconds: daySeconds, depth: 2, operationCost: 50_000 },
  }),
  agent({
    name: 'analytics-agent',
    description: 'Sees totals, products and the open part of the knowledge base; no single customer.',
    businessTask: 'Report on sales and tickets.',
    scopes: analytics,
    limits: {
      operations: 1_000,
      rows: 50_000,
      expirySeconds: 30 * daySeconds,
      depth: 1,
      operationCost: 100_000,
    },
  }),
  agent({
    name: 'finance-agent',
    description: 'Follows invoices, records payments and issues refunds. No contact data, no tickets.',
    businessTask: 'Keep invoices, payments and refunds in order.',
    scopes: finance,
    limits: { operations: 500, rows: 10_000, expirySeconds: daySeconds, depth: 2, operationCost: 50_000 },
  }),
  agent({
    name: 'operations-agent',
    description: 'Moves orders along and keeps stock right. No money, no contact data, no costs.',
    businessTask: 'Get orders out and keep stock right.',
    scopes: operations,
    limits: {
      operations: 1_000,
      rows: 20_000,
      expirySeconds: 7 * daySeconds,
      depth: 2,
      operationCost: 50_000,
    },
  }),
];

const peopleRoles: readonly ShippedRole[] = [
  person({
    name: 'support-rep',
    description: 'Answers tickets and hands them to support agents.',
    businessTask: 'Look after customers.',
    scopes: [...support, 'tickets:read_internal', 'refunds:read', 'payments:read', ...handingOver],
    boundary: business(everyday, oneself),
  }),
  person({
    name: 'analyst',
    description: 'Asks for totals and hands reports to analytics agents.',
    businessTask: 'Understand sales and tickets.',
    scopes: [...analytics, ...handingOver],
    boundary: business(everyday, oneself),
  }),
  person({
    name: 'finance-manager',
    description: 'Answers for invoices, payments and refunds, and keeps the documents about them.',
    businessTask: 'Look after the company’s money.',
    scopes: [
      ...finance,
      'customers:read_contact',
      'products:read',
      'products:read_cost',
      'documents:read_history',
      'documents:write',
      ...handingOver,
    ],
    boundary: business(leading, oneself),
  }),
  person({
    name: 'operations-manager',
    description: 'Answers for orders, stock and the knowledge base.',
    businessTask: 'Keep the company running.',
    scopes: [
      ...operations,
      'customers:read_contact',
      'products:read_cost',
      'tickets:read',
      'analytics:sales',
      'analytics:tickets',
      'documents:read_history',
      'documents:write',
      'documents:classify',
      ...handingOver,
    ],
    boundary: business(leading, oneself),
  }),
  person({
    name: 'auditor',
    description:
      'Reads every record, delegation, account, identity provider, client, resource server, role and registered operation; no business data, and changes nothing.',
    businessTask: 'Reconstruct who did what on whose behalf.',
    scopes: [
      'audit:read',
      'delegations:read',
      'users:read',
      'agents:read',
      'roles:read',
      'operations:read',
      'identity_providers:read',
      'clients:read',
      'resource_servers:read',
    ],
    boundary: everyone,
  }),
  person({
    name: 'administrator',
    description:
      'Keeps accounts, identity providers, clients, resource servers, agents, roles and registered operations, and stops what must stop; no business data, no records.',
    businessTask: 'Decide who may do what.',
    scopes: [
      'users:read',
      'users:manage',
      'agents:read',
      'agents:manage',
      'roles:read',
      'roles:manage',
      'roles:assign',
      'operations:read',
      'operations:register',
      'delegations:read',
      'delegations:revoke',
      'emergency:stop',
      'identity_providers:read',
      'identity_providers:manage',
      'clients:read',
      'clients:manage',
      'resource_servers:read',
      'resource_servers:manage',
    ],
    boundary: everyone,
  }),
];

/** The roles that every installation begins with. Later changes by an administrator stay. */
export const shippedRoles: readonly ShippedRole[] = [...agentRoles, ...peopleRoles];

export const administratorRole = 'administrator';
