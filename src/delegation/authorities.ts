import { Allowances } from '../authority/allowance.js';
import { Authority, type AuthorityInput } from '../authority/authority.js';
import { parseBoundary } from '../authority/boundary.js';
import type { ActingAgent, AuthorityLayer, SignIn } from '../authority/chain.js';
import { leastCost } from '../authority/cost.js';
import { rulesOf } from '../authority/documents.js';
import { metBy, parseSignInPolicy, type SignInPolicy } from '../authority/sign-in-policy.js';
import { holdingOf } from '../authority/holding.js';
import { rightsOf } from '../authority/rights.js';
import type { Scope } from '../authority/scope.js';
import type { Clock } from '../core/clock.js';
import { unauthenticated } from '../core/errors.js';
import { Lru } from '../core/lru.js';
import type { MeasuredCache } from '../core/metrics.js';
import type { Connection } from '../store/sql/connection.js';
import {
  agents,
  delegations,
  type AgentRow,
  type DelegationRow,
  type RoleRow,
} from '../store/tables/identity.js';
import { spentLimit } from './budgets.js';
import { readEpoch, type Epoch, type AuthorityEpoch } from './authority-epoch.js';
import { RoleLoader } from './role-loader.js';

/** The contents of an access token. Everything else is read live. */
interface TokenFact {
  readonly tokenId: string;
  /** Undefined where there is no token. */
  readonly grantId?: string | undefined;
  readonly userId: string;
  /** The OAuth `client_id`. Undefined where there is no token. */
  readonly clientId?: string | undefined;
  /** Undefined where an agent acts, and where there is no token. */
  readonly signIn?: SignIn | undefined;
  /** Undefined: the person acts in person. */
  readonly delegationId?: string | undefined;
  /** The generation of the chain's tokens when this one was issued. Undefined where there is no token. */
  readonly generation?: number | undefined;
  readonly scopes: readonly string[];
  /** Milliseconds. */
  readonly expiresAt: number;
}

const cacheMax = 20_000;

/** A token that was found, with its authority. */
export interface Found<Fact extends TokenFact> {
  readonly fact: Fact;
  readonly authority: Authority;
}

/**
 * Computes authorities from the current rows, and caches them exactly as long as the version of all rights
 * stays the same.
 */
export class Authorities<Fact extends TokenFact = TokenFact> {
  private cache = new Lru<string, Found<Fact>>(cacheMax);
  private sharedLoader = new RoleLoader();
  private cacheVersion = -1;
  private readonly allowances = new Allowances();
  private hits = 0;
  private misses = 0;

  constructor(
    private readonly connection: Connection,
    private readonly epoch: AuthorityEpoch,
    private readonly clock: Clock,
    private readonly peopleOnly: ReadonlySet<Scope>,
  ) {}

  get caches(): Readonly<Record<string, MeasuredCache>> {
    const { cache, hits, misses, sharedLoader, allowances } = this;
    const { size, weight, max } = cache;
    return { authorities: { size, weight, max, hits, misses }, ...sharedLoader.caches, ...allowances.caches };
  }

  /**
   * The authority of a token now. Throws `UNAUTHENTICATED` where the token, or anything that it depends on,
   * has ended. The version is read before the token, so the commit gate notices a token that ends in between.
   * Every end of a token moves the version, so a cached authority is valid until the version moves or the
   * authority expires.
   * @param key identifies the token uniquely
   */
  async resolve(key: string, find: () => Promise<Fact>): Promise<Found<Fact>> {
    const epoch = await this.epoch.read();
    if (epoch.version !== this.cacheVersion) {
      this.cache = new Lru(cacheMax);
      this.sharedLoader = new RoleLoader();
      this.cacheVersion = epoch.version;
    }
    const known = this.cache.get(key);
    if (known !== undefined && known.authority.expiresAt > this.clock.now()) {
      this.hits += 1;
      return known;
    }
    this.misses += 1;
    const fact = await find();
    const roleLoader = new RoleLoader(epoch.version === this.cacheVersion ? this.sharedLoader : undefined);
    const found = { fact, authority: await this.compute(this.connection, fact, epoch, roleLoader) };
    // A change may have been committed between the two reads. The authority carries the earlier version, so
    // the commit gate checks it again. It is cached only if the version has not moved.
    const after = await this.epoch.read();
    if (after.version === epoch.version && this.cacheVersion === epoch.version) {
      this.cache.set(key, found);
      roleLoader.shareWith(this.sharedLoader);
    }
    return found;
  }

