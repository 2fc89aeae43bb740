import { createHash } from 'node:crypto';
import {
  classifications,
  fullScopes,
  furtherScopes,
  idOf,
  publicUrl,
  refusedScopes,
  regions,
  storedTime,
  tokenOf,
} from './world.mjs';

const sha256 = (text) => createHash('sha256').update(text).digest('base64url');
const json = (value) => JSON.stringify(value);
const now = storedTime(0);
const never = '2999-01-01 00:00:00.000';
/** More than a run can spend, and within a column of the database. */
const plenty = 2_000_000_000;
const peopleCount = 50;

/**
 * A boundary that names values and yet holds every row: peers without one then answer alike. Who has scopes of statistics
 * has all regions, as these need it.
 */
const boundary = (further, world) => ({
  customer: 'all',
  region: world.scopes === undefined ? [...regions, ...further] : 'all',
  collection: 'all',
  classification: classifications,
  person: [],
});

const personBoundary = (world) => ({
  ...boundary([], world),
  ...(world.personScopes === undefined ? {} : { person: 'all' }),
});

/** Which further scopes the nth role holds: another set for each of 1,024 roles. */
const scopesOf = (n, world) => [
  ...fullScopes,
  ...(world.scopes ?? []),
  ...furtherScopes.filter((_, bit) => ((n >> bit) & 1) === 1),
];

const scopesOfPerson = (world) => [
  ...fullScopes,
  ...(world.scopes ?? []),
  ...furtherScopes,
  ...(world.personScopes ?? []),
];

const role = (id, name, holder, scopes, bounds) => ({
  id,
  name,
  description: 'A role of the benchmark.',
  business_task: 'Being measured.',
  holder,
  scopes: json(scopes),
  approval_scopes: '[]',
  boundary: json(bounds),
  limits: json({ operations: plenty, rows: plenty, expirySeconds: plenty, depth: 2 }),
  shipped: 0,
  created_at: now,
  version: 1,
});

function* roles(world) {
  yield role(idOf('RP', 0), 'bench-person', 'person', scopesOfPerson(world), personBoundary(world));
  for (let n = 0; n < world.roles; n += 1) {
    yield role(
      idOf('RA', n),
      `bench-agent-${n}`,
      'agent',
      scopesOf(n, world),
      boundary([`region-${n}`], world),
    );
  }
}

function* users() {
  for (let n = 0; n < peopleCount; n += 1) {
    yield {
      id: idOf('SR', n),
      name: `bench-${n}`,
      display_name: `Person ${n}`,
      email: null,
      password_hash: 'none',
      must_change_password: 0,
      status: 'active',
      created_at: now,
      version: 1,
    };
  }
}

function* userRoles() {
  for (let n = 0; n < peopleCount; n += 1) {
    yield { user_id: idOf('SR', n), role_id: idOf('RP', 0), granted_by: null, granted_at: now };
  }
}

function* agents(world) {
  for (let n = 0; n < world.agents; n += 1) {
    yield {
      id: idOf('AG', n),
      name: `bench-agent-${n}`,
      display_name: `Agent ${n}`,
      business_task: 'Being measured.',
      owner_id: idOf('SR', n % peopleCount),
      status: 'active',
      auth_method: 'client_secret_basic',
      jwks: null,
      created_at: now,
      version: 1,
    };
  }
}

const roleIdOf = (agent, world) => idOf('RA', agent % world.roles);

function* agentRoles(world) {
  for (let n = 0; n < world.agents; n += 1) {
    yield { agent_id: idOf('AG', n), role_id: roleIdOf(n, world), granted_by: null, granted_at: now };
  }
}

const kinds = [
  { rights: 'full', kind: 'DF', scopes: fullScopes },
  { rights: 'narrow', kind: 'DN', scopes: fullScopes.filter((scope) => !refusedScopes.includes(scope)) },
];

/** Two tasks of each agent, with a token for each. */
function* tasks(world) {
  for (let n = 0; n < world.agents; n += 1) {
    for (const { rights, kind, scopes } of kinds) {
      const own = [...scopes, ...(world.scopes ?? [])];
      yield {
        agent: n,
        delegationId: idOf(kind, n),
        userId: idOf('SR', n % peopleCount),
        rights,
        scopes: own,
      };
    }
  }
}

