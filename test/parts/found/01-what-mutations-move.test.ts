// databases: sqlite, mariadb
import { buildSchema } from 'graphql';
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Authority } from '../../../src/authority/authority.js';
import { canonicalJson, sha256 } from '../../../src/core/digest.js';
import { BehalfError } from '../../../src/core/errors.js';
import { Authorities } from '../../../src/delegation/authorities.js';
import { bumpEpoch, AuthorityEpoch } from '../../../src/delegation/authority-epoch.js';
import { collections, documents } from '../../../src/domains/knowledge/tables.js';
import { readSdl } from '../../../src/graphql/schema/sdl.js';
import { all, eq } from '../../../src/store/sql/condition.js';
import { unprefixed, type Table } from '../../../src/store/tables/table.js';
import { trustedDocuments } from '../../../src/store/tables/documents.js';
import * as identity from '../../../src/store/tables/identity.js';
import * as providers from '../../../src/store/tables/identity-providers.js';
import { clientRules, clients } from '../../../src/store/tables/clients.js';
import { passkeys } from '../../../src/store/tables/passkeys.js';
import { resourceServers } from '../../../src/store/tables/resource-servers.js';
import { signIns } from '../../../src/store/tables/sign-ins.js';
import { catalog, key } from '../../support/administration.js';
import { BusinessRows } from '../../support/business.js';
import { boundaryInput } from '../../support/case.js';
import { loadDocuments } from '../../support/demo-rows.js';
import {
  everywhere,
  TestServer,
  type AgentFixture,
  type Answer,
  type PersonFixture,
} from '../../support/server.js';

/** Who may do what, and how people and agents prove who they are. */
const moving = [
  ...[identity.users, identity.agents, identity.agentSecrets, identity.roles, identity.userRoles],
  ...[identity.agentRoles, identity.grantableRoles, identity.delegations, identity.consents],
  ...[identity.oauthPayloads, identity.authorityEpoch, trustedDocuments, passkeys],
  ...[providers.identityProviders, providers.userIdentities, providers.providerGroupRoles],
  ...[providers.providedUserRoles, clients, clientRules, resourceServers],
] as unknown as Table<Record<string, unknown>>[];
/** These move with every change, and an operation is charged. */
const unsaid = new Set(['version', 'operationsUsed', 'rowsUsed']);

const everyScope = [...catalog.definitions.keys()];
const forAgents = ['tickets:read', 'customers:read'];
const newKeys = (): string =>
  JSON.stringify(
    JSON.stringify({
      keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })],
    }),
  );

/** A person with an agent at work, whom a mutation is about. */
interface World {
  readonly victim: PersonFixture;
  readonly victimRoleId: string;
  readonly agent: AgentFixture;
  readonly spareRoleId: string;
  readonly spareAgentRoleId: string;
  readonly consentId: string;
  readonly signInId: string;
  readonly passkeyId: string;
  /** The victim is linked to it, and one of its groups gives the spare role. */
  readonly providerId: string;
  readonly resourceServerId: string;
  /** A client that acts as the agent. */
  readonly clientRowId: string;
  readonly ruleId: string;
  readonly documentId: string;
  readonly rows: Readonly<
    Record<'ticket' | 'order' | 'placed' | 'invoice' | 'payment' | 'product' | 'page' | 'collection', string>
  >;
}

interface Entry {
  /** Arguments but for the key, in GraphQL's own text. */
  readonly args: (world: World) => string;
  /** Which columns change, and of which tables rows come (+) or go (-). Nothing else may. */
  readonly moves: readonly string[];
  /** What must have been done before. */
  readonly after?: (world: World) => Promise<unknown>;
  /** Whoever may grant the roles of agents may let them do as much. */
  readonly grants?: true;
  /** Only the agent itself can do it. */
  readonly byAgent?: true;
}

