import type { AuthorityLayer } from '../authority/chain.js';
import { largestCost } from '../authority/cost.js';
import { holdingOf } from '../authority/holding.js';
import { meets, type SignInPolicy } from '../authority/sign-in-policy.js';
import { unauthenticated } from '../core/errors.js';
import { Lru, type CacheState } from '../core/lru.js';
import { eq, isIn, type Condition } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { clients, type ClientRow } from '../store/tables/clients.js';
import { agentRoles, roles, userRoles, users, type RoleRow, type UserRow } from '../store/tables/identity.js';

/** An active person, with the rights from their roles. */
interface HeldByPerson {
  readonly user: UserRow;
  readonly held: readonly RoleRow[];
  /** By the policy that the person's sign-in meets. */
  readonly rights: Readonly<Record<SignInPolicy, PersonRights>>;
}

interface PersonRights {
  readonly layer: AuthorityLayer;
  readonly costMax: number | undefined;
}

/** What these roles give to a sign-in that meets the policy. */
function rightsFor({ id }: UserRow, held: readonly RoleRow[], met: SignInPolicy): PersonRights {
  const usable = held.filter(({ signIn }) => meets(met, signIn));
  const holding = holdingOf(usable, id);
  const all = usable.length === held.length ? holding : holdingOf(held, id);
  const others = [...all.rights.keys(), ...all.needsApproval].filter(
    (scope) => !holding.rights.has(scope) && !holding.needsApproval.has(scope),
  );
  return {
    layer: { layer: 'person', id, ...holding, needsPasskey: new Set(others) },
    costMax: costMaxOf(usable),
  };
}

const peopleMax = 10_000;
const rolesMax = 10_000;
const clientsMax = 10_000;

/** The ceiling of the client of a token. */
interface ClientCeiling {
  /** Names the client by its own id, or by that of the agent as which it acts. */
  readonly of: string;
  /** Null: no ceiling of its own. */
  readonly scopes: ReadonlySet<string> | null;
}

/**
 * Loads people, roles and the ceilings of clients for one authority. Authorities of one version share what was loaded: a
 * loader first looks into the shared loader of its version. It hands over its own reads only after the version is
 * seen to be unchanged.
 */
export class RoleLoader {
  private readonly people = new Lru<string, HeldByPerson>(peopleMax);
  private readonly roles = new Lru<string, RoleRow>(rolesMax);
  private readonly ceilings = new Lru<string, ClientCeiling>(clientsMax);

  /**
   * @param known an earlier loader of the same version; none inside a transaction, which may see rows of its
   * own
   */
  constructor(private readonly known?: RoleLoader) {}

  get caches(): Readonly<Record<string, CacheState>> {
    return { people: this.people, roles: this.roles, clientCeilings: this.ceilings };
  }

  /** Throws `UNAUTHENTICATED` where the person is not active. */
  async person(connection: Connection, userId: string): Promise<HeldByPerson> {
    const known = this.known?.people.get(userId);
    if (known !== undefined) return known;
    const user = await connection.byId(users, userId);
    if (user?.status !== 'active') throw unauthenticated('The person of this token is not active.');
    const rows = await connection.select(userRoles, eq('userId', userId));
    const held = await this.byIds(
      connection,
      rows.map((row) => row.roleId),
    );
    const passkey = rightsFor(user, held, 'passkey');
    const needsPasskey = held.some(({ signIn }) => !meets('any', signIn));
    const rights = { passkey, any: needsPasskey ? rightsFor(user, held, 'any') : passkey };
    const person = { user, held, rights };
    this.people.set(userId, person);
    return person;
  }

  async rolesOfAgent(connection: Connection, agentId: string): Promise<RoleRow[]> {
    const rows = await connection.select(agentRoles, eq('agentId', agentId));
    return this.byIds(
      connection,
      rows.map((row) => row.roleId),
    );
  }

  /** The ceiling of a client that acts as this agent. Null where there is none. */
  ceilingOfAgent(connection: Connection, agentId: string): Promise<ClientCeiling['scopes']> {
    return this.ceiling(connection, agentId, eq<ClientRow>('agentId', agentId));
  }

  /** The same of a program through which people sign in. */
  ceilingOfTool(connection: Connection, clientId: string): Promise<ClientCeiling['scopes']> {
    return this.ceiling(connection, `client ${clientId}`, eq<ClientRow>('clientId', clientId));
  }

  private async ceiling(
    connection: Connection,
    of: string,
    isIt: Condition<ClientRow>,
  ): Promise<ClientCeiling['scopes']> {
    const known = this.known?.ceilings.get(of);
    if (known !== undefined) return known.scopes;
    const row = await connection.one(clients, isIt);
    const { scopes: named = null } = row ?? {};
    const scopes = named === null ? null : new Set(named);
    this.ceilings.set(of, { of, scopes });
    return scopes;
  }

  /** Gives the reads of this loader to the shared one. */
  shareWith(to: RoleLoader): void {
    for (const person of this.people.values()) to.people.set(person.user.id, person);
    for (const role of this.roles.values()) to.roles.set(role.id, role);
    for (const ceiling of this.ceilings.values()) to.ceilings.set(ceiling.of, ceiling);
  }

  /** Takes either all rows from memory or none, so that their order is always that of one read. */
  private async byIds(connection: Connection, ids: readonly string[]): Promise<RoleRow[]> {
    const known = ids.flatMap((id) => this.known?.roles.get(id) ?? []);
    if (known.length === ids.length) return known.sort((a, b) => (a.id < b.id ? -1 : 1));
    const rows = await connection.select(roles, isIn('id', ids));
    for (const row of rows) this.roles.set(row.id, row);
    return rows.sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}

/** Whether a role of the person asks for sign-ins with a passkey. */
export async function needsPasskey(connection: Connection, userId: string): Promise<boolean> {
  const rows = await connection.select(userRoles, eq('userId', userId));
  const ids = rows.map((row) => row.roleId);
  const held = await connection.select(roles, isIn<RoleRow>('id', ids));
  return held.some(({ signIn }) => !meets('any', signIn));
}

export const rolesOfAgent = (connection: Connection, agentId: string): Promise<RoleRow[]> =>
  new RoleLoader().rolesOfAgent(connection, agentId);

/** The ceiling of a client that acts as this agent. Null where there is none. */
export const ceilingOfAgent = (connection: Connection, agentId: string): Promise<ClientCeiling['scopes']> =>
  new RoleLoader().ceilingOfAgent(connection, agentId);

/** The cost limit of one operation for a person with these roles. */
export const costMaxOf = (held: readonly Pick<RoleRow, 'limits'>[]): number | undefined =>
  largestCost(held.map((role) => role.limits.operationCost));