function* delegations(world) {
  for (const { agent, delegationId, userId, scopes } of tasks(world)) {
    yield {
      id: delegationId,
      user_id: userId,
      agent_id: idOf('AG', agent),
      role_id: roleIdOf(agent, world),
      parent_id: null,
      depth: 0,
      purpose: 'A benchmark',
      task: 'ticket:T-1',
      scopes: json(scopes),
      boundary: json(boundary([], world)),
      operations_max: plenty,
      operations_used: 0,
      rows_max: plenty,
      rows_used: 0,
      depth_max: 2,
      status: 'active',
      standing: 0,
      created_at: now,
      expires_at: never,
      ended_at: null,
      ended_by: null,
      version: 1,
    };
  }
}

/** Access tokens and their grants as the authorization server stores them. */
function* oauthPayloads(world) {
  for (const { agent, delegationId, userId, rights, scopes } of tasks(world)) {
    const grantId = `grant-${delegationId}`;
    const row = { grant_id: grantId, uid: null, user_code: null, account_id: userId, expires_at: never };
    const rar = [{ type: 'behalf_delegation', delegation: delegationId }];
    yield { model: 'Grant', id: sha256(grantId), ...row, payload: '{}', consumed_at: null };
    for (const resource of world.resources ?? ['/graphql']) {
      const token = tokenOf(rights, agent, resource);
      const aud = `${publicUrl}${resource}`;
      const payload = json({ clientId: `bench-agent-${agent}`, aud, scope: scopes.join(' '), rar });
      yield { model: 'AccessToken', id: sha256(token), ...row, payload, consumed_at: null };
    }
  }
  if (world.personScopes !== undefined) yield* personPayloads(world);
}

/** A person who acts in person. */
function* personPayloads(world) {
  const row = {
    grant_id: 'grant-person',
    uid: null,
    user_code: null,
    account_id: idOf('SR', 0),
    expires_at: never,
  };
  const aud = `${publicUrl}/graphql`;
  const payload = json({ clientId: 'bench', aud, scope: scopesOfPerson(world).join(' ') });
  yield { model: 'Grant', id: sha256('grant-person'), ...row, payload: '{}', consumed_at: null };
  yield { model: 'AccessToken', id: sha256(tokenOf('person', 0)), ...row, payload, consumed_at: null };
}

/** The same tokens, for peers that look one up. */
export function* benchTokens(world) {
  for (const { agent, rights, scopes } of tasks(world)) {
    yield { digest: sha256(tokenOf(rights, agent)), agent_id: idOf('AG', agent), scopes: scopes.join(' ') };
  }
}

/** Records of operations long past, each of three rows, for `flat`. */
function* auditRecords(world) {
  for (let n = 0; n < world.auditRecords; n += 1) {
    const agent = n % world.agents;
    const delegationId = idOf('DF', agent);
    const ids = [0, 1, 2].map((row) => idOf('CS', (n * 3 + row) % world.customers));
    yield {
      id: idOf('AR', n),
      at: now,
      kind: 'graphql',
      outcome: 'succeeded',
      user_id: idOf('SR', agent % peopleCount),
      agent_id: idOf('AG', agent),
      delegation_id: delegationId,
      task: 'ticket:T-1',
      operation_name: 'Point',
      operation_type: 'query',
      document_hash: sha256('Point'),
      error_code: null,
      row_count: 3,
      duration_ms: 2,
      body: json({
        delegation: { id: delegationId, ids: [delegationId], task: 'ticket:T-1', purpose: '' },
        resources: [{ type: 'Customer', action: 'read', count: 3, ids, digest: '' }],
        filler: 'x'.repeat(400),
      }),
    };
  }
}

/** Everything about who may do what, table by table. */
export const peopleRows = (world) => ({
  users: users(),
  agents: agents(world),
  roles: roles(world),
  user_roles: userRoles(),
  agent_roles: agentRoles(world),
  delegations: delegations(world),
  oauth_payloads: oauthPayloads(world),
  audit_records: auditRecords(world),
});
