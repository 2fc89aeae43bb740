import { gives } from '../authority/holding.js';
import type { Scope } from '../authority/scope.js';
import { badInput, BehalfError } from '../core/errors.js';
import type { RoleRow } from '../store/tables/identity.js';

/**
 * Of the roles that an agent holds: the named one, the only one, or the only one that holds the requested scopes. Throws
 * `FORBIDDEN` where none fits, `BAD_USER_INPUT` where several do.
 */
export function chooseRole(
  held: readonly RoleRow[],
  name: string | undefined,
  scopes: readonly Scope[],
): RoleRow {
  if (held.length === 0) throw unfit('The agent holds no role, so it can be given no task.', scopes);
  if (name !== undefined) {
    const named = held.find((role) => role.name === name);
    if (named === undefined) throw unfit('The agent does not hold the role that was named.', scopes);
    return named;
  }
  const fitting = held.filter((role) => scopes.every((scope) => gives(role, scope)));
  const [only, another] = held.length === 1 ? held : fitting;
  if (only !== undefined && another === undefined) return only;
  if (only === undefined) throw unfit(`No role of the agent includes all of ${scopes.join(', ')}.`, scopes);
  throw badInput('The agent holds several roles that fit: name one.', 'role');
}

const unfit = (message: string, missingScopes: readonly Scope[]): BehalfError =>
  new BehalfError('FORBIDDEN', message, {
    ...(missingScopes.length > 0 && { missingScopes }),
    layer: 'agent',
    hint: 'Ask for less, name another role, or have an administrator assign one that fits.',
  });
