import { actorsLimit, type Dialect } from '../../delegation/token-dialects.js';
import { UnreachableCaseError } from '../../core/errors.js';
import { RefusedToken } from './refused-token.js';

type Claims = Readonly<Record<string, unknown>>;

/** The person and the agents as the issuer names them. */
export interface ClaimedChain {
  readonly subject: string;
  /** In order of acting: the last one acts now. Never empty. */
  readonly actors: readonly string[];
}

/** The part of an issuer's entry that says how to read its tokens. */
export interface Reading {
  readonly issuer: string;
  readonly dialect: Dialect;
  /** The claim that names the person, for `agent-in-sub`. */
  readonly userClaim: string | null;
  readonly actorsMax: number;
}

/** Reads the chain that the claims state in the issuer's dialect. Throws `RefusedToken`, which says what is missing. */
export function readChain(claims: Claims, reading: Reading): ClaimedChain {
  const chain = chainIn(claims, reading);
  if (chain.actors.length > reading.actorsMax)
    throw new RefusedToken(`the token names more than ${String(reading.actorsMax)} actors`);
  if (chain.actors.includes(chain.subject))
    throw new RefusedToken('the token names one party as the person and as an actor');
  if (new Set(chain.actors).size < chain.actors.length)
    throw new RefusedToken('the token names an actor twice');
  return chain;
}

function chainIn(claims: Claims, { issuer, dialect, userClaim }: Reading): ClaimedChain {
  switch (dialect) {
    case 'act':
      return { subject: nameIn(claims, 'sub'), actors: nestedActors(claims, issuer) };
    case 'azp':
      return besideAct(claims, { subject: nameIn(claims, 'sub'), actors: [authorizedParty(claims)] });
    case 'client-id':
      return besideAct(claims, { subject: nameIn(claims, 'sub'), actors: [nameIn(claims, 'client_id')] });
    case 'agent-in-sub':
      return besideAct(claims, {
        subject: nameIn(claims, userClaim ?? ''),
        actors: [nameIn(claims, 'sub')],
      });
    case 'user-in-act': {
      const actor = actorIn(claims, issuer);
      if (Object.hasOwn(actor, 'act')) throw new RefusedToken('the claim act.act has no place in this token');
      return { subject: nameIn(actor, 'sub', 'act.sub'), actors: [nameIn(claims, 'sub')] };
    }
    default:
      throw new UnreachableCaseError(dialect);
  }
}

/** A dialect without `act` leaves open what an actor there would mean. */
function besideAct(claims: Claims, chain: ClaimedChain): ClaimedChain {
  if (Object.hasOwn(claims, 'act')) throw new RefusedToken('the claim act has no place in this token');
  return chain;
}

/** OpenID Connect Core section 2: `azp` may be missing where the only audience is the client. */
function authorizedParty(claims: Claims): string {
  if (Object.hasOwn(claims, 'azp') || !Object.hasOwn(claims, 'aud')) return nameIn(claims, 'azp');
  const { aud } = claims;
  return nameIn(Array.isArray(aud) && aud.length === 1 ? { azp: aud[0] as unknown } : { azp: aud }, 'azp');
}

/** RFC 8693 section 4.1: the outermost actor acts now; the innermost acted first. */
function nestedActors(claims: Claims, issuer: string): string[] {
  const actors: string[] = [];
  let holder = claims;
  do {
    holder = actorIn(holder, issuer);
    actors.unshift(nameIn(holder, 'sub', 'act.sub'));
  } while (Object.hasOwn(holder, 'act') && actors.length <= actorsLimit);
  return actors;
}

function actorIn(claims: Claims, issuer: string): Claims {
  const act = Object.hasOwn(claims, 'act') ? claims.act : undefined;
  if (typeof act !== 'object' || act === null || Array.isArray(act))
    throw new RefusedToken('the token has no claim act that names an actor');
  const actor = act as Claims;
  if (Object.hasOwn(actor, 'iss') && actor.iss !== issuer)
    throw new RefusedToken('the claim act names an actor of another issuer');
  return actor;
}

function nameIn(claims: Claims, claim: string, shown = claim): string {
  const name = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (typeof name === 'string' && name !== '' && name.length <= 255 && name.isWellFormed()) return name;
  throw new RefusedToken(`the token has no claim ${shown} of 1 to 255 characters`);
}
