import { visibleLine } from '../core/checked-text.js';
import { hashClientSecret, newClientSecret } from '../core/client-secrets.js';
import { isoTime } from '../core/clock.js';
import { badInput } from '../core/errors.js';
import { eq } from '../store/sql/condition.js';
import { resourceServers, type ResourceServerRow } from '../store/tables/resource-servers.js';
import { parseKeys } from './agent-keys.js';
import { forgetResource } from './client-ceilings.js';
import { checked, namePattern, safeUrlOf } from './issuer-input.js';
import { add, shown, type UnitOfWork } from './unit-of-work.js';

export interface NewResourceServer {
  readonly name: string;
  /** The resource indicator (RFC 8707). */
  readonly identifier: string;
  readonly scopes: readonly string[];
  /** A JSON Web Key Set. A server with keys has no secret. */
  readonly publicKeys?: string | null | undefined;
}

/** The settings and the schema that a new server has to fit. */
interface ServerRules {
  readonly staticSecrets: boolean;
  readonly publicUrl: string;
  readonly allowHttp: boolean;
  readonly knownScopes: ReadonlySet<string>;
}

/** RFC 8707 section 2: an absolute URI without a fragment. A query would make one server many resources. */
function identifierOf(text: string, { publicUrl, allowHttp }: ServerRules): string {
  if (/[?#]/.test(text))
    throw badInput('A resource is a URL without query and fragment (RFC 8707).', 'identifier');
  const identifier = safeUrlOf(text, allowHttp, 'identifier', 255);
  if (new URL(identifier).origin === new URL(publicUrl).origin)
    throw badInput('The resources of this server itself are known.', 'identifier');
  return identifier;
}

function scopesOf(given: readonly string[], { knownScopes }: ServerRules): readonly string[] {
  const scopes = [...new Set(given)];
  if (scopes.length === 0) throw badInput('Name the scopes that its tokens may have.', 'scopes');
  for (const scope of scopes)
    if (!knownScopes.has(scope))
      throw badInput(`There is no scope \`${visibleLine(scope, 100, 'scopes')}\`.`, 'scopes');
  return scopes;
}

/**
 * Makes another server a resource: people and agents get tokens for it, with the given scopes at most, and it learns of
 * these tokens and of no others. `secret` is null for a server with keys.
 */
export async function addResourceServer(
  unit: UnitOfWork,
  input: NewResourceServer,
  around: ServerRules,
): Promise<{ readonly row: ResourceServerRow; readonly secret: string | null }> {
  const jwks = typeof input.publicKeys === 'string' ? parseKeys(input.publicKeys) : null;
  if (jwks === null && !around.staticSecrets)
    throw badInput(
      'No server gets a secret here (BEHALF_STATIC_SECRETS=off): give it public keys.',
      'publicKeys',
    );
  const secret = jwks === null ? newClientSecret() : null;
  const aboutNames = 'A name has lower-case letters, digits and `-`, up to 40.';
  const row: ResourceServerRow = {
    id: unit.ids.next(),
    name: checked(input.name, namePattern, 'name', aboutNames),
    identifier: identifierOf(input.identifier, around),
    scopes: scopesOf(input.scopes, around),
    authMethod: jwks === null ? 'client_secret_basic' : 'private_key_jwt',
    secretHash: secret === null ? null : hashClientSecret(secret),
    jwks,
    createdAt: isoTime(unit.clock.now()),
    version: 1,
  };
  await add(unit, resourceServers, row, 'There is a resource server of this name or identifier already.');
  return { row, secret };
}

/**
 * Its tokens count for nothing from now on: nobody can learn of them, and no more are issued, also where another server is
 * added at its address. Clients lose it from their ceilings.
 */
export async function removeResourceServer(unit: UnitOfWork, row: ResourceServerRow): Promise<void> {
  await unit.tx.delete(resourceServers, eq('id', row.id));
  unit.trail.touched(resourceServers.type, [row.id], 'delete');
  unit.trail.changed({ type: resourceServers.type, id: row.id, before: shown(row), after: null });
  await forgetResource(unit, row.identifier);
}