const one = (id: string): string => `id: "${id}"`;
const money = 'amount: { amount: "1.00", currency: "EUR" }';
const roleText = `description: "d", businessTask: "t", scopes: ["tickets:read"], boundary: ${boundaryText()}`;
const limitsText = 'limits: { operations: 10, rows: 10, expirySeconds: 600, depth: 0 }';
const people = { of: 'users' } as const;

function boundaryText(): string {
  return JSON.stringify(boundaryInput()).replaceAll(/"(\w+)":/g, '$1:');
}

/** Mutation × what it may move. */
const table: Readonly<Record<string, Entry>> = {
  createUser: {
    args: () => `input: { name: "${key()}", displayName: "New" }`,
    moves: ['users+'],
  },
  updateUser: {
    args: ({ victim }) => `${one(victim.id)} expectedVersion: 1 input: { displayName: "Other" }`,
    moves: ['users.displayName'],
  },
  disableUser: { args: ({ victim }) => one(victim.id), moves: ['oauth_payloads-', 'users.status'] },
  enableUser: {
    args: ({ victim }) => one(victim.id),
    after: ({ victim }) => change(identity.users, victim.id, { status: 'disabled' }),
    moves: ['users.status'],
  },
  resetPassword: {
    args: ({ victim }) => one(victim.id),
    moves: ['oauth_payloads-', 'users.mustChangePassword', 'users.passwordHash'],
  },
  revokeTokens: { args: ({ victim }) => one(victim.id), moves: ['oauth_payloads-'] },
  endSignIn: { args: ({ signInId }) => one(signInId), moves: ['oauth_payloads-'] },
  endOtherSignIns: {
    args: () => '',
    after: () => signIn(actor.id),
    moves: ['oauth_payloads-'],
  },
  addIdentityProvider: {
    args: () => {
      const name = key().slice(0, 30);
      return `input: { name: "${name}", label: "L", issuer: "https://${name}.example", clientId: "c", clientSecret: "secret" }`;
    },
    moves: ['identity_providers+'],
  },
  removeIdentityProvider: {
    args: ({ providerId }) => one(providerId),
    moves: ['identity_providers-', 'oauth_payloads-', 'provider_group_roles-', 'user_identities-'],
  },
  linkIdentity: {
    args: ({ providerId, victim }) => `providerId: "${providerId}" userId: "${victim.id}" subject: "another"`,
    moves: ['user_identities+'],
  },
  unlinkIdentity: {
    args: ({ providerId }) => `providerId: "${providerId}" subject: "victim"`,
    moves: ['oauth_payloads-', 'user_identities-'],
  },
  mapGroup: {
    args: ({ providerId, spareRoleId }) =>
      `providerId: "${providerId}" group: "Other" roleId: "${spareRoleId}"`,
    moves: ['provider_group_roles+'],
  },
  unmapGroup: {
    args: ({ providerId, spareRoleId }) =>
      `providerId: "${providerId}" group: "Care" roleId: "${spareRoleId}"`,
    moves: ['provider_group_roles-'],
  },
  addResourceServer: {
    args: () => {
      const name = key().toLowerCase().slice(0, 30);
      return `input: { name: "${name}", identifier: "https://${name}.example", scopes: ["tickets:read"] }`;
    },
    moves: ['resource_servers+'],
  },
  removeResourceServer: {
    args: ({ resourceServerId }) => one(resourceServerId),
    moves: ['resource_servers-'],
  },
  removePasskey: { args: ({ passkeyId }) => one(passkeyId), moves: ['oauth_payloads-', 'passkeys-'] },
  createAgent: {
    args: ({ victim }) =>
      `input: { name: "${key()}", displayName: "New", businessTask: "t", ownerId: "${victim.id}" }`,
    moves: ['agent_secrets+', 'agents+'],
  },
  updateAgent: {
    args: ({ agent }) => `${one(agent.id)} expectedVersion: 1 input: { ownerId: "${actor.id}" }`,
    moves: ['agents.ownerId'],
  },
  createClient: {
    args: ({ victim, spareAgentRoleId }) => {
      const agent = `agent: { name: "${key()}", businessTask: "t", ownerId: "${victim.id}", roleIds: ["${spareAgentRoleId}"] }`;
      return `input: { clientId: "${key()}", name: "New", redirectUris: ["https://new.example/"], ${agent} }`;
    },
    moves: ['agent_roles+', 'agents+', 'clients+'],
  },
  updateClient: {
    args: ({ clientRowId }) => `${one(clientRowId)} expectedVersion: 1 input: { scopes: ["tickets:read"] }`,
    moves: ['agents.tokenGeneration', 'clients.scopes'],
  },
  admitClient: {
    args: ({ clientRowId, victim, spareAgentRoleId }) => {
      const agent = `agent: { name: "${key()}", businessTask: "t", ownerId: "${victim.id}", roleIds: ["${spareAgentRoleId}"] }`;
      return `${one(clientRowId)} expectedVersion: 1 input: { ${agent} }`;
    },
    after: ({ clientRowId }) => change(clients, clientRowId, { status: 'quarantined', agentId: null }),
    moves: ['agent_roles+', 'agents+', 'clients.agentId', 'clients.status'],
  },
  acceptClientDocument: {
    args: ({ clientRowId }) => `${one(clientRowId)} expectedVersion: 1`,
    after: ({ clientRowId }) =>
      change(clients, clientRowId, {
        changedTo: {
          name: 'Other',
          authMethod: 'none',
          jwks: null,
          redirectUris: ['https://other.example/'],
          tokenBinding: 'any',
        },
      }),
    moves: ['agents.tokenGeneration', 'clients.changedTo', 'clients.name', 'clients.redirectUris'],
  },
  requestClient: {
    args: ({ clientRowId }) => one(clientRowId),
    after: ({ clientRowId }) => change(clients, clientRowId, { status: 'quarantined', agentId: null }),
    moves: ['clients.expiresAt', 'clients.requestedAt'],
  },
  addClientRule: {
    args: ({ victim, spareAgentRoleId }) =>
      `input: { host: "${key()}.example", roleId: "${spareAgentRoleId}", scopes: ["orders:read"], ownerId: "${victim.id}" }`,
    moves: ['client_rules+'],
  },
  removeClientRule: { args: ({ ruleId }) => one(ruleId), moves: ['client_rules-'] },
  stopClient: {
    args: ({ clientRowId }) => one(clientRowId),
    moves: ['agents.status', 'agents.tokenGeneration', 'clients.status'],
  },
  startClient: {
    args: ({ clientRowId }) => one(clientRowId),
    after: async ({ clientRowId, agent }) => {
      await change(clients, clientRowId, { status: 'stopped' });
      await change(identity.agents, agent.id, { status: 'stopped' });
    },
    moves: ['agents.status', 'clients.status'],
    grants: true,
  },
  rotateAgentSecret: {
    args: ({ agent }) => `${one(agent.id)} overlapSeconds: 0`,
    moves: ['agent_secrets+', 'agents.tokenGeneration'],
  },
  setAgentKeys: {
    args: ({ agent }) => `${one(agent.id)} publicKeys: ${newKeys()}`,
    moves: ['agents.authMethod', 'agents.jwks', 'agents.tokenGeneration'],
  },
  setAgentWorkloads: {
    args: ({ agent }) =>
      `${one(agent.id)} workloads: [{ issuer: "https://cluster.example", subject: "desk" }]`,
    moves: ['agents.authMethod', 'agents.tokenGeneration', 'agents.workloads'],
  },
  setAgentCertificate: {
    args: ({ agent }) => `${one(agent.id)} certificateName: { kind: SAN_DNS, value: "desk.example" }`,
    moves: ['agents.authMethod', 'agents.certificateName', 'agents.tokenGeneration'],
  },
  stopAgent: { args: ({ agent }) => one(agent.id), moves: ['agents.status', 'agents.tokenGeneration'] },
  startAgent: {
    grants: true,
    args: ({ agent }) => one(agent.id),
    after: ({ agent }) => change(identity.agents, agent.id, { status: 'stopped' }),
    moves: ['agents.status'],
  },
  createRole: {
    args: () => `input: { name: "${key()}", holder: AGENT, ${roleText}, ${limitsText} }`,
    moves: ['grantable_roles+', 'roles+'],
  },
  updateRole: {
    grants: true,
    args: ({ agent }) =>
      `${one(agent.roleId)} expectedVersion: 1 input: { scopes: ["tickets:read", "customers:read", "orders:read"] }`,
    moves: ['roles.scopes'],
  },
  assignRole: {
    args: ({ victim, spareRoleId }) => `userId: "${victim.id}" roleId: "${spareRoleId}"`,
    moves: ['user_roles+'],
  },
  unassignRole: {
    args: ({ victim, victimRoleId }) => `userId: "${victim.id}" roleId: "${victimRoleId}"`,
    moves: ['user_roles-'],
  },
  assignAgentRole: {
    grants: true,
    args: ({ agent, spareAgentRoleId }) => `agentId: "${agent.id}" roleId: "${spareAgentRoleId}"`,
    moves: ['agent_roles+'],
  },
  unassignAgentRole: {
    args: ({ agent }) => `agentId: "${agent.id}" roleId: "${agent.roleId}"`,
    moves: ['agent_roles-'],
  },
  setGrantableRoles: {
    args: ({ victim, spareRoleId }) => `userId: "${victim.id}" roleIds: ["${spareRoleId}"]`,
    moves: ['grantable_roles+'],
  },
  stopEverything: { args: () => '', moves: ['authority_epoch.stopped', 'authority_epoch.tokenGeneration'] },
  resumeEverything: {
    args: () => '',
    after: () => change(identity.authorityEpoch, 1, { stopped: true }),
    moves: ['authority_epoch.stopped'],
  },
  delegate: {
    args: ({ agent }) =>
      `input: { agent: "${agent.name}", task: "t", purpose: "p", scopes: ["tickets:read"] }`,
    moves: ['delegations+'],
  },
  completeDelegation: {
    args: ({ agent }) => one(agent.delegationId),
    moves: ['delegations.endedAt', 'delegations.endedBy', 'delegations.status'],
  },
  revokeDelegation: {
    args: ({ agent }) => one(agent.delegationId),
    moves: ['delegations.endedAt', 'delegations.endedBy', 'delegations.status'],
  },
  completeTask: {
    args: () => '',
    byAgent: true,
    moves: ['delegations.endedAt', 'delegations.status'],
  },
  giveConsent: { args: ({ agent }) => `input: { agent: "${agent.name}" }`, moves: ['consents+'] },
  withdrawConsent: {
    args: ({ consentId }) => one(consentId),
    moves: ['consents.revokedAt', 'delegations.endedAt', 'delegations.endedBy', 'delegations.status'],
  },
  registerDocuments: {
    args: () =>
      `input: [{ name: "${key().replace('-', '_')}", source: "query Q { viewer { scopes } } # ${key()}" }]`,
    moves: ['trusted_documents+'],
  },
  retireDocument: {
    args: ({ documentId }) => one(documentId),
    moves: [
      'trusted_documents.retiredAt',
      'trusted_documents.retiredById',
      'trusted_documents.standingHash',
      'trusted_documents.standingName',
    ],
  },
  replyToTicket: { args: ({ rows }) => `ticketId: "${rows.ticket}" body: "x"`, moves: [] },
  setTicketStatus: {
    args: ({ rows }) => `ticketId: "${rows.ticket}" status: PENDING expectedVersion: 1`,
    moves: [],
  },
  setOrderStatus: {
    args: ({ rows }) => `orderId: "${rows.placed}" status: PACKED expectedVersion: 1`,
    moves: [],
  },
  adjustStock: { args: ({ rows }) => `productId: "${rows.product}" quantity: 1 reason: "x"`, moves: [] },
  issueInvoice: {
    args: ({ rows }) => `orderId: "${rows.placed}" dueAt: "2999-01-01T00:00:00Z"`,
    moves: [],
  },
  recordPayment: {
    args: ({ rows }) =>
      `invoiceId: "${rows.invoice}" ${money} method: CASH receivedAt: "2026-03-03T10:00:00Z"`,
    moves: [],
  },
  issueRefund: { args: ({ rows }) => `paymentId: "${rows.payment}" ${money} reason: "x"`, moves: [] },
  createDocument: {
    args: ({ rows }) =>
      `collection: "${rows.collection}" title: "${key()}" classification: INTERNAL body: "x"`,
    moves: [],
  },
  updateDocument: { args: ({ rows }) => `${one(rows.page)} body: "# X" expectedVersion: 1`, moves: [] },
  setDocumentClassification: {
    args: ({ rows }) => `${one(rows.page)} classification: RESTRICTED expectedVersion: 1`,
    moves: [],
  },
};

