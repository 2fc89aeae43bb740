import { eq } from '../../src/store/sql/condition.js';
import { delegations } from '../../src/store/tables/identity.js';
import { at, key, type Employee } from './administration.js';
import { given, type Agent, type Office } from './office.js';

/** A chain of its own: a person, an agent with a task, and a second agent that got it from the first. */
export interface Case {
  readonly person: Employee;
  readonly personRoleId: string;
  readonly agent: Agent;
  readonly next: Agent;
  /** The role of both agents. */
  readonly roleId: string;
  readonly delegationId: string;
  readonly token: string;
  readonly nextDelegationId: string;
  readonly nextToken: string;
}

export const taskScopes = ['customers:read', 'tickets:read', 'tickets:reply'];
export const personScopes = [...taskScopes, 'delegations:create', 'delegations:read', 'delegations:revoke'];

/** A boundary as GraphQL input: all dimensions open except the given ones. */
export const boundaryInput = (narrower: Record<string, string[]> = {}): object[] =>
  ['customer', 'region', 'collection', 'classification', 'person'].map((dimension) => {
    const values = dimension === 'person' ? (narrower.person ?? []) : narrower[dimension];
    return values === undefined ? { dimension, all: true } : { dimension, values };
  });

const limits = { operations: 10_000, rows: 1_000_000, expirySeconds: 86_400, depth: 3 };

/** A role of this test's own, so that changing it affects no other test. */
export async function makeRole(
  { company }: Office,
  holder: 'AGENT' | 'PERSON',
  scopes: readonly string[],
): Promise<string> {
  const person = holder === 'PERSON' ? ['self'] : [];
  const input = {
    name: key().replace('key', 'role'),
    description: 'A role of a test.',
    businessTask: 'Testing.',
    holder,
    scopes,
    boundary: boundaryInput({ person }),
    ...(holder === 'AGENT' && { limits }),
  };
  const answer = await company.ask(
    company.root,
    'mutation ($input: CreateRoleInput!, $key: String!) { createRole(input: $input, idempotencyKey: $key) { role { id } } }',
    { input, key: key() },
  );
  if (answer.errors.length > 0) throw new Error(JSON.stringify(answer.errors));
  return at(answer, 'createRole.role.id') as string;
}

let cases = 0;

export async function makeCase(office: Office, more: object = {}): Promise<Case> {
  const name = `case${String((cases += 1))}`;
  const { root } = office.company;
  const personRoleId = await makeRole(office, 'PERSON', personScopes);
  const roleId = await makeRole(office, 'AGENT', taskScopes);
  const person = await office.company.employee(`person-${name}`);
  await office.done(root, 'assignRole', `userId: "${person.id}" roleId: "${personRoleId}"`);
  const [agent, next] = [
    await office.agent(`agent-${name}`, person),
    await office.agent(`next-${name}`, person),
  ];
  for (const { id } of [agent, next]) {
    await office.done(root, 'assignAgentRole', `agentId: "${id}" roleId: "${roleId}"`);
  }
  const delegationId = await office.delegate(person, { agent: agent.name, scopes: taskScopes, ...more });
  const token = await office.tokenOf(agent, delegationId);
  const nextToken = given(await office.exchange(next, token));
  const { read } = office.server.database;
  const nextDelegationId = (await read.one(delegations, eq('parentId', delegationId)))?.id ?? '';
  return {
    person,
    personRoleId,
    agent,
    next,
    roleId,
    delegationId,
    token,
    nextDelegationId,
    nextToken,
  };
}

/** Changes a role by the administrator's mutation. */
export async function changeRole(office: Office, id: string, input: object): Promise<void> {
  const { company } = office;
  const row = await company.ask(company.root, `{ role(id: "${id}") { version } }`);
  const answer = await company.ask(
    company.root,
    `mutation ($id: ID!, $input: UpdateRoleInput!, $version: Int!, $key: String!) {
      updateRole(id: $id, input: $input, expectedVersion: $version, idempotencyKey: $key) { role { id } } }`,
    { id, input, version: at(row, 'role.version'), key: key() },
  );
  if (answer.errors.length > 0) throw new Error(JSON.stringify(answer.errors));
}
