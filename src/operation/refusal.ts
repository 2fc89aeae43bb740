import type { RecordedDecision } from '../audit/trail.js';
import type { Authority } from '../authority/authority.js';
import type { Decision } from '../authority/decision.js';
import { isNameable, refusalError } from '../authority/explain.js';
import type { Scope } from '../authority/scope.js';

/** A layer of the chain that refused, or another obstacle to an answer. */
type Refuser =
  | ('person' | 'agent' | 'delegation' | 'token')
  | ('boundary' | 'approval' | 'sign_in' | 'documents')
  | ('limits' | 'rate' | 'request' | 'rule' | 'server');

/** One reason why an operation was refused, or would be. */
export interface Refusal {
  readonly layer: Refuser;
  readonly message: string;
  /** Advice in one sentence. */
  readonly next: string;
  /** The first coordinates that it refuses. */
  readonly coordinates?: readonly string[];
  /** The place in the answer. */
  readonly path?: string;
  /** The place in the document. */
  readonly line?: number;
  readonly column?: number;
  readonly missingScopes?: readonly Scope[];
}

/** Coordinates that are named of one refusal. */
const coordinatesMax = 5;

/**
 * One reason for each scope, by rights as they stand now. Scopes that the person lacks are not named, and what is outside
 * the agent's roles is left out.
 */
export function explainDecisions(
  authority: Authority,
  decisions: readonly RecordedDecision[],
): readonly Refusal[] {
  const groups = new Map<string, RecordedDecision[]>();
  for (const decision of decisions) {
    if (!authority.ceiling.has(decision.scope)) continue;
    const { scope, reason = '' } = decision;
    const key = isNameable(authority, scope) ? `${scope} ${reason}` : 'person';
    groups.set(key, [...(groups.get(key) ?? []), decision]);
  }
  return [...groups].flatMap(([key, group]) => {
    const [first] = group;
    if (first === undefined) return [];
    const coordinates = [...new Set(group.map(({ coordinate }) => coordinate))].slice(0, coordinatesMax);
    const refusal = key === 'person' ? ofPerson(authority) : ofScope(authority, first);
    return knowsSchema(authority) ? { ...refusal, coordinates } : refusal;
  });
}

/** The schema behind registered documents is not told to a caller that may send no other. */
export const knowsSchema = ({ documents }: Authority): boolean => documents !== 'registered';

const refuserOf: Readonly<Partial<Record<string, Refuser>>> = {
  needs_approval: 'approval',
  needs_passkey: 'sign_in',
};

const ofPerson = ({ chain }: Authority): Refusal => ({
  layer: 'person',
  message: `${chain.person.displayName} does not hold what this needs.`,
  next: `Go on without it: ${chain.person.displayName} cannot hand it over.`,
});

function ofScope(authority: Authority, { scope, reason, layer }: RecordedDecision): Refusal {
  const { displayName } = authority.chain.person;
  const missingScopes = [scope];
  if (reason === 'outside_boundary')
    return {
      ...{ layer: 'boundary', missingScopes },
      message: `${scope} is held for other rows than these.`,
      next:
        layer === 'person'
          ? `Go on without these fields: ${displayName} does not reach these rows either.`
          : `Go on without these fields, or ask ${displayName} for a task with a wider boundary.`,
    };
  const now = authority.decide(scope);
  if (now.allow)
    return {
      layer: (layer ?? 'delegation') as Refuser,
      message: `${scope} was missing then, and is held now.`,
      next: 'Send the operation again.',
    };
  return refusedScope(authority, now);
}

/** The refusal of a scope that the caller could get, by rights as they stand now. */
export function refusedScope(authority: Authority, now: Extract<Decision, { allow: false }>): Refusal {
  const { message, details } = refusalError(authority, now);
  return {
    layer: refuserOf[now.reason] ?? now.layer,
    ...{ message, missingScopes: [now.scope] },
    next: details.hint ?? `Ask ${authority.chain.person.displayName}.`,
  };
}
