import { oneLine } from '../core/checked-text.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import { any, eq } from '../store/sql/condition.js';
import { filterBy } from '../store/bounded/filter.js';
import {
  agentRoles,
  agents,
  delegations,
  roles,
  users,
  type AgentRow,
  type StoredCertificateName,
  type StoredWorkload,
} from '../store/tables/identity.js';
import type { CertificateNameInput } from './certificates.js';
import {
  byCertificate,
  byKeys,
  byWorkloads,
  createAgent,
  requireOverlap,
  rotateSecret,
  setCredentials,
  startAgent,
  stopAgent,
  updateAgent,
  type AgentChanges,
  type NewAgent,
} from './agents.js';
import type { NewWorkload } from './agent-workloads.js';
import { secretsInForce } from './agent-secrets.js';
import { lookBeyond, type Beyond } from './credentials.js';
import { byName, fromStored, idIs, toStored, type PageArgs } from './list-queries.js';
import { changing, requireVersion, unitOfWork, type UnitOfWork } from './unit-of-work.js';

interface AgentFilter {
  readonly name?: string | null;
  readonly status?: string | null;
  readonly ownerId?: string | null;
  readonly authMethod?: string | null;
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
interface CredentialsArgs extends OneArgs {
  /** True changes nothing: the answer shows what would end. */
  readonly dryRun: boolean;
}
interface RotateArgs extends CredentialsArgs {
  readonly overlapSeconds: number;
}
interface KeysArgs extends CredentialsArgs {
  readonly publicKeys: string;
}
interface CertificateArgs extends CredentialsArgs {
  readonly certificates?: string | null;
  readonly certificateName?: CertificateNameInput | null;
}
interface WorkloadsArgs extends CredentialsArgs {
  readonly workloads: readonly NewWorkload[];
}

const answer = { agent: agents };
const scope = 'agents:manage';

/** One read for all agents of a query; a mutation reads what it has just changed. */
async function secretSince(operation: Operation, id: string): Promise<string | null> {
  const { connection, clock, transaction } = operation;
  const inForce =
    transaction === undefined
      ? await operation.beforehand('secrets in force', () => secretsInForce(connection, clock))
      : await secretsInForce(transaction, clock, id);
  return inForce.get(id)?.since ?? null;
}

async function listAgents(operation: Operation, { filter, first, after }: AgentsArgs) {
  const owner = filter?.ownerId ?? null;
  // Rows of agents have no value in the dimension `person`, so the right to read the owner is checked here.
  const isReadable = owner !== null && (await operation.rows.exists(users, idIs('id', owner), 'users:read'));
  const chosen = filterBy<AgentRow, AgentFilter>(operation.scopeOf, 'AgentFilter', filter, {
    name: (name) => eq('name', oneLine(name, 100, 'filter.name')),
    status: (status) => eq('status', toStored(status)),
    authMethod: (method) => eq('authMethod', toStored(method)),
    ownerId: (id) => (isReadable ? idIs('ownerId', id) : any<AgentRow>()),
  });
  return operation.rows.list(agents, { ...chosen, order: byName, first, after });
}

async function create(_: unknown, { input, idempotencyKey }: CreateArgs, operation: Operation) {
  // Beside the stored answer, which would keep the secret for the idempotency key.
  let secret: string | null = null;
  const payload = await operation.once(idempotencyKey, { createAgent: input }, answer, async () => {
    await operation.rows.inside(users, input.ownerId, 'users:read');
    const created = await createAgent(unitOfWork(operation), input, operation);
    secret = created.secret;
    return { agent: await operation.rows.inside(agents, created.agent.id, scope) };
  });
  return { ...payload, secret, endedCount: 0, ended: [] };
}

const update = (_: unknown, args: UpdateArgs, operation: Operation) => {
  const { id, input, expectedVersion, idempotencyKey } = args;
  return operation.once(idempotencyKey, { updateAgent: id, input, expectedVersion }, answer, async () => {
    if (typeof input.ownerId === 'string') await operation.rows.inside(users, input.ownerId, 'users:read');
    const agent = await changing(operation, agents, id, scope, (before, unit) => {
      requireVersion('Agent', before, expectedVersion);
      return updateAgent(unit, operation.authority.chain.person.id, before, input);
    });
    return { agent };
  });
};

/** In the stored form: the first hundred, and the number of all. */
interface Effect {
  readonly endedCount: number;
  readonly ended: readonly Beyond[];
}

const endedMax = 100;

type SetCredentials = (before: AgentRow, unit: UnitOfWork, by: string) => Promise<readonly Beyond[]>;

/** The delegations that new credentials end; a dry run only finds them. */
async function withCredentials(
  operation: Operation,
  { id, dryRun }: CredentialsArgs,
  set: SetCredentials,
): Promise<Effect & { agent: AgentRow }> {
  const by = operation.authority.chain.person.id;
  let ended: readonly Beyond[] = [];
  const agent = await changing(operation, agents, id, scope, async (before, unit) => {
    ended = await (dryRun ? lookBeyond(unit, by, before) : set(before, unit, by));
  });
  return { agent, endedCount: ended.length, ended: ended.slice(0, endedMax) };
}

async function rotate(_: unknown, args: RotateArgs, operation: Operation) {
  const { id, overlapSeconds, dryRun, idempotencyKey } = args;
  let secret: string | null = null;
  const input = { rotateAgentSecret: id, overlapSeconds, dryRun };
  const payload = await operation.once(idempotencyKey, input, answer, () => {
    requireOverlap(overlapSeconds);
    return withCredentials(operation, args, async (before, unit, by) => {
      const made = await rotateSecret(unit, by, before, overlapSeconds, operation);
      secret = made.secret;
      return made.ended;
    });
  });
  return { ...payload, secret };
}

const keys = (_: unknown, args: KeysArgs, operation: Operation) => {
  const { id, publicKeys, dryRun, idempotencyKey } = args;
  return operation.once(idempotencyKey, { setAgentKeys: id, publicKeys, dryRun }, answer, () => {
    const credentials = byKeys(publicKeys);
    return withCredentials(operation, args, (before, unit, by) =>
      setCredentials(unit, by, before, credentials),
    );
  });
};

const setWorkloads = (_: unknown, args: WorkloadsArgs, operation: Operation) => {
  const { id, workloads, dryRun, idempotencyKey } = args;
  return operation.once(idempotencyKey, { setAgentWorkloads: id, workloads, dryRun }, answer, () => {
    const credentials = byWorkloads(workloads, operation.allowHttp);
    return withCredentials(operation, args, (before, unit, by) =>
      setCredentials(unit, by, before, credentials),
    );
  });
};

const setCertificate = (_: unknown, args: CertificateArgs, operation: Operation) => {
  const { id, certificates, certificateName, dryRun, idempotencyKey } = args;
  const input = { setAgentCertificate: id, certificates, certificateName, dryRun };
  return operation.once(idempotencyKey, input, answer, () => {
    const credentials = byCertificate(certificates, certificateName, operation.clock);
    return withCredentials(operation, args, (before, unit, by) =>
      setCredentials(unit, by, before, credentials),
    );
  });
};

const setStatus =
  (name: string, set: (unit: UnitOfWork, by: string, before: AgentRow) => Promise<void>) =>
  (_: unknown, { id, idempotencyKey }: OneArgs, operation: Operation) =>
    operation.once(idempotencyKey, { [name]: id }, answer, async () => ({
      agent: await changing(operation, agents, id, scope, (before, unit) =>
        set(unit, operation.authority.chain.person.id, before),
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
    setAgentWorkloads: setWorkloads,
    setAgentCertificate: setCertificate,
    stopAgent: setStatus('stopAgent', (unit, _by, before) => stopAgent(unit, before)),
    startAgent: setStatus('startAgent', startAgent),
  },
  Agent: {
    owner: (row: AgentRow, _: unknown, operation: Operation) => operation.rows.get(users, row.ownerId),
    status: (row: AgentRow) => fromStored(row.status),
    authMethod: (row: AgentRow) => fromStored(row.authMethod),
    tokenBinding: (row: AgentRow) => fromStored(row.tokenBinding),
    redirectUris: (row: AgentRow) => row.redirectUris ?? [],
    publicKeys: (row: AgentRow) => (row.jwks === null ? null : JSON.stringify(row.jwks)),
    secretSince: (row: AgentRow, _: unknown, operation: Operation) => secretSince(operation, row.id),
    roles: (row: AgentRow, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.linked(roles, { pairs: agentRoles, mine: 'roleId', theirs: 'agentId' }, row.id, {
        order: byName,
        first,
        after,
      }),
  },
  AgentCertificateName: {
    kind: ({ kind }: StoredCertificateName) => fromStored(kind),
  },
  AgentWorkload: {
    claims: ({ claims }: StoredWorkload) => Object.entries(claims).map(([name, value]) => ({ name, value })),
  },
  EndedDelegation: {
    delegation: ({ delegationId }: Beyond, _: unknown, operation: Operation) =>
      operation.rows.get(delegations, delegationId),
  },
};