let server: TestServer;
/** May do everything, and may grant every role. */
let actor: PersonFixture;
/** May do everything too, and may grant nothing. */
let nobody: PersonFixture;
/** May grant the roles of agents, and no person's. */
let half: PersonFixture;
/** On this server. What each of them holds is read before and after every mutation. */
let worlds = 0;
const worldsMax = 8;

async function begin(): Promise<void> {
  server = await TestServer.start();
  worlds = 0;
  await loadDocuments(server.database, server.ids);
  const rights = { scopes: everyScope, boundary: { ...everywhere, person: 'all' as const } };
  [actor, nobody, half] = [
    await server.person(rights),
    await server.person(rights),
    await server.person(rights),
  ];
}

beforeAll(begin);
afterAll(() => server.stop());

async function change(of: object, id: unknown, changes: object): Promise<void> {
  await server.database.transaction(async (tx) => {
    await tx.update(of as Table<Record<string, unknown>>, eq('id', id), changes);
    await bumpEpoch(tx);
  });
}

/** A sign-in with a new token. */
async function signIn(userId: string): Promise<string> {
  const token = await server.token(userId, undefined);
  const isToken = eq<identity.OAuthPayloadRow>('id', sha256(token));
  const { grantId } = (await server.database.read.one(identity.oauthPayloads, isToken)) ?? {};
  const id = server.ids.next();
  const [createdAt, expiresAt] = ['2026-03-01T00:00:00.000Z', '2099-03-01T00:00:00.000Z'];
  const row = { id, userId, grantId: grantId ?? '', clientId: 'test', program: 'test', method: 'password' };
  const unknown = { providerId: null, provider: null, providerSession: null, userAgent: null };
  await server.database.transaction((tx) =>
    tx.insert(signIns, [{ ...row, ...unknown, address: '::1', createdAt, lastUsedAt: createdAt, expiresAt }]),
  );
  return id;
}

