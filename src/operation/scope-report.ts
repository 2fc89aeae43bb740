import type { Authority } from '../authority/authority.js';
import { isNameable } from '../authority/explain.js';
import type { Scope } from '../authority/scope.js';
import { badInput } from '../core/errors.js';
import { refusedScope } from './refusal.js';

export { isNameable };

/** The state of one scope, for the caller. */
export interface ScopeReport {
  readonly scope: Scope;
  readonly held: boolean;
  readonly layer: string | null;
  readonly message: string;
  /** How to ask for it; null where it is held, or where nobody can hand it over. */
  readonly next: string | null;
}

export interface ScopesReport {
  readonly scopes: readonly ScopeReport[];
  /** The person who can hand over more. */
  readonly person: string;
  readonly task: string | null;
}

/** Scopes that one question may name. */
const scopesMax = 50;
const scopeLengthMax = 200;

/** Throws `BAD_USER_INPUT` for too many scopes. */
export function reportScopes(authority: Authority, scopes: readonly Scope[]): ScopesReport {
  const named = [...new Set(scopes)];
  if (named.length > scopesMax || named.some((scope) => scope.length > scopeLengthMax))
    throw badInput(
      `\`scopes\` takes up to ${String(scopesMax)} scopes of ${String(scopeLengthMax)} characters: send fewer or shorter ones.`,
      'scopes',
    );
  return {
    scopes: named.map((scope) => reportScope(authority, scope)),
    person: authority.chain.person.displayName,
    task: authority.task?.task ?? null,
  };
}

/** A scope that the caller's roles do not reach, or that its person lacks, is answered as one that does not exist. */
function reportScope(authority: Authority, scope: Scope): ScopeReport {
  const decision = authority.decide(scope);
  if (decision.allow)
    return { scope, held: true, layer: null, message: 'This task includes it.', next: null };
  if (!isNameable(authority, scope))
    return { scope, held: false, layer: null, message: 'No task of this agent can have it.', next: null };
  const { layer, message, next } = refusedScope(authority, decision);
  return { scope, held: false, layer, message, next };
}
