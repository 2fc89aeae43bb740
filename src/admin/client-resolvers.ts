import { refusalError } from '../authority/explain.js';
import type { Scope } from '../authority/scope.js';
import { oneLine } from '../core/checked-text.js';
import { badInput } from '../core/errors.js';
import type { Operation, Resolvers } from '../delegation/resolver-context.js';
import type { Catalog } from '../delegation/schema-catalog.js';
import { filterBy } from '../store/bounded/filter.js';
import { eq } from '../store/sql/condition.js';
import {
  clientRules,
  clients,
  type ClientDescription,
  type ClientRow,
  type ClientRuleRow,
} from '../store/tables/clients.js';
import { agents, roles, users, type RoleRow, type StoredCertificateName } from '../store/tables/identity.js';
import { updateClient, type ClientChanges } from './client-changes.js';
import {
  acceptDocument,
  admitClient,
  createClient,
  startClient,
  stopClient,
  type ClientTerms,
} from './clients.js';
import type { CertificateNameInput } from './certificates.js';
import type { Surroundings } from './client-ceilings.js';
import { addClientRule, removeClientRule } from './client-rules.js';
import { fromStored, newestFirst, toStored, type PageArgs } from './list-queries.js';
import { changing, requireVersion, unitOfWork, type UnitOfWork } from './unit-of-work.js';

interface KeyArgs {
  readonly idempotencyKey: string;
}
interface OneArgs extends KeyArgs {
  readonly id: string;
}
interface AgentInput {
  readonly name: string;
  readonly displayName?: string | null;
  readonly businessTask: string;
  readonly ownerId: string;
  readonly roleIds?: readonly string[] | null;
}
interface TermsInput {
  readonly agent?: AgentInput | null;
  readonly ownTool?: boolean | null;
  readonly scopes?: readonly string[] | null;
  readonly resources?: readonly string[] | null;
}
interface CreateArgs extends KeyArgs {
  readonly input: TermsInput & {
    readonly clientId: string;
    readonly name: string;
    readonly redirectUris: readonly string[];
    readonly publicKeys?: string | null;
    readonly certificates?: string | null;
    readonly certificateName?: CertificateNameInput | null;
    readonly tokenBinding?: string | null;
    readonly notificationEndpoint?: string | null;
  };
}
interface UpdateArgs extends OneArgs {
  readonly input: ClientChanges;
  readonly expectedVersion: number;
}
interface VersionArgs extends OneArgs {
  readonly expectedVersion: number;
}
interface AdmitArgs extends VersionArgs {
  readonly input: TermsInput;
}
interface RuleArgs extends KeyArgs {
  readonly input: {
    readonly host: string;
    readonly roleId: string;
    readonly scopes: readonly string[];
    readonly ownerId: string;
  };
}
interface ClientFilter {
  readonly clientId?: string | null;
  readonly status?: string | null;
}
interface ClientsArgs extends PageArgs {
  readonly filter?: ClientFilter | null;
}

const answer = { client: clients };
const scope = 'clients:manage';
const rolesMax = 10;

const keysOf = ({ jwks }: Pick<ClientRow, 'jwks'>): string | null =>
  jwks === null ? null : JSON.stringify(jwks);

const personOf = ({ authority }: Operation): string => authority.chain.person.id;

/** An agent that is made with a client needs the rights that making it alone needs. */
function requireScopes({ authority }: Operation, scopes: readonly Scope[]): void {
  for (const needed of scopes) {
    const decision = authority.decide(needed);
    if (!decision.allow) throw refusalError(authority, decision);
  }
}

/** Reads the agent's owner and roles within the administrator's reach. */
async function termsOf(
  operation: Operation,
  { agent, ownTool, scopes, resources }: TermsInput,
): Promise<ClientTerms> {
  const isAgent = agent !== null && agent !== undefined;
  if (isAgent === (ownTool === true))
    throw badInput('Say either the agent as which it acts, or that it is a person’s own tool.', 'agent');
  const ceilings = { scopes, resources };
  if (!isAgent) return ceilings;
  const { roleIds, ...known } = agent;
  requireScopes(
    operation,
    (roleIds ?? []).length > 0 ? ['agents:manage', 'roles:assign'] : ['agents:manage'],
  );
  await operation.rows.inside(users, known.ownerId, 'users:read');
  if ((roleIds?.length ?? 0) > rolesMax) throw badInput(`Give at most ${String(rolesMax)} roles.`, 'roleIds');
  const wanted: RoleRow[] = [];
  for (const id of new Set(roleIds ?? [])) wanted.push(await operation.rows.inside(roles, id, 'roles:read'));
  return { ...ceilings, agent: { ...known, roles: wanted } };
}

type Around = (operation: Operation) => Surroundings;

const create =
  (around: Around) =>
  (_: unknown, { input, idempotencyKey }: CreateArgs, operation: Operation) =>
    operation.once(idempotencyKey, { createClient: input }, answer, async () => {
      const terms = await termsOf(operation, input);
      const { clientId, name, redirectUris, publicKeys, certificates, certificateName, tokenBinding } = input;
      const proofs = { publicKeys, certificates, certificateName, tokenBinding };
      const { notificationEndpoint } = input;
      const given = { ...terms, ...proofs, clientId, name, redirectUris, notificationEndpoint };
      const by = personOf(operation);
      const { id } = await createClient(unitOfWork(operation), by, given, around(operation));
      operation.rows.forget();
      return { client: await operation.rows.inside(clients, id, scope) };
    });

