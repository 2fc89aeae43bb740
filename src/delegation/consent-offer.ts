import type { Authority } from '../authority/authority.js';
import { parseBoundary } from '../authority/boundary.js';
import type { Scope } from '../authority/scope.js';
import { badInput } from '../core/errors.js';
import type { Connection } from '../store/sql/connection.js';
import { users, type RoleRow } from '../store/tables/identity.js';
import { dimensionsInWords } from './boundary-words.js';
import { agentWithRole, offer, taskSecondsOf, type Offer } from './create-delegation.js';
import { refused } from './narrow-delegation.js';
import { isPeopleOnly, type Catalog } from './schema-catalog.js';
import type { ConsentChoice, ConsentInput, ConsentOffer, ScopeInWords } from './token-grant.js';

/** An offer, and all that its page says about it. */
export interface OfferInWords {
  readonly offer: Offer;
  readonly inWords: ConsentOffer;
}

interface Context {
  readonly tx: Connection;
  readonly catalog: Catalog;
}

/**
 * The part of a request for consent that the person holds, with the part that they lack beside it. Throws `FORBIDDEN`
 * where they hold nothing of it, or the agent's role does not include it.
 */
export async function offerToConsent(
  context: Context,
  person: Authority,
  { agentName, role: roleName, scopes: requested }: ConsentInput,
): Promise<OfferInWords> {
  const rights = { agent: agentName, role: roleName, scopes: requested };
  const { role } = await agentWithRole(context.tx, rights);
  const wanted = requested ?? grantable(context.catalog, role);
  // A scope that the role lacks is refused with the request, whether it exists or not.
  const lacking = wanted.filter((scope) => role.scopes.includes(scope) && !holds(person, scope)).sort();
  const left = wanted.filter((scope) => !lacking.includes(scope));
  if (left.length === 0) throw refused('person', lacking);
  const offered = await offer(context, person, { agent: agentName, role: role.name, scopes: left });
  return { offer: offered, inWords: await inWords(context, person, offered, lacking) };
}

/** The part of an offer that the person chose. Throws `BAD_USER_INPUT` where nothing of it is left. */
export function chosenOf(offered: Offer, choice: ConsentChoice): Offer {
  const scopes = offered.scopes.filter((scope) => choice.scopes.includes(scope));
  if (scopes.length === 0) throw badInput('Nothing of the offer was chosen.', 'scopes');
  return { ...offered, scopes };
}

const holds = (person: Authority, scope: Scope): boolean =>
  person.layers.every((layer) => layer.rights.has(scope));

const grantable = (catalog: Catalog, { scopes, approvalScopes }: RoleRow): Scope[] =>
  scopes.filter((scope) => !isPeopleOnly(catalog, scope) && !approvalScopes.includes(scope));

async function inWords(
  context: Context,
  person: Authority,
  { agent, role, scopes, boundary }: Offer,
  lacking: readonly Scope[],
): Promise<ConsentOffer> {
  const { tx, catalog } = context;
  const owner = await tx.byId(users, agent.ownerId);
  const described = (name: Scope): ScopeInWords => ({
    name,
    description: catalog.definitions.get(name)?.description ?? '',
  });
  return {
    person: { name: person.chain.person.name, displayName: person.chain.person.displayName },
    agent: {
      name: agent.name,
      displayName: agent.displayName,
      businessTask: agent.businessTask,
      ownerName: owner?.displayName ?? '',
      createdAt: agent.createdAt,
    },
    role: role.name,
    scopes: scopes.map((name) => ({ ...described(name), changes: catalog.changing.has(name) })),
    lacking: lacking.map(described),
    boundary: await dimensionsInWords(context, person, parseBoundary(boundary), scopes),
    limits: {
      seconds: taskSecondsOf(role),
      operations: role.limits.operations,
      rows: role.limits.rows,
      depth: role.limits.depth,
    },
  };
}