async function worldOf(): Promise<World> {
  if (worlds === worldsMax) {
    await server.stop();
    await begin();
  }
  worlds += 1;
  const { database, ids } = server;
  const rights = { boundary: { ...everywhere, person: 'all' as const } };
  const victim = await server.person({ scopes: forAgents, ...rights });
  const [held] = await database.read.select(identity.userRoles, eq('userId', victim.id));
  const agent = await server.agent(victim, { scopes: forAgents });
  const spareRoleId = await server.role('person', { scopes: ['orders:read'], ...rights });
  const spareAgentRoleId = await server.role('agent', { scopes: [...forAgents, 'orders:read'] });
  const now = '2026-03-01T00:00:00.000Z';
  const until = '2999-03-01T00:00:00.000Z';
  const consentId = ids.next();
  const documentId = ids.next();
  const passkeyId = ids.next();
  await database.transaction(async (tx) => {
    const said = { userId: victim.id, agentId: agent.id, roleId: agent.roleId, scopes: forAgents };
    await tx.insert(identity.consents, [
      { id: consentId, ...said, boundary: everywhere, createdAt: now, expiresAt: until, revokedAt: null },
    ]);
    await tx.insert(passkeys, [
      {
        ...{ id: passkeyId, userId: victim.id, name: 'Laptop', credentialDigest: passkeyId, version: 1 },
        ...{ credentialId: passkeyId, publicKey: 'none', signCount: 0, transports: [] },
        ...{ createdAt: now, lastUsedAt: null },
      },
    ]);
    await tx.insert(trustedDocuments, [
      {
        ...{
          id: documentId,
          name: documentId,
          hash: documentId,
          kind: 'query',
          source: '{ viewer { scopes } }',
        },
        ...{ registeredById: actor.id, registeredAt: now, retiredById: null, retiredAt: null },
        ...{ standingName: documentId, standingHash: documentId, version: 1 },
      },
    ]);
    const grantable = [held?.roleId ?? '', agent.roleId, spareRoleId, spareAgentRoleId];
    await tx.insert(
      identity.grantableRoles,
      grantable.map((roleId) => ({ userId: actor.id, roleId })),
    );
    await tx.insert(
      identity.grantableRoles,
      [agent.roleId, spareAgentRoleId].map((roleId) => ({ userId: half.id, roleId })),
    );
    // Whoever may grant role administration is bound by no set, so nobody here may.
    await tx.update(identity.authorityEpoch, eq('id', 1), { stopped: false });
    await bumpEpoch(tx);
  });
  return {
    ...{
      victim,
      victimRoleId: held?.roleId ?? '',
      agent,
      spareRoleId,
      spareAgentRoleId,
      consentId,
      documentId,
      signInId: await signIn(victim.id),
      passkeyId,
      providerId: await providerOf(victim, spareRoleId),
      resourceServerId: await otherServer(),
      clientRowId: await clientOf(agent),
      ruleId: await ruleOf(victim, spareAgentRoleId),
    },
    rows: await dataRows(),
  };
}

