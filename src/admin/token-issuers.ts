import { isoTime } from '../core/clock.js';
import { badInput, conflict, notFound } from '../core/errors.js';
import { noteEnds } from '../delegation/end-delegation.js';
import { endByIssuer } from '../delegation/issuer-delegations.js';
import { actorsLimit, dialects, foreignTokenTypes } from '../delegation/token-dialects.js';
import { all, eq } from '../store/sql/condition.js';
import { isDuplicate } from '../store/sql/database.js';
import { agents, type AgentRow } from '../store/tables/identity.js';
import type { IdentityProviderRow } from '../store/tables/identity-providers.js';
import {
  tokenIssuerAgents,
  tokenIssuers,
  type IssuerDelegationRow,
  type TokenIssuerAgentRow,
  type TokenIssuerRow,
} from '../store/tables/token-issuers.js';
import { requireGrantableAgent } from './credentials.js';
import { checked, issuerOf, namePattern } from './issuer-input.js';
import { lockProvider } from './locked-provider.js';
import type { UnitOfWork } from './unit-of-work.js';

export interface NewIssuer {
  readonly name: string;
  readonly issuer: string;
  readonly dialect: string;
  /** The claim that names the person; for the dialect `agent-in-sub` alone. */
  readonly userClaim: string | null;
  readonly tokenTypes: readonly string[];
  /** Empty: the issuer and the resource of this server. */
  readonly audiences: readonly string[];
  readonly ageMaxSeconds: number;
  readonly actorsMax: number;
}

const daySeconds = 86_400;
const oneOf = (words: readonly string[]): string => words.join(', ');

function readingOf({ dialect, userClaim }: NewIssuer): Pick<TokenIssuerRow, 'dialect' | 'userClaim'> {
  if (!dialects.some((known) => known === dialect))
    throw badInput(`A dialect is one of ${oneOf(dialects)}.`, 'dialect');
  if ((userClaim !== null) !== (dialect === 'agent-in-sub'))
    throw badInput('The dialect agent-in-sub names the claim of the person; no other does.', 'userClaim');
  const claim = 'A claim has 1 to 100 visible characters of ASCII, and is not `sub` or `act`.';
  const isFree = userClaim !== 'sub' && userClaim !== 'act';
  if (userClaim !== null && !(isFree && /^[\x21-\x7e]{1,100}$/.test(userClaim)))
    throw badInput(claim, 'userClaim');
  return { dialect, userClaim };
}

function typesOf(types: readonly string[]): readonly string[] {
  const known = foreignTokenTypes.filter((type) => types.includes(type));
  if (known.length > 0 && types.every((type) => foreignTokenTypes.some((one) => one === type))) return known;
  throw badInput(`Accept at least one of ${oneOf(foreignTokenTypes)}.`, 'tokenTypes');
}

function audiencesOf(audiences: readonly string[]): readonly string[] {
  for (const audience of audiences)
    checked(
      audience,
      /^[\x21-\x7e]{1,255}$/,
      'audiences',
      'An audience has 1 to 255 visible characters of ASCII.',
    );
  if (audiences.length > 20) throw badInput('An issuer has at most 20 audiences.', 'audiences');
  return [...new Set(audiences)];
}

function within(value: number, max: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  throw badInput(`${what} is a whole number from 1 to ${String(max)}.`);
}

/**
 * Trusts an issuer: agents may exchange its tokens for the people of a provider. Its tokens count only for people all of
 * whose roles `by` may grant.
 */
