import type { StoredBoundary } from '../../src/store/tables/identity.js';
import type { Draw } from './random-values.js';
import { everywhere, type TestServer } from './server.js';
import type { World } from './worlds.js';

/** A family: callers who see the same schema and may use different parts of it. */
export interface FamilyPlan {
  readonly acting: 'people' | 'agents';
  /** Of the agents' role, or of all roles of each person together. */
  readonly scopes: readonly string[];
  readonly callers: readonly CallerPlan[];
}

interface RolePlan {
  readonly scopes: readonly string[];
  readonly boundary: StoredBoundary;
  readonly operationCost?: number;
}

interface CallerPlan {
  readonly roles: readonly RolePlan[];
  readonly token: readonly string[];
  readonly delegation: {
    readonly scopes: readonly string[];
    readonly boundary: StoredBoundary;
    readonly rowsMax: number;
  };
}

export const callersOfFamily = 8;

const values: Readonly<Record<string, readonly string[]>> = {
  region: ['europe', 'north-america', 'asia-pacific', 'latin-america', 'nowhere'],
  collection: ['guides', 'hr'],
  classification: ['public', 'internal', 'confidential', 'restricted'],
};

/** A random part of a list, in its order; each item with this chance. */
const some = <T>(draw: Draw, from: readonly T[], percent: number): T[] =>
  from.filter(() => draw.below(100) < percent);

function boundary(draw: Draw, customers: readonly string[]): StoredBoundary {
  const set = (from: readonly string[]): 'all' | string[] =>
    draw.below(2) === 0 ? 'all' : some(draw, from, 50);
  return {
    customer: draw.below(3) > 0 ? 'all' : some(draw, customers, 60),
    region: set(values.region ?? []),
    collection: set(values.collection ?? []),
    classification: set(values.classification ?? []),
    person: (['all', ['self'], []] as const)[draw.below(3)] ?? [],
  };
}

export function familyPlan(
  draw: Draw,
  scopes: readonly string[],
  isForAgents: (scope: string) => boolean,
  customers: readonly string[],
): FamilyPlan {
  const acting = draw.below(2) === 0 ? 'people' : 'agents';
  const possible = acting === 'people' ? scopes : scopes.filter(isForAgents);
  const most = [100, 90, 70, 40][draw.below(4)] ?? 100;
  const chosen = some(draw, possible, most);
  const held = chosen.length === 0 ? possible : chosen;
  const callers = Array.from({ length: callersOfFamily }, (_, at): CallerPlan => {
    const whole = at === 0 ? { ...everywhere, person: 'all' as const } : boundary(draw, customers);
    // Together their roles hold all scopes, so that the family's people see the same schema.
    const more = at < 2 ? [] : Array.from({ length: 1 + draw.below(2) }, () => some(draw, held, 50));
    const first = acting === 'people' || at < 2 ? held : some(draw, held, 80);
    const cost = draw.below(4) === 0 ? { operationCost: 100 + draw.below(400) } : {};
    const limits = at >= 3 ? cost : {};
    const parts = [first, ...more].map((part, index) => ({
      scopes: part,
      boundary: index === 0 ? whole : boundary(draw, customers),
      ...limits,
    }));
    const delegated = at === 0 ? held : some(draw, held, 85);
    return {
      // Roles of one scope with its own boundary and one without: the first may reach fewer rows than the second.
      roles: parts,
      token: at === 1 ? some(draw, scopes, 85) : scopes,
      delegation: {
        scopes: delegated,
        boundary: draw.below(2) === 0 ? { ...everywhere, person: 'all' } : boundary(draw, customers),
        rowsMax: draw.below(12) === 0 && at > 0 ? 0 : 1_000_000_000,
      },
    };
  });
  return { acting, scopes: held, callers };
}

/** Makes the callers; returns their tokens. */
export async function makeFamily(
  { shipping }: World,
  { acting, scopes, callers }: FamilyPlan,
): Promise<string[]> {
  const tokens: string[] = [];
  for (const caller of callers) tokens.push(await tokenOf(shipping, acting, scopes, caller));
  return tokens;
}

async function tokenOf(
  server: TestServer,
  acting: FamilyPlan['acting'],
  scopes: readonly string[],
  { roles, token, delegation }: CallerPlan,
): Promise<string> {
  const [first, ...more] = roles;
  if (first === undefined) throw new Error('A caller has a role.');
  const person = await server.person(first);
  for (const role of more) await server.giveRole(person.id, role);
  if (acting === 'people') return server.token(person.id, undefined, token);
  const spend = { operationsMax: 1_000_000, rowsMax: delegation.rowsMax };
  const handed = {
    ...delegation,
    scopes: delegation.scopes.filter((scope) => token.includes(scope)),
    ...spend,
  };
  const agent = await server.agent(person, { scopes, boundary: { ...everywhere, person: 'all' } }, handed);
  return agent.token;
}