async function clientOf({ id: agentId }: AgentFixture): Promise<string> {
  const id = server.ids.next();
  const asked = {
    redirectUris: ['https://client.example/'],
    scopes: null,
    resources: null,
    notificationEndpoint: null,
    changedTo: null,
  };
  const times = {
    checkedAt: null,
    requestedAt: null,
    expiresAt: null,
    createdAt: '2026-03-01T00:00:00.000Z',
  };
  await server.database.transaction((tx) =>
    tx.insert(clients, [
      {
        ...{ id, clientId: id, name: 'Client', registration: 'administrator', status: 'active', agentId },
        ...{ isOwnTool: false, authMethod: 'none', jwks: null, ...asked, ...times, version: 1 },
        ...{ certificateName: null, tokenBinding: 'any' },
      },
    ]),
  );
  return id;
}

async function otherServer(): Promise<string> {
  const id = server.ids.next();
  await server.database.transaction((tx) =>
    tx.insert(resourceServers, [
      {
        ...{
          id,
          name: id.toLowerCase(),
          identifier: `https://${id.toLowerCase()}.example`,
          scopes: ['tickets:read'],
        },
        ...{ authMethod: 'client_secret_basic', secretHash: 'none', jwks: null, version: 1 },
        createdAt: '2026-03-01T00:00:00.000Z',
      },
    ]),
  );
  return id;
}