const update = (around: Around) => (_: unknown, args: UpdateArgs, operation: Operation) => {
  const { id, input, expectedVersion, idempotencyKey } = args;
  return operation.once(idempotencyKey, { updateClient: id, input, expectedVersion }, answer, async () => ({
    client: await changing(operation, clients, id, scope, (before, unit) => {
      requireVersion('Client', before, expectedVersion);
      return updateClient(unit, personOf(operation), before, input, around(operation));
    }),
  }));
};

const admit = (around: Around) => (_: unknown, args: AdmitArgs, operation: Operation) => {
  const { id, input, expectedVersion, idempotencyKey } = args;
  return operation.once(idempotencyKey, { admitClient: id, input, expectedVersion }, answer, async () => {
    const terms = await termsOf(operation, input);
    const client = await changing(operation, clients, id, scope, (before, unit) => {
      requireVersion('Client', before, expectedVersion);
      return admitClient(unit, personOf(operation), before, terms, around(operation));
    });
    return { client };
  });
};

const accept = (_: unknown, args: VersionArgs, operation: Operation) => {
  const { id, expectedVersion, idempotencyKey } = args;
  const input = { acceptClientDocument: id, expectedVersion };
  return operation.once(idempotencyKey, input, answer, async () => ({
    client: await changing(operation, clients, id, scope, (before, unit) => {
      requireVersion('Client', before, expectedVersion);
      return acceptDocument(unit, personOf(operation), before);
    }),
  }));
};

const addRule = (_: unknown, { input, idempotencyKey }: RuleArgs, operation: Operation) =>
  operation.once(idempotencyKey, { addClientRule: input }, { clientRule: clientRules }, async () => {
    const { host, scopes, roleId, ownerId } = input;
    requireScopes(operation, ['agents:manage', 'roles:assign']);
    const role = await operation.rows.inside(roles, roleId, 'roles:read');
    const owner = await operation.rows.inside(users, ownerId, 'users:read');
    const rule = { host, scopes, role, owner };
    const { id } = await addClientRule(unitOfWork(operation), personOf(operation), rule);
    operation.rows.forget();
    return { clientRule: await operation.rows.inside(clientRules, id, scope) };
  });

const removeRule = (_: unknown, { id, idempotencyKey }: OneArgs, operation: Operation) =>
  operation.once(idempotencyKey, { removeClientRule: id }, {}, async () => {
    await removeClientRule(unitOfWork(operation), await operation.rows.inside(clientRules, id, scope, true));
    operation.rows.forget();
    return { id };
  });

const setStatus =
  (name: string, set: (unit: UnitOfWork, by: string, before: ClientRow) => Promise<void>) =>
  (_: unknown, { id, idempotencyKey }: OneArgs, operation: Operation) =>
    operation.once(idempotencyKey, { [name]: id }, answer, async () => ({
      client: await changing(operation, clients, id, scope, (before, unit) =>
        set(unit, personOf(operation), before),
      ),
    }));

function list(operation: Operation, { filter, first, after }: ClientsArgs) {
  const chosen = filterBy<ClientRow, ClientFilter>(operation.scopeOf, 'ClientFilter', filter, {
    clientId: (clientId) => eq('clientId', oneLine(clientId, 255, 'filter.clientId')),
    status: (status) => eq('status', toStored(status)),
  });
  return operation.rows.list(clients, { ...chosen, order: newestFirst, first, after });
}

export function clientResolvers({ definitions }: Pick<Catalog, 'definitions'>): Resolvers {
  const knownScopes = new Set(definitions.keys());
  const around: Around = ({ publicUrl }) => ({ publicUrl, knownScopes });
  return {
    Query: {
      client: (_: unknown, { id }: { id: string }, operation: Operation) => operation.rows.get(clients, id),
      clientRules: (_: unknown, { first, after }: PageArgs, operation: Operation) =>
        operation.rows.list(clientRules, { order: newestFirst, first, after }),
      clients: (_: unknown, args: ClientsArgs, operation: Operation) => list(operation, args),
    },
    Mutation: {
      createClient: create(around),
      updateClient: update(around),
      admitClient: admit(around),
      acceptClientDocument: accept,
      addClientRule: addRule,
      removeClientRule: removeRule,
      stopClient: setStatus('stopClient', (unit, _by, before) => stopClient(unit, before)),
      startClient: setStatus('startClient', startClient),
    },
    ClientRule: {
      role: (row: ClientRuleRow, _: unknown, operation: Operation) => operation.rows.get(roles, row.roleId),
      owner: (row: ClientRuleRow, _: unknown, operation: Operation) => operation.rows.get(users, row.ownerId),
    },
    ClientDescription: {
      authMethod: (described: ClientDescription) => fromStored(described.authMethod),
      tokenBinding: (described: ClientDescription) => fromStored(described.tokenBinding),
      publicKeys: keysOf,
    },
    ClientCertificateName: {
      kind: ({ kind }: StoredCertificateName) => fromStored(kind),
    },
    Client: {
      registration: (row: ClientRow) => fromStored(row.registration),
      status: (row: ClientRow) => fromStored(row.status),
      authMethod: (row: ClientRow) => fromStored(row.authMethod),
      tokenBinding: (row: ClientRow) => fromStored(row.tokenBinding),
      ownTool: (row: ClientRow) => row.isOwnTool,
      publicKeys: keysOf,
      agent: (row: ClientRow, _: unknown, operation: Operation) =>
        row.agentId === null ? null : operation.rows.get(agents, row.agentId),
    },
  };
}
