import { all } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { agents, users } from '../../store/tables/identity.js';
import { identityProviders } from '../../store/tables/identity-providers.js';
import { tokenIssuerAgents, tokenIssuers } from '../../store/tables/token-issuers.js';

interface ListedIssuer {
  readonly name: string;
  readonly issuer: string;
  /** The provider whose people its tokens name. */
  readonly provider: string;
  readonly dialect: string;
  readonly userClaim: string | null;
  readonly accepts: readonly string[];
  /** Empty: the issuer and the resource of this server. */
  readonly audiences: readonly string[];
  readonly maxAgeSeconds: number;
  readonly actorsMax: number;
  /** The administrator. Null where they are disabled: no token of the issuer counts. */
  readonly trustedBy: string | null;
  readonly agents: readonly { readonly actor: string; readonly agent: string }[];
}

const byName = { order: [{ column: 'name', direction: 'asc' }] } as const;

export async function listIssuers(connection: Connection): Promise<ListedIssuer[]> {
  const map = await connection.select(tokenIssuerAgents, all(), {
    order: [{ column: 'actor', direction: 'asc' }],
  });
  const listed: ListedIssuer[] = [];
  for (const row of await connection.select(tokenIssuers, all(), byName)) {
    const provider = await connection.byId(identityProviders, row.providerId);
    const by = await connection.byId(users, row.addedBy);
    const named = [];
    for (const { issuerId, actor, agentId } of map)
      if (issuerId === row.id)
        named.push({ actor, agent: (await connection.byId(agents, agentId))?.name ?? agentId });
    listed.push({
      ...{ name: row.name, issuer: row.issuer, provider: provider?.name ?? row.providerId },
      ...{
        dialect: row.dialect,
        userClaim: row.userClaim,
        accepts: row.tokenTypes,
        audiences: row.audiences,
      },
      ...{ maxAgeSeconds: row.ageMaxSeconds, actorsMax: row.actorsMax },
      trustedBy: by?.status === 'active' ? by.name : null,
      agents: named,
    });
  }
  return listed;
}
