import { visibleLine } from '../core/checked-text.js';
import { cutText } from '../core/cut-text.js';
import { badInput } from '../core/errors.js';
import { ownResources } from '../core/guarded-paths.js';
import { eq, isNull, not } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { clients, type ClientRow } from '../store/tables/clients.js';
import { resourceServers, type ResourceServerRow } from '../store/tables/resource-servers.js';
import { store, type UnitOfWork } from './unit-of-work.js';

/** The server and the schema that the ceilings of a client have to fit. */
export interface Surroundings {
  readonly publicUrl: string;
  readonly knownScopes: ReadonlySet<string>;
}

type Given = readonly string[] | null | undefined;

/** The resources of a client that names none. */
export const usualResources = ({ publicUrl }: Surroundings): readonly string[] => ownResources(publicUrl);

/** The scopes that tokens of a client have at most. Null: no ceiling of its own. Throws for a scope that there is not. */
export function scopesOf(given: Given, { knownScopes }: Surroundings): readonly string[] | null {
  const scopes = listOf(given, 200, 'scopes');
  for (const scope of scopes ?? []) if (!knownScopes.has(scope)) throw unknown('scope', scope, 'scopes');
  return scopes;
}

/**
 * The resources that tokens of a client may be for (RFC 8707). Null: those of this server itself. Throws for a resource
 * that there is not. The servers stay registered until the transaction ends.
 */
export async function resourcesOf(
  tx: Connection,
  given: Given,
  around: Surroundings,
): Promise<readonly string[] | null> {
  const resources = listOf(given, 10, 'resources');
  const own = usualResources(around);
  for (const identifier of (resources ?? []).filter((one) => !own.includes(one))) {
    const isIt = eq<ResourceServerRow>('identifier', identifier);
    const server =
      identifier.length > 255 ? undefined : await tx.one(resourceServers, isIt, { lock: 'update' });
    if (server === undefined) throw unknown('resource', identifier, 'resources');
  }
  return resources;
}

/** Takes a resource that is no more out of the ceilings of clients: a later server at its address is another one. */
export async function forgetResource(unit: UnitOfWork, identifier: string): Promise<void> {
  const named = await unit.tx.select(clients, not(isNull<ClientRow>('resources')), { lock: 'update' });
  for (const client of named) {
    const left = client.resources?.filter((one) => one !== identifier);
    if (left !== undefined && left.length !== client.resources?.length)
      await store(unit, clients, client, { resources: left });
  }
}

const unknown = (what: string, text: string, path: string) =>
  badInput(`There is no ${what} \`${visibleLine(cutText(text, 100), 100, path)}\`.`, path);

function listOf(given: Given, max: number, path: string): readonly string[] | null {
  if (given === null || given === undefined) return null;
  if (given.length > 0 && given.length <= max) return [...new Set(given)];
  throw badInput(`Give 1 to ${String(max)} ${path}, or none to set no ceiling.`, path);
}
