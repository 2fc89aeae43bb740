import type { Clock } from '../../../src/core/clock.js';
import { BehalfError, notFound } from '../../../src/core/errors.js';
import { makeIds } from '../../../src/core/ids.js';
import type { IssuedToken, LiveToken } from '../../../src/delegation/token-grant.js';
import type {
  ConsentChoice,
  ConsentInput,
  ConsentOffer,
  DelegationChain,
  Delegations,
  FoundValues,
  HandedOver,
  TokenGrant,
} from '../../../src/oauth/contract/dependencies.js';
import type { Connection } from '../../../src/store/sql/connection.js';
import type { Database } from '../../../src/store/sql/database.js';
import { eq } from '../../../src/store/sql/condition.js';
import { agents, authorityEpoch, users } from '../../../src/store/tables/identity.js';

interface Delegation {
  readonly id: string;
  readonly userId: string;
  readonly agentId: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
  readonly parentId?: string;
  readonly task?: string;
  isActive: boolean;
}

/** Delegations as the authorization server sees them, kept in memory. */
export class MemoryDelegations implements Delegations {
  readonly all = new Map<string, Delegation>();
  readonly consents: (ConsentInput & { readonly choice?: ConsentChoice })[] = [];
  roleScopes = ['tickets:read', 'customers:read'];
  private readonly ids;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {
    this.ids = makeIds(clock);
  }

  make(fields: Pick<Delegation, 'userId' | 'agentId' | 'scopes'> & Partial<Delegation>): Delegation {
    const made = { id: this.ids.next(), expiresAt: this.clock.now() + 3_600_000, isActive: true, ...fields };
    this.all.set(made.id, made);
    return made;
  }

  end(id: string): void {
    const found = this.all.get(id);
    if (found !== undefined) found.isActive = false;
  }

  exchangeForeignToken(): Promise<never> {
    return Promise.reject(notFound('The issuer'));
  }

  activeOf(agentId: string): Promise<readonly { readonly id: string; readonly task: string }[]> {
    const active = [...this.all.values()].filter((one) => one.isActive && one.agentId === agentId);
    return Promise.resolve(active.map(({ id, task = 'ticket:T-1' }) => ({ id, task })));
  }

  async forClientCredentials(input: {
    agentId: string;
    delegationId: string;
    scopes?: readonly string[];
  }): Promise<TokenGrant> {
    const found = this.all.get(input.delegationId);
    if (found?.isActive !== true || found.agentId !== input.agentId) throw notFound('The delegation');
    return this.grant(found, input.scopes ?? found.scopes);
  }

  async exchangePersonToken(input: {
    userId: string;
    personTokenScopes: readonly string[];
    agentId: string;
    scopes?: readonly string[];
    task?: string;
  }): Promise<TokenGrant> {
    const agent = await this.database.read.byId(agents, input.agentId);
    const consent = this.consents.find(
      (given) => given.userId === input.userId && given.agentName === agent?.name,
    );
    if (consent === undefined)
      throw new BehalfError('FORBIDDEN', 'The person has not consented to this agent.');
    const scopes = this.roleScopes.filter((scope) => input.personTokenScopes.includes(scope));
    return this.grant(
      this.make({
        userId: input.userId,
        agentId: input.agentId,
        scopes,
        ...(input.task === undefined ? {} : { task: input.task }),
      }),
      input.scopes ?? scopes,
    );
  }

  async exchangeAgentToken(input: {
    delegationId: string;
    parentTokenScopes: readonly string[];
    fromAgentId: string;
    agentId: string;
    scopes?: readonly string[];
  }): Promise<TokenGrant> {
    const parent = this.all.get(input.delegationId);
    if (parent?.isActive !== true || parent.agentId !== input.fromAgentId) throw notFound('The delegation');
    const to = await this.database.read.byId(agents, input.agentId);
    if (to === undefined) throw notFound('The agent');
    const { userId, expiresAt } = parent;
    // Wider than the parent's token on purpose: the authorization server must narrow by itself.
    const child = this.make({
      userId,
      agentId: to.id,
      scopes: this.roleScopes,
      expiresAt,
      parentId: parent.id,
    });
    return this.grant(child, input.scopes ?? this.roleScopes);
  }

  async consentOffer(input: ConsentInput): Promise<ConsentOffer> {
    const agent = await this.database.read.one(agents, eq('name', input.agentName));
    if (agent === undefined) throw notFound('The agent');
    const user = await this.database.read.byId(users, input.userId);
    const { name, displayName, businessTask, createdAt } = agent;
    return {
      person: { name: user?.name ?? '', displayName: user?.displayName ?? '' },
      agent: { name, displayName, businessTask, ownerName: 'Ada <owner>', createdAt },
      role: input.role ?? 'support-agent',
      scopes: this.roleScopes.map((scope) => ({
        name: scope,
        description: `Use ${scope}`,
        changes: !scope.endsWith(':read'),
      })),
      lacking: [],
      boundary: [
        { dimension: 'region', sentence: 'Only the region europe', narrowing: { kind: 'none' }, shown: [] },
      ],
      seconds: { max: 7_776_000, usual: 2_592_000 },
      limits: { seconds: 3_600, operations: 500, rows: 5_000, depth: 2 },
    };
  }

  findValues(): Promise<FoundValues> {
    return Promise.resolve({ chosen: [], found: [], more: false, shown: [] });
  }

  consent(_tx: Connection, input: ConsentInput & { readonly choice: ConsentChoice }): Promise<void> {
    this.consents.push(input);
    return Promise.resolve();
  }

  handOver(): Promise<HandedOver> {
    return Promise.reject(new Error('The harness hands nothing over.'));
  }

  takeBack(): Promise<void> {
    return Promise.reject(new Error('The harness hands nothing over.'));
  }

  async liveToken({ userId, delegationId, scopes }: IssuedToken): Promise<LiveToken | undefined> {
    if ((await this.database.read.byId(users, userId))?.status !== 'active') return undefined;
    if (delegationId === undefined) return { agents: [], scopes };
    const found = this.all.get(delegationId);
    if (found?.isActive !== true) return undefined;
    return { agents: (await this.chain(found)).agents, scopes };
  }

  async epochBump(tx: Connection): Promise<void> {
    const row = await tx.one(authorityEpoch, eq('id', 1), { lock: 'update' });
    await tx.update(authorityEpoch, eq('id', 1), { version: (row?.version ?? 0) + 1 });
  }

  async epoch(): Promise<number> {
    return (await this.database.read.one(authorityEpoch, eq('id', 1)))?.version ?? 0;
  }

  private async grant(found: Delegation, scopes: readonly string[]): Promise<TokenGrant> {
    const { id, userId, agentId, expiresAt } = found;
    const chain = await this.chain(found);
    const createdAt = this.clock.now();
    return {
      delegationId: id,
      userId,
      agentId,
      scopes,
      createdAt,
      expiresAt,
      resources: null,
      generation: 0,
      chain,
    };
  }

  private async chain(found: Delegation): Promise<DelegationChain> {
    const agent = await this.database.read.byId(agents, found.agentId);
    const parent = found.parentId === undefined ? undefined : this.all.get(found.parentId);
    const above = parent === undefined ? [] : (await this.chain(parent)).agents;
    const user = await this.database.read.byId(users, found.userId);
    return {
      userId: found.userId,
      userName: user?.name ?? '',
      agents: [...above, { id: found.agentId, name: agent?.name ?? '', delegationId: found.id }],
    };
  }
}
