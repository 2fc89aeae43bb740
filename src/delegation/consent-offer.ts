import type { Authority } from '../authority/authority.js';
import { parseBoundary } from '../authority/boundary.js';
import type { Scope } from '../authority/scope.js';
import { visibleLine } from '../core/checked-text.js';
import { badInput } from '../core/errors.js';
import type { Connection } from '../store/sql/connection.js';
import { users, type RoleRow, type StoredLimits } from '../store/tables/identity.js';
import { foundMax, namesOf, search } from './boundary-names.js';
import { BoundaryLookup, readBoundary, readStoredBoundary, requirePossible } from './boundary-values.js';
import { dimensionsInWords } from './boundary-words.js';
import { consentSecondsMax, consentSecondsUsual } from './consent.js';
import {
  agentWithRole,
  asLimits,
  offer,
  purposeMax,
  taskMax,
  taskSecondsOf,
  type Offer,
} from './create-delegation.js';
import { narrowLimits, refused } from './narrow-delegation.js';
import { isPeopleOnly, type Catalog } from './schema-catalog.js';
import type {
  ConsentChoice,
  ConsentInput,
  ConsentOffer,
  FoundValues,
  RequestedTask,
  ScopeInWords,
  ValueSearch,
} from './token-grant.js';

/** An offer, and all that its page says about it. */
interface OfferInWords {
  readonly offer: Offer;
  readonly inWords: ConsentOffer;
}

interface Context {
  readonly tx: Connection;
  readonly catalog: Catalog;
}

/**
 * The offer of the requested scopes that the person holds, with the scopes that they lack. Throws `FORBIDDEN` where they
 * hold none of them, or the agent's role lacks one, and `BAD_USER_INPUT` where all are beyond the ceiling.
 */
export async function offerToConsent(
  context: Context,
  person: Authority,
  { agentName, role: roleName, scopes: requested, ceiling, task }: ConsentInput,
): Promise<OfferInWords> {
  const rights = { agent: agentName, role: roleName, scopes: requested };
  const { role } = await agentWithRole(context.tx, rights);
  const all = requested ?? grantable(context.catalog, role);
  const wanted = all.filter((scope) => ceiling?.includes(scope) !== false);
  if (wanted.length === 0) throw badInput('None of these scopes can be had for this resource.', 'scope');
  // A scope that the role lacks is refused with the request, whether it exists or not.
  const lacking = wanted.filter((scope) => role.scopes.includes(scope) && !holds(person, scope)).sort();
  const left = wanted.filter((scope) => !lacking.includes(scope));
  if (left.length === 0) throw refused('person', lacking);
  const offered = await offer(context, person, {
    ...{ agent: agentName, role: role.name, scopes: left },
    boundary: readStoredBoundary(task?.boundary),
  });
  const terms = task === undefined ? consentTerms(role) : taskTerms(role, task);
  return { offer: offered, inWords: { ...(await inWords(context, person, offered, lacking)), ...terms } };
}

/**
 * The part of an offer that the person chose. Throws `BAD_USER_INPUT` where nothing of it is left, and for a value that
 * is not offered or names nothing within the person's reach.
 */
export async function chosenOf(
  context: Context,
  person: Authority,
  { offer: offered, inWords: { boundary: dimensions } }: OfferInWords,
  choice: ConsentChoice,
): Promise<Offer> {
  const scopes = offered.scopes.filter((scope) => choice.scopes.includes(scope));
  if (scopes.length === 0) throw badInput('Nothing of the offer was chosen.', 'scopes');
  const boundary = { ...offered.boundary };
  for (const { dimension } of dimensions) {
    const values = choice.boundary[dimension];
    if (values === undefined) continue;
    const set = boundary[dimension] ?? [];
    const left =
      set === 'all'
        ? await withinReach(context, person, dimension, values, scopes)
        : set.filter((value) => values.includes(value));
    if (left.length === 0) throw badInput(`Nothing of \`${dimension}\` was chosen.`, `boundary.${dimension}`);
    boundary[dimension] = left;
  }
  return { ...offered, scopes, boundary };
}

async function withinReach(
  { tx, catalog }: Context,
  person: Authority,
  dimension: string,
  values: readonly string[],
  scopes: readonly Scope[],
): Promise<string[]> {
  const lookup = new BoundaryLookup(tx, catalog, person);
  const read = readBoundary(catalog, { [dimension]: values }, person.chain.person.id);
  requirePossible(catalog, read);
  const named = await lookup.read(read);
  await lookup.require(named, scopes);
  const set = named.get(dimension);
  return set === undefined || set === 'all' ? [] : [...set.keys()].sort();
}

/** Looks for values of a dimension under the person's own rights. */
export async function findValues(
  context: Context,
  person: Authority,
  { dimension, term, chosen }: ValueSearch,
): Promise<FoundValues> {
  const within = { ...context, person };
  const before = await namesOf(within, dimension, chosen);
  const found = await search(within, dimension, term.trim().slice(0, 100));
  return {
    chosen: before.values,
    found: found.values.slice(0, foundMax).filter(({ value }) => !chosen.includes(value)),
    more: found.values.length > foundMax,
    shown: [...before.shown, ...found.shown],
  };
}

type Terms = Pick<ConsentOffer, 'seconds' | 'limits' | 'task'>;

/** A consent lasts by itself, and each task under it has the limits of the role. */
const consentTerms = (role: RoleRow): Terms => ({
  seconds: { max: consentSecondsMax, usual: consentSecondsUsual },
  limits: limitsInWords({ ...role.limits, expirySeconds: taskSecondsOf(role) }),
});

/** One task: its time can be shortened. Throws for limits that the role lacks, and for words that no task has. */
function taskTerms(role: RoleRow, { task, purpose, limits = {} }: RequestedTask): Terms {
  const requested = { ...asLimits(limits), expirySeconds: limits.expiresInSeconds ?? taskSecondsOf(role) };
  const granted = narrowLimits([role.limits], requested);
  return {
    task: {
      ...(purpose === undefined ? {} : { purpose: visibleLine(purpose, purposeMax, 'purpose') }),
      ...(task === undefined ? {} : { task: visibleLine(task, taskMax, 'task') }),
    },
    seconds: { max: granted.expirySeconds, usual: granted.expirySeconds },
    limits: limitsInWords(granted),
  };
}

const limitsInWords = ({ expirySeconds, operations, rows, depth }: StoredLimits): ConsentOffer['limits'] => ({
  seconds: expirySeconds,
  operations,
  rows,
  depth,
});

const holds = (person: Authority, scope: Scope): boolean =>
  person.layers.every((layer) => layer.rights.has(scope));

const grantable = (catalog: Catalog, { scopes, approvalScopes }: RoleRow): Scope[] =>
  scopes.filter((scope) => !isPeopleOnly(catalog, scope) && !approvalScopes.includes(scope));

async function inWords(
  context: Context,
  person: Authority,
  { agent, role, scopes, boundary }: Offer,
  lacking: readonly Scope[],
): Promise<Omit<ConsentOffer, keyof Terms>> {
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
    boundary: await dimensionsInWords({ ...context, person }, parseBoundary(boundary), scopes),
  };
}
