import { oneLine } from '../core/text.js';
import type { Operation, Resolvers } from '../delegation/operation.js';
import { any, eq } from '../store/condition.js';
import { filterBy } from '../store/filter.js';
import { agentRoles, agents, roles, users, type AgentRow } from '../store/tables/identity.js';
import {
  createAgent,
  rotateSecret,
  setAgentStatus,
  setKeys,
  updateAgent,
  type AgentChanges,
  type NewAgent,
} from './agents.js';
import { requireGrantable, rolesNamed } from './grantable.js';
import { byName, fromStored, idIs, toStored, type PageArgs } from './listing.js';
import { changing, requireVersion, workOf, type Work } from './work.js';

interface AgentFilter {
  readonly name?: string | null;
  readonly status?: string | null;
  readonly ownerId?: string | null;
}
interface AgentsArgs extends PageArgs {
  readonly filter?: AgentFilter | null;
}
interface OneArgs {
  readonly id: string;
  readonly idempotencyKey: string;
}
interface CreateArgs {
  readonly input: NewAgent;
  readonly idempotencyKey: string;
}
interface UpdateArgs extends OneArgs {
  readonly input: AgentChanges;
  readonly expectedVersion: number;
}
interface RotateArgs extends OneArgs {
  readonly overlapSeconds: number;
}
interface KeysArgs extends OneArgs {
  readonly publicKeys: string;
}

const answer = { agent: agents };
const scope = 'agents:manage';

async function listAgents(operation: Operation, { filter, first, after }: AgentsArgs) {
  const owner = filter?.ownerId ?? null;
  // An agent's row has no place in the dimension of persons, so whether its owner can be read is asked here.
  const isReadable = owner !== null && (await operation.rows.exists(users, idIs('id', owner), 'users:read'));
  const chosen = filterBy<AgentRow, AgentFilter>(operation.scopeOf, 'AgentFilter', filter, {
    name: (name) => eq('name', oneLine(name, 100, 'filter.name')),
    status: (status) => eq('status', toStored(status)),
    ownerId: (id) => (isReadable ? idIs('ownerId', id) : any<AgentRow>()),
  });
  return operation.rows.list(agents, { ...chosen, order: byName, first, after });
}

async function create(_: unknown, { input, idempotencyKey }: CreateArgs, operation: Operation) {
  // Told beside the answer, which is stored for its key.
  let secret: string | null = null;
  const payload = await operation.once(idempotencyKey, { createAgent: input }, answer, async () => {
    await operation.rows.inside(users, input.ownerId, 'users:read');
    const created = await createAgent(workOf(operation), input);
    secret = created.secret;
    return { agent: await operation.rows.inside(agents, created.agent.id, scope) };
  });
  return { ...payload, secret };
}

const update = (_: unknown, args: UpdateArgs, operation: Operation) => {
  const { id, input, expectedVersion, idempotencyKey } = args;
  return operation.once(idempotencyKey, { updateAgent: id, input, expectedVersion }, answer, async () => {
    if (typeof input.ownerId === 'string') await operation.rows.inside(users, input.ownerId, 'users:read');
    const agent = await changing(operation, agents, id, scope, (before, work) => {
      requireVersion('Agent', before, expectedVersion);
      return updateAgent(work, before, input);
    });
    return { agent };
  });
};

async function rotate(_: unknown, args: RotateArgs, operation: Operation) {
  const { id, overlapSeconds, idempotencyKey } = args;
  let secret: string | null = null;
  const input = { rotateAgentSecret: id, overlapSeconds };
  const payload = await operation.once(idempotencyKey, input, answer, async () => ({
    agent: await changing(operation, agents, id, scope, async (before, work) => {
      await requireGrantableAgent(work, operation, before);
      secret = await rotateSecret(work, before, overlapSeconds);
    }),
  }));
  return { ...payload, secret };
}

const keys = (_: unknown, { id, publicKeys, idempotencyKey }: KeysArgs, operation: Operation) =>
  operation.once(idempotencyKey, { setAgentKeys: id, publicKeys }, answer, async () => ({
    agent: await changing(operation, agents, id, scope, async (before, work) => {
      await requireGrantableAgent(work, operation, before);
      await setKeys(work, before, publicKeys);
    }),
  }));

/** Whoever sets an agent's credentials could act as it: so of no agent for which that would be a gain. */
async function requireGrantableAgent({ tx }: Work, operation: Operation, agent: AgentRow): Promise<void> {
  const held = await tx.select(agentRoles, eq('agentId', agent.id));
  const ids = held.map(({ roleId }) => roleId);
  await requireGrantable(tx, operation.authority.chain.person.id, await rolesNamed(tx, ids));
}

const setStatus =
  (status: 'active' | 'stopped') =>
  (_: unknown, { id, idempotencyKey }: OneArgs, operation: Operation) =>
    operation.once(idempotencyKey, { setAgentStatus: id, status }, answer, async () => ({
      agent: await changing(operation, agents, id, scope, (before, work) =>
        setAgentStatus(work, before, status),
      ),
    }));

export const agentResolvers: Resolvers = {
  Query: {
    agent: (_: unknown, { id }: { id: string }, operation: Operation) => operation.rows.get(agents, id),
    agents: (_: unknown, args: AgentsArgs, operation: Operation) => listAgents(operation, args),
  },
  Mutation: {
    createAgent: create,
    updateAgent: update,
    rotateAgentSecret: rotate,
    setAgentKeys: keys,
    stopAgent: setStatus('stopped'),
    startAgent: setStatus('active'),
  },
  Agent: {
    owner: (row: AgentRow, _: unknown, operation: Operation) => operation.rows.get(users, row.ownerId),
    status: (row: AgentRow) => fromStored(row.status),
    authMethod: (row: AgentRow) => fromStored(row.authMethod),
    publicKeys: (row: AgentRow) => (row.jwks === null ? null : JSON.stringify(row.jwks)),
    roles: (row: AgentRow, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.linked(roles, { pairs: agentRoles, mine: 'roleId', theirs: 'agentId' }, row.id, {
        order: byName,
        first,
        after,
      }),
  },
};