async function ruleOf({ id: ownerId }: PersonFixture, roleId: string): Promise<string> {
  const id = server.ids.next();
  const rule = { id, host: `${id.toLowerCase()}.example`, roleId, scopes: ['orders:read'], ownerId };
  const createdAt = '2026-03-01T00:00:00.000Z';
  await server.database.transaction((tx) =>
    tx.insert(clientRules, [{ ...rule, addedBy: actor.id, createdAt, version: 1 }]),
  );
  return id;
}

async function providerOf({ id: userId }: PersonFixture, roleId: string): Promise<string> {
  const providerId = server.ids.next();
  const createdAt = '2026-03-01T00:00:00.000Z';
  await server.database.transaction(async (tx) => {
    await tx.insert(providers.identityProviders, [
      {
        ...{
          id: providerId,
          name: providerId.toLowerCase(),
          label: 'Acme',
          clientId: 'c',
          clientSecret: 's',
        },
        ...{ issuer: `https://${providerId.toLowerCase()}.example`, scopes: [], groupsClaim: 'groups' },
        ...{ userNameClaim: 'preferred_username', mayCreateUsers: false, createdAt, version: 1 },
      },
    ]);
    await tx.insert(providers.userIdentities, [
      { providerId, subject: 'victim', userId, createdAt, signedOutAt: null },
    ]);
    await tx.insert(providers.providerGroupRoles, [
      { providerId, groupName: 'Care', roleId, grantedBy: actor.id, grantedAt: createdAt },
    ]);
  });
  return providerId;
}