  /**
   * The last result of `resolve`, if it has not expired. It may have been revoked since: an operation that
   * uses it must have the version checked again before it releases or changes anything.
   */
  last(key: string): Found<Fact> | undefined {
    const known = this.cache.get(key);
    if (known === undefined || known.authority.expiresAt <= this.clock.now()) return undefined;
    this.hits += 1;
    return known;
  }

  /** The authority as the transaction sees it, its own changes included. */
  async resolveInside(tx: Connection, fact: TokenFact): Promise<Authority> {
    return this.compute(tx, fact, await readEpoch(tx), new RoleLoader());
  }

  /**
   * The authority of a person's token with all of these scopes: the upper bound of what the person may
   * delegate.
   * @param acr what the person's sign-in met
   */
  async ofPerson(tx: Connection, userId: string, scopes: readonly Scope[], acr?: string): Promise<Authority> {
    const signIn = { at: undefined, acr };
    return this.resolveInside(tx, {
      tokenId: '',
      userId,
      signIn,
      scopes,
      expiresAt: Number.MAX_SAFE_INTEGER,
    });
  }

  private async compute(
    connection: Connection,
    fact: TokenFact,
    epoch: Epoch,
    roleLoader: RoleLoader,
  ): Promise<Authority> {
    const now = this.clock.now();
    if (fact.expiresAt <= now) throw unauthenticated('The access token has expired. Get a new one.');
    const { user, held, rights } = await roleLoader.person(connection, fact.userId);
    const personRules = rulesOf('person', held);
    const chain = { person: { id: user.id, name: user.name, displayName: user.displayName } };
    const { tokenId, grantId } = fact;
    const token = { tokenId, grantId, version: epoch.version, tokenScopes: new Set(fact.scopes) };
    if (fact.delegationId === undefined) {
      const { clientId } = fact;
      const client = clientId === undefined ? null : await roleLoader.ceilingOfTool(connection, clientId);
      const { layer: person, costMax } = rights[metBy(fact.signIn?.acr)];
      const inPerson: AuthorityInput = {
        ...token,
        chain: { ...chain, agents: [] },
        task: undefined,
        signIn: fact.signIn,
        expiresAt: fact.expiresAt,
        layers: [person],
        ceiling: within(client, [
          ...person.rights.keys(),
          ...person.needsApproval,
          ...(person.needsPasskey ?? []),
        ]),
        documentRules: personRules,
        costMax,
      };
      return new Authority(inPerson, this.allowances);
    }
    if (epoch.stopped) throw unauthenticated('All agents have been stopped by an administrator.');
    const links = await this.links(connection, fact.delegationId, now, roleLoader);
    const acting = links.at(-1);
    const root = links[0];
    if (acting === undefined || root?.delegation.userId !== user.id) {
      throw unauthenticated('The delegation of this token has ended.');
    }
    const generation = links.reduce((sum, { agent }) => sum + agent.tokenGeneration, epoch.tokenGeneration);
    if (fact.generation !== undefined && fact.generation !== generation) {
      throw unauthenticated('An agent of this token was stopped, or got new credentials. Get a new one.');
    }
    const { layer: person, costMax: personCost } = rights[metUnder(root.delegation, fact.signIn)];
    const onBehalf: AuthorityInput = {
      ...token,
      chain: { ...chain, agents: links.map(actingAgent) },
      task: {
        delegationId: acting.delegation.id,
        delegationIds: links.map((link) => link.delegation.id).reverse(),
        task: acting.delegation.task,
        purpose: acting.delegation.purpose,
        expiresAt: acting.delegation.expiresAt,
        spent: links.map((link) => spentLimit(link.delegation)).find((limit) => limit !== undefined),
        generation,
      },
      expiresAt: Math.min(fact.expiresAt, ...links.map((link) => Date.parse(link.delegation.expiresAt))),
      layers: [person, ...links.flatMap((link) => this.linkLayers(link, link === acting))],
      ceiling: within(
        acting.client,
        acting.roles.flatMap((role) => this.agentScopes(role.scopes)),
      ),
      documentRules: [...personRules, ...rulesOf('agent', links.flatMap(usedRole))],
      costMax: leastCost([personCost, ...links.flatMap(usedRole).map((role) => role.limits.operationCost)]),
    };
    return new Authority(onBehalf, this.allowances);
  }

