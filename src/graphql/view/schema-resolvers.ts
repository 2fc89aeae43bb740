import { byName } from '../../admin/list-queries.js';
import { sessionScope, type Scope } from '../../authority/scope.js';
import { ceilingOfAgent } from '../../delegation/role-loader.js';
import { isPeopleOnly, type Catalog } from '../../delegation/schema-catalog.js';
import type { Domain, Operation } from '../../delegation/resolver-context.js';
import type { Page } from '../../store/bounded/page.js';
import { agentRoles, agents, roles, type RoleRow } from '../../store/tables/identity.js';
import { nothingHeld, type Annotations } from './annotate.js';

/**
 * The schema as an agent sees it. It shows what the agent's roles contain, so it needs what reading them needs: the
 * agent's row, and the scope of roles.
 */
export const schemas = (catalog: Catalog, annotations: Annotations): Domain => ({
  name: 'schemas',
  tables: [],
  resolvers: {
    Query: {
      schema: async (_: unknown, { agent: id }: { readonly agent: string }, operation: Operation) => {
        const agent = await operation.rows.get(agents, id);
        if (agent === null) return null;
        return annotations.sdl(await ceilingOf(operation, catalog, agent.id), nothingHeld);
      },
    },
  },
});

/** The scopes of all roles that an agent holds, within the ceiling of its client, as its own operations would have them. */
async function ceilingOf(operation: Operation, catalog: Catalog, agentId: string): Promise<Set<Scope>> {
  const scopes = new Set<Scope>([sessionScope]);
  const client = await ceilingOfAgent(operation.connection, agentId);
  const mayExist = (scope: Scope): boolean => !isPeopleOnly(catalog, scope) && client?.has(scope) !== false;
  const link = { pairs: agentRoles, mine: 'roleId', theirs: 'agentId' };
  for (let after: string | null = null, isMore = true; isMore;) {
    const page: Page<RoleRow> = await operation.rows.linked(roles, link, agentId, { order: byName, after });
    for (const role of page.nodes) {
      for (const scope of role.scopes) if (mayExist(scope)) scopes.add(scope);
    }
    isMore = page.pageInfo.hasNextPage;
    after = page.pageInfo.endCursor;
  }
  return scopes;
}