async function dataRows(): Promise<World['rows']> {
  const rows = new BusinessRows(server);
  const name = key();
  const customer = await rows.customer(`C-${name}`, 'europe');
  const order = await rows.order(`O-${name}`, customer);
  const placed = await rows.order(`O-${name}-placed`, customer);
  const invoice = await rows.invoice(`I-${name}`, order);
  const payment = await rows.payment(invoice);
  const unread = await server.database.read.select(documents, eq('version', 1));
  return {
    ticket: (await rows.ticket(`T-${name}`, customer)).id,
    ...{ order: order.id, placed: placed.id, invoice: invoice.id, payment: payment.id },
    product: (await rows.product(`P-${name}`)).id,
    page: unread[0]?.id ?? '',
    collection: (await server.database.read.one(collections, all()))?.key ?? '',
  };
}

const run = (who: { token: string }, field: string, args: string): Promise<Answer> =>
  server.query(who.token, `mutation { ${field}(${args} idempotencyKey: "${key()}") { __typename } }`);

type Snapshot = ReadonlyMap<string, ReadonlyMap<string, Readonly<Record<string, unknown>>>>;

async function snapshot(): Promise<Snapshot> {
  const found = new Map<string, Map<string, Record<string, unknown>>>();
  for (const each of moving) {
    const rows = await server.database.read.select(each, all());
    const keyOf = (row: Record<string, unknown>) => canonicalJson(each.primaryKey.map((name) => row[name]));
    found.set(unprefixed(each.name), new Map(rows.map((row) => [keyOf(row), row])));
  }
  return found;
}

const isEqual = (one: unknown, other: unknown): boolean =>
  one === other || canonicalJson(one) === canonicalJson(other);

function moved(before: Snapshot, after: Snapshot): string[] {
  const moves = new Set<string>();
  for (const [name, rows] of after) {
    const earlier = before.get(name) ?? new Map<string, Readonly<Record<string, unknown>>>();
    for (const id of earlier.keys()) if (!rows.has(id)) moves.add(`${name}-`);
    for (const [id, row] of rows) {
      const stood = earlier.get(id);
      if (stood === undefined) moves.add(`${name}+`);
      else
        for (const [column, value] of Object.entries(row))
          if (!unsaid.has(column) && !isEqual(value, stood[column])) moves.add(`${name}.${column}`);
    }
  }
  return [...moves].sort();
}

/** What each person and each agent at work may do now. */
async function authorities(): Promise<ReadonlyMap<string, Authority>> {
  const { database, clock } = server;
  const peopleOnly = [...catalog.definitions.values()].filter((scope) => scope.peopleOnly);
  const live = new Authorities(
    database.read,
    new AuthorityEpoch(database.read),
    clock,
    new Set(peopleOnly.map(({ name }) => name)),
  );
  const facts = [
    ...(await database.read.select(identity.users, all())).map(({ id }) => ({ userId: id, id })),
    ...(await database.read.select(identity.delegations, all())).map(({ userId, id }) => ({
      ...{ userId, id, delegationId: id },
    })),
  ];
  const found = await Promise.all(
    facts.map(async ({ id, ...of }): Promise<[string, Authority][]> => {
      const fact = { tokenId: id, scopes: everyScope, expiresAt: Number.MAX_SAFE_INTEGER, ...of };
      try {
        const { authority } = await live.resolve(id, () => Promise.resolve(fact));
        return [[id, authority]];
      } catch (error) {
        if (error instanceof BehalfError) return [];
        throw error;
      }
    }),
  );
  return new Map(found.flat());
}