  /**
   * Each delegation of the chain with its agent, beginning with the person's own. Throws `UNAUTHENTICATED`
   * where one has ended.
   */
  private async links(
    connection: Connection,
    delegationId: string,
    now: number,
    roleLoader: RoleLoader,
  ): Promise<Link[]> {
    const links: Link[] = [];
    for (let id: string | null = delegationId; id !== null;) {
      const delegation: DelegationRow | undefined = await connection.byId(delegations, id);
      if (delegation?.status !== 'active' || Date.parse(delegation.expiresAt) <= now) {
        throw unauthenticated('The delegation of this token has ended.');
      }
      const agent = await connection.byId(agents, delegation.agentId);
      if (agent?.status !== 'active') throw unauthenticated('The agent of this token has been stopped.');
      const roles = await roleLoader.rolesOfAgent(connection, agent.id);
      const client = await roleLoader.ceilingOfAgent(connection, agent.id);
      links.unshift({ delegation, agent, roles, client });
      id = delegation.parentId;
    }
    return links;
  }

  /**
   * The layers of one agent of the chain. Rights that a client's agent handed on stay within the client's ceiling. For the
   * acting agent, scopes beyond the ceiling are hidden instead.
   */
  private linkLayers(link: Link, isActing: boolean): AuthorityLayer[] {
    const client = isActing ? null : link.client;
    const roles = usedRole(link).map((role) => ({
      ...role,
      scopes: [...within(client, this.agentScopes(role.scopes))],
    }));
    return [
      { layer: 'agent', id: link.agent.id, ...holdingOf(roles) },
      {
        layer: 'delegation',
        id: link.delegation.id,
        rights: rightsOf(this.agentScopes(link.delegation.scopes), parseBoundary(link.delegation.boundary)),
        needsApproval: new Set(),
      },
    ];
  }

  private agentScopes(scopes: readonly Scope[]): Scope[] {
    return scopes.filter((scope) => !this.peopleOnly.has(scope));
  }
}

/** Without the scopes that no token of the client can have: for its tokens they do not exist. */
const within = (client: ReadonlySet<Scope> | null, scopes: readonly Scope[]): ReadonlySet<Scope> =>
  new Set(client === null ? scopes : scopes.filter((scope) => client.has(scope)));

interface Link {
  readonly delegation: DelegationRow;
  readonly agent: AgentRow;
  /** All roles that the agent holds. */
  readonly roles: readonly RoleRow[];
  /** The ceiling of the client that acts as the agent. Null where there is none. */
  readonly client: ReadonlySet<Scope> | null;
}

/**
 * The policy that the delegation's sign-in met. Where its person looks through the delegation, their own sign-in counts as
 * well, and the weaker of the two decides.
 */
const metUnder = ({ signIn }: DelegationRow, inspector: SignIn | undefined): SignInPolicy =>
  inspector !== undefined && metBy(inspector.acr) === 'any' ? 'any' : parseSignInPolicy(signIn);

/** The role of the delegation; empty where the agent no longer holds it. */
const usedRole = ({ delegation, roles: held }: Link): RoleRow[] =>
  held.filter((role) => role.id === delegation.roleId);

const actingAgent = (link: Link): ActingAgent => ({
  id: link.agent.id,
  name: link.agent.name,
  displayName: link.agent.displayName,
  delegationId: link.delegation.id,
  role: usedRole(link)[0]?.name ?? '',
});