export async function addIssuer(
  unit: UnitOfWork,
  by: string,
  { id: providerId }: IdentityProviderRow,
  input: NewIssuer,
  allowHttp: boolean,
): Promise<TokenIssuerRow> {
  await lockProvider(unit.tx, providerId);
  const row: TokenIssuerRow = {
    id: unit.ids.next(),
    name: checked(
      input.name,
      namePattern,
      'name',
      'A name has lower-case letters, digits and `-`, up to 40.',
    ),
    issuer: issuerOf(input.issuer, allowHttp),
    providerId,
    ...readingOf(input),
    tokenTypes: typesOf(input.tokenTypes),
    audiences: audiencesOf(input.audiences),
    ageMaxSeconds: within(input.ageMaxSeconds, daySeconds, 'The greatest age of a token, in seconds,'),
    actorsMax: within(input.actorsMax, actorsLimit, 'The greatest number of actors'),
    addedBy: by,
    createdAt: isoTime(unit.clock.now()),
    version: 1,
  };
  await unit.tx.insert(tokenIssuers, [row]).catch((error: unknown) => {
    throw isDuplicate(error) ? conflict('There is an issuer of this name or with this URL already.') : error;
  });
  note(unit, row, 'create');
  return row;
}

/** Trusts an issuer no more. The delegations that its tokens made, and the access tokens that they got, end. */
export async function removeIssuer(unit: UnitOfWork, by: string, issuer: TokenIssuerRow): Promise<number> {
  const { tx, clock, trail } = unit;
  const ended = await endByIssuer({ tx, clock, by }, eq<IssuerDelegationRow>('issuerId', issuer.id));
  noteEnds(trail, ended);
  await tx.delete(tokenIssuerAgents, eq('issuerId', issuer.id));
  await tx.delete(tokenIssuers, eq('id', issuer.id));
  note(unit, issuer, 'delete');
  return ended.length;
}

/** The issuer means this agent by an actor's name. `by` must be allowed to grant all roles of the agent. */
export async function mapAgent(
  unit: UnitOfWork,
  by: string,
  { id: issuerId }: TokenIssuerRow,
  actor: string,
  agent: AgentRow,
): Promise<void> {
  await requireGrantableAgent(unit.tx, by, agent);
  if (actor === '' || actor.length > 255 || !actor.isWellFormed())
    throw badInput('An actor has a name of 1 to 255 characters.', 'actor');
  const mappedAt = isoTime(unit.clock.now());
  const row = { issuerId, actor, agentId: agent.id, mappedBy: by, mappedAt };
  await unit.tx.insert(tokenIssuerAgents, [row]).catch((error: unknown) => {
    throw isDuplicate(error) ? conflict('This actor is mapped to an agent already.') : error;
  });
  noteMap(unit, agent.id, null, issuerId);
}

/** The actor is nobody from now on. What rests on the issuer's tokens for this agent ends. */
export async function unmapAgent(
  unit: UnitOfWork,
  by: string,
  { id: issuerId }: TokenIssuerRow,
  actor: string,
): Promise<number> {
  const { tx, clock, trail } = unit;
  const isEntry = all<TokenIssuerAgentRow>(eq('issuerId', issuerId), eq('actor', actor));
  const entry = await tx.one(tokenIssuerAgents, isEntry);
  if (entry === undefined) throw notFound('This entry of the map');
  const resting = all<IssuerDelegationRow>(eq('issuerId', issuerId), eq('agentId', entry.agentId));
  const ended = await endByIssuer({ tx, clock, by }, resting);
  noteEnds(trail, ended);
  await tx.delete(tokenIssuerAgents, isEntry);
  noteMap(unit, entry.agentId, issuerId, null);
  return ended.length;
}

/** Issuers are no type of the schema, so every reader of a record sees its values: none goes in. */
function note(unit: UnitOfWork, { id }: TokenIssuerRow, action: 'create' | 'delete'): void {
  unit.trail.touched(tokenIssuers.type, [id], action);
  const [before, after] = action === 'create' ? [null, {}] : [{}, null];
  unit.trail.changed({ type: tokenIssuers.type, id, before, after });
}

function noteMap(unit: UnitOfWork, agentId: string, before: string | null, after: string | null): void {
  const shown = (issuerId: string | null) => (issuerId === null ? null : { namedBy: issuerId });
  unit.trail.touched(agents.type, [agentId], 'update');
  unit.trail.changed({ type: agents.type, id: agentId, before: shown(before), after: shown(after) });
}
