import { BehalfError, UnreachableCaseError } from '../core/errors.js';
import type { Authority } from './authority.js';
import { passkeyAcr } from './chain.js';
import type { Decision } from './decision.js';
import type { Scope } from './scope.js';

type Refusal = Extract<Decision, { allow: false }>;

const whom: Record<Refusal['layer'], string> = {
  person: 'the person at the root of this chain does not hold it',
  agent: "the acting agent's role does not include it",
  delegation: 'the delegation does not include it',
  token: 'the access token was issued without it',
};

function howToAsk(authority: Authority, refusal: Refusal): string {
  switch (refusal.layer) {
    case 'person':
      return 'An administrator can assign a role with this scope to the person.';
    case 'agent':
      return 'An administrator can assign a role with this scope to the agent; then ask for a delegation with it.';
    case 'delegation':
      return `Ask ${authority.chain.person.displayName} for a delegation that includes ${refusal.scope}.`;
    case 'token':
      return `Ask for an access token with the scope ${refusal.scope}.`;
    default:
      throw new UnreachableCaseError(refusal.layer);
  }
}

/** An approval cannot be asked for yet, but the person may do it. */
const whoCan = ({ chain }: Authority, { layer }: Refusal): string =>
  layer === 'person'
    ? 'An administrator decides which scopes of a role need an approval.'
    : `Ask ${chain.person.displayName} to do it.`;

/** The person can sign in again at once. An agent cannot do it for the person. */
function needsPasskey({ chain }: Authority, { scope, layer }: Refusal): BehalfError {
  const message = `This needs the scope ${scope}, which a role gives only to sign-ins with a passkey.`;
  if (chain.agents.length === 0)
    return new BehalfError('INSUFFICIENT_USER_AUTHENTICATION', message, {
      ...{ missingScopes: [scope], layer, acrValues: passkeyAcr },
      hint: 'Sign in with a passkey, then use the new token.',
    });
  return new BehalfError('FORBIDDEN', message, {
    ...{ missingScopes: [scope], layer },
    hint: 'The person signs in with a passkey, and hands over the task again.',
  });
}

/** Whether the client's own ceiling is what lacks the scope: no token of this client can ever have it. */
const isBeyondClient = ({ layers }: Authority, { layer: at, scope }: Refusal): boolean =>
  layers.findLast(({ layer }) => layer === at)?.rights.has(scope) === true;

/**
 * Whether `refusalError` may name the person of the chain. If not, its text is the same for all chains with
 * equal terms.
 */
export const namesPerson = ({
  layer,
  reason,
}: {
  readonly layer?: string;
  readonly reason?: string;
}): boolean => layer === 'delegation' || reason === 'needs_approval';

/**
 * Whether the scope may be named as one that the caller could get: its roles reach the scope, and its person holds it, if
 * only after a sign-in with a passkey.
 */
export function isNameable(authority: Authority, scope: Scope): boolean {
  const decision = authority.decide(scope);
  if (decision.allow || decision.reason === 'needs_passkey') return true;
  return decision.reason !== 'hidden' && decision.layer !== 'person';
}

/** Whether a new token of this chain would have the scope, if only after a sign-in with a passkey. */
export function isIssuable(authority: Authority, scope: Scope): boolean {
  const decision = authority.decide(scope);
  return (
    decision.allow ||
    decision.layer === 'token' ||
    decision.reason === 'needs_approval' ||
    decision.reason === 'needs_passkey'
  );
}

/** It names no scope: the caller could ask for none. */
const beyondClient = (): BehalfError =>
  new BehalfError('FORBIDDEN', 'The client of this access token may not do this.', {
    hint: 'An administrator can widen the ceiling of the client.',
  });

/**
 * The refusal for the caller: the layer that refused, the missing scope where the caller could get it, and how to ask for
 * it.
 */
export function refusalError(authority: Authority, refusal: Refusal): BehalfError {
  if (refusal.reason === 'hidden' && isBeyondClient(authority, refusal)) return beyondClient();
  const details = {
    missingScopes: [refusal.scope],
    layer: refusal.layer,
    hint: howToAsk(authority, refusal),
  };
  switch (refusal.reason) {
    case 'outside_boundary':
      return new BehalfError('FORBIDDEN', `${refusal.scope} does not reach this record.`, details);
    case 'needs_approval':
      return new BehalfError(
        'FORBIDDEN',
        `${refusal.scope} needs a person's approval, which cannot be asked for yet.`,
        { ...details, hint: whoCan(authority, refusal) },
      );
    case 'needs_passkey':
      return needsPasskey(authority, refusal);
    case 'hidden':
    case 'missing_scope':
      return new BehalfError(
        'FORBIDDEN',
        `This needs the scope ${refusal.scope}: ${whom[refusal.layer]}.`,
        details,
      );
    default:
      throw new UnreachableCaseError(refusal.reason);
  }
}