/** A world, and how everything stands before a mutation. */
interface Scene {
  readonly world: World;
  readonly before: ReadonlyMap<string, Authority>;
  readonly known: Snapshot;
}

/** What a refused mutation left as it was is good for the next one. */
let untouched: Scene | undefined;

async function sceneFor(after?: (world: World) => Promise<unknown>): Promise<Scene> {
  if (untouched !== undefined && after === undefined) return untouched;
  const world = await worldOf();
  await after?.(world);
  return { world, before: await authorities(), known: await snapshot() };
}

/** Of those who proved themselves before, nobody new does, and nobody may do more than before. */
async function requireNoGain({ before, known }: Scene, now: Snapshot): Promise<void> {
  for (const [id, may] of await authorities()) {
    const earlier = before.get(id);
    const isOwn = [nobody.id, half.id].includes(may.chain.person.id);
    if (earlier === undefined) expect(isOwn || may.rights.size === 1, 'someone came to act').toBe(true);
    else expect(may.isWithin(earlier), 'someone came to more').toBe(true);
  }
  const live = [...(now.get('delegations')?.values() ?? [])].filter(({ status }) => status === 'active');
  const credentials = (of: Snapshot, agentId: unknown): string =>
    canonicalJson([
      of.get('agents')?.get(canonicalJson([agentId]))?.jwks,
      of.get('agents')?.get(canonicalJson([agentId]))?.certificateName,
      [...(of.get('agent_secrets')?.values() ?? [])].filter((row) => row.agentId === agentId),
    ]);
  for (const { agentId, userId } of live) {
    if ([nobody.id, half.id].includes(String(userId))) continue;
    expect(credentials(now, agentId), 'an agent at work got other credentials').toBe(
      credentials(known, agentId),
    );
  }
  for (const [id, { passwordHash }] of known.get(people.of) ?? [])
    expect(now.get(people.of)?.get(id)?.passwordHash).toBe(passwordHash);
}

describe('01 every mutation moves what the table says, and gives its caller nobody else’s rights', () => {
  test('the table has every mutation of the schema, but for those of one’s own passkeys', () => {
    const fields = buildSchema(readSdl(), { assumeValidSDL: true }).getMutationType()?.getFields();
    // They need a sign-in with a passkey: test/parts/passkeys.test.ts.
    const own = ['beginPasskey', 'addPasskey', 'renamePasskey'];
    expect([...Object.keys(table), ...own].sort()).toEqual(Object.keys(fields ?? {}).sort());
  });

  test.each(Object.entries(table))('%s', async (field, { args, moves, after, byAgent }) => {
    const world = await worldOf();
    await after?.(world);
    const before = await snapshot();
    const answer = await run(byAgent === true ? world.agent : actor, field, args(world));
    expect(answer.errors).toEqual([]);
    expect(moved(before, await snapshot())).toEqual([...moves].sort());
  });

  test.each(
    Object.entries(table).filter(([field, { byAgent }]) => field !== 'resumeEverything' && byAgent !== true),
  )('%s by those who may grant nothing, or not all', async (field, { args, after, grants }) => {
    for (const intruder of grants === true ? [nobody] : [nobody, half]) {
      const scene = await sceneFor(after);
      untouched = undefined;
      const answer = await run(intruder, field, args(scene.world));
      const now = await snapshot();
      await requireNoGain(scene, now);
      if (answer.errors.length === 0) continue;
      expect(moved(scene.known, now)).toEqual([]);
      if (after === undefined) untouched = { ...scene, known: now };
    }
  });
});
