import { visibleLine } from '../core/checked-text.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import type { Connection } from '../store/sql/connection.js';
import { clients, type ClientRow } from '../store/tables/clients.js';
import { isGiven, parseTokenBinding } from './certificates.js';
import { resourcesOf, scopesOf, usualResources, type Surroundings } from './client-ceilings.js';
import { agentOf, endpointOf, endTokens, requireOwnTool, urisOf } from './clients.js';
import { requireGrantableAgent } from './credentials.js';
import { store, type UnitOfWork } from './unit-of-work.js';

export interface ClientChanges {
  readonly tokenBinding?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly redirectUris?: readonly string[] | null | undefined;
  readonly scopes?: readonly string[] | null | undefined;
  readonly resources?: readonly string[] | null | undefined;
  readonly notificationEndpoint?: string | null | undefined;
}

/** A change of a client, as it would be made now. */
interface PlannedChange {
  readonly after: Partial<ClientRow>;
  /** Whether it ends the client's tokens, or the sign-ins with it. */
  readonly endsTokens: boolean;
  readonly isWider: boolean;
}

/**
 * Changes a client that was admitted. What narrows it ends its tokens, so that no token is wider than the client from the
 * next operation on. Other redirect URIs and a wider ceiling need what making such a client needs.
 */
export async function updateClient(
  unit: UnitOfWork,
  by: string,
  before: ClientRow,
  changes: ClientChanges,
  around: Surroundings,
): Promise<ClientRow> {
  const { after, endsTokens, isWider } = await planUpdate(unit, by, before, changes, around);
  if (endsTokens) await endTokens(unit, before);
  else if (isWider) await bumpEpoch(unit.tx);
  return store(unit, clients, before, after);
}

/** The change that `updateClient` would make. Throws as it does, and changes nothing. */
export async function planUpdate(
  { tx }: { readonly tx: Connection },
  by: string,
  before: ClientRow,
  changes: ClientChanges,
  around: Surroundings,
): Promise<PlannedChange> {
  const { name, redirectUris, scopes, resources, tokenBinding, notificationEndpoint } = changes;
  const after: Partial<ClientRow> = {
    ...(typeof name === 'string' && { name: visibleLine(name, 200, 'name') }),
    ...(Array.isArray(redirectUris) && { redirectUris: urisOf(redirectUris) }),
    ...(scopes !== undefined && { scopes: scopesOf(scopes, around) }),
    ...(resources !== undefined && { resources: await resourcesOf(tx, resources, around) }),
    ...(isGiven(tokenBinding) && { tokenBinding: parseTokenBinding(tokenBinding) }),
    ...(notificationEndpoint !== undefined && {
      notificationEndpoint: endpointOf(notificationEndpoint, before),
    }),
  };
  const changed = { ...before, ...after };
  const isWider = !isWithin(changed.scopes, before.scopes);
  const goesElsewhere = !isWithin(changed.redirectUris, before.redirectUris);
  const usual = usualResources(around);
  const [resourcesBefore, resourcesAfter] = [before.resources ?? usual, changed.resources ?? usual];
  // The codes of a public client go to its redirect URIs, so these are its credentials.
  if (isWider || goesElsewhere || !isWithin(resourcesAfter, resourcesBefore))
    await requireMaker({ tx }, by, changed);
  const isNarrower = !isWithin(before.scopes, changed.scopes) || !isWithin(resourcesBefore, resourcesAfter);
  return { after, endsTokens: isNarrower || changed.tokenBinding !== before.tokenBinding, isWider };
}

async function requireMaker(unit: { readonly tx: Connection }, by: string, client: ClientRow): Promise<void> {
  if (client.isOwnTool) await requireOwnTool(unit, by, client.scopes);
  const agent = await agentOf(unit, client);
  if (agent !== undefined) await requireGrantableAgent(unit.tx, by, agent);
}

/** Whether every value of a ceiling is in the other one. Null is the widest. */
const isWithin = (inner: readonly string[] | null, outer: readonly string[] | null): boolean =>
  outer === null || inner?.every((value) => outer.includes(value)) === true;
