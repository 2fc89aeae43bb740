import { metBy } from '../authority/sign-in-policy.js';
import type { Authority } from '../authority/authority.js';
import { holdingOf } from '../authority/holding.js';
import type { Scope } from '../authority/scope.js';
import { isoTime, type Clock } from '../core/clock.js';
import { badInput, BehalfError, internal, notFound } from '../core/errors.js';
import { isId, type Ids } from '../core/ids.js';
import { visibleLine } from '../core/checked-text.js';
import { eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import {
  agents,
  delegations,
  type AgentRow,
  type DelegationRow,
  type RoleRow,
  type StoredBoundary,
  type StoredLimits,
} from '../store/tables/identity.js';
import { BoundaryLookup, readBoundary } from './boundary-values.js';
import { isPeopleOnly, type Catalog } from './schema-catalog.js';
import { chooseRole } from './choose-role.js';
import { rolesOfAgent } from './role-loader.js';
import { ceilingsOf, narrow, narrowLimits, type Ceiling, type Narrowed } from './narrow-delegation.js';

export interface CreateContext {
  readonly tx: Connection;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly catalog: Catalog;
}

/** The rights that a person or agent wants to delegate, and to which agent. */
export interface RequestedRights {
  /** The agent's name or id. */
  readonly agent: string;
  /** One of the agent's roles. It may be left out where only one fits. */
  readonly role?: string | null | undefined;
  /** Undefined: all scopes that the role and the giver share. */
  readonly scopes?: readonly Scope[] | null | undefined;
  /** Only the dimensions to narrow. */
  readonly boundary?: StoredBoundary | null | undefined;
}

export interface DelegationRequest extends RequestedRights, DelegationTask {}

/** In characters. */
export const purposeMax = 500;
export const taskMax = 200;

interface DelegationTask {
  readonly purpose: string;
  readonly task: string;
  readonly operations?: number | null | undefined;
  readonly rows?: number | null | undefined;
  /** How many times the delegation may be passed on to another agent. */
  readonly depth?: number | null | undefined;
  /** Default: one hour. For a standing delegation: as long as the role allows. */
  readonly expiresInSeconds?: number | null | undefined;
  /** For an agent on a schedule: the delegation ends by its person or its expiry, not with one task. */
  readonly standing?: boolean | null | undefined;
}

export interface Offer extends Narrowed {
  readonly agent: AgentRow;
  readonly role: RoleRow;
}

const expiryDefaultSeconds = 3_600;

/**
 * The named agent, and its role for the request. Throws `NOT_FOUND` for an unknown agent, `FORBIDDEN` where no role fits.
 */
export async function agentWithRole(
  tx: Connection,
  requested: RequestedRights,
): Promise<{ readonly agent: AgentRow; readonly role: RoleRow }> {
  const agent = await findAgent(tx, requested.agent);
  const held = await rolesOfAgent(tx, agent.id);
  return { agent, role: chooseRole(held, requested.role ?? undefined, requested.scopes ?? []) };
}

/** How long a task lasts where the request does not say. */
export const taskSecondsOf = ({ limits }: Pick<RoleRow, 'limits'>): number =>
  Math.min(expiryDefaultSeconds, limits.expirySeconds);

/**
 * The part of `giver`'s rights that an agent may receive. Throws `NOT_FOUND` for an unknown agent,
 * `FORBIDDEN` with layer and scopes where the giver or the agent's role lacks a scope, `BAD_USER_INPUT` for a
 * value that names nothing.
 */
export async function offer(
  context: Pick<CreateContext, 'tx' | 'catalog'>,
  giver: Authority,
  requested: RequestedRights,
  also: readonly Ceiling[] = [],
): Promise<Offer> {
  const { agent, role } = await agentWithRole(context.tx, requested);
  const scopesForAgents = role.scopes.filter((scope) => !isPeopleOnly(context.catalog, scope));
  const { rights } = holdingOf([{ ...role, scopes: scopesForAgents }]);
  const ceilings: Ceiling[] = [...ceilingsOf(giver), ...also, { layer: 'agent', rights }];
  const lookup = new BoundaryLookup(context.tx, context.catalog, giver);
  const namedValues = await lookup.read(
    readBoundary(context.catalog, requested.boundary ?? {}, giver.chain.person.id),
  );
  const boundary = new Map(
    [...namedValues].map(([dimension, values]) => [
      dimension,
      values === 'all' ? values : new Set(values.keys()),
    ]),
  );
  const scopes = requested.scopes ?? undefined;
  const narrowed = narrow(ceilings, { scopes, boundary }, context.catalog.dimensions.keys());
  // Looked up after narrowing, so that values outside the giver's own boundary are refused alike, whether
  // they exist or not.
  await lookup.require(namedValues, narrowed.scopes);
  if (agent.status !== 'active') throw stopped(agent, narrowed.scopes);
  return { ...narrowed, agent, role };
}

/** The bounds of a delegation beside those of its giver and its agent. */
export interface Under {
  /** The rights that a consent allows. */
  readonly also?: readonly Ceiling[];
  /** The resources (RFC 8707) that its tokens may be for. Undefined: all that the giver has. */
  readonly resources?: readonly string[] | undefined;
  /** Milliseconds. */
  readonly endsBy?: number;
}

/**
 * A person delegates one task to an agent. `giver` is the person's own live authority, without an agent in
 * its chain.
 */
export async function makeDelegation(
  context: CreateContext,
  giver: Authority,
  request: DelegationRequest,
  under: Under = {},
): Promise<DelegationRow> {
  requireInPerson(giver);
  const offered = await offer(context, giver, request, under.also);
  return makeOffered(context, giver, offered, request, under);
}

/** Throws `FORBIDDEN` where an agent acts. */
export function requireInPerson({ chain }: Authority): void {
  if (chain.agents.length === 0) return;
  throw new BehalfError('FORBIDDEN', 'Only a person, acting in person, can hand over a task or consent.', {
    layer: 'agent',
    hint: 'An agent hands on a part of its own task: the next agent exchanges its token.',
  });
}

/** As `makeDelegation`, of an offer of this transaction. */
export async function makeOffered(
  context: CreateContext,
  giver: Authority,
  offered: Offer,
  request: DelegationTask,
  under: Under = {},
): Promise<DelegationRow> {
  const { limits } = offered.role;
  const granted = narrowLimits([limits], {
    ...asLimits(request),
    expirySeconds:
      request.expiresInSeconds ?? (request.standing === true ? undefined : taskSecondsOf(offered.role)),
  });
  return insert(context, offered, request, granted, {
    userId: giver.chain.person.id,
    parentId: null,
    depth: 0,
    standing: request.standing ?? false,
    signIn: metBy(giver.signIn?.acr),
    resources: under.resources ?? null,
    endsBy: under.endsBy ?? Number.POSITIVE_INFINITY,
  });
}

/**
 * An agent delegates part of its task to another agent. `giver` is the live authority of the parent's token.
 * The sub-delegation gets no right that any layer of the parent lacks, and no more than the parent's
 * remaining limits.
 */
export async function makeSubDelegation(
  context: CreateContext,
  giver: Authority,
  request: DelegationRequest,
  under: Under = {},
): Promise<DelegationRow> {
  const parent = await context.tx.byId(delegations, giver.task?.delegationId ?? '');
  if (parent === undefined) throw notFound('Delegation');
  const offered = await offer(context, giver, request, under.also);
  if (giver.chain.agents.some((agent) => agent.id === offered.agent.id)) {
    throw badInput('This agent is in the chain already.', 'agent');
  }
  const depthLeft = parent.depthMax - parent.depth - 1;
  if (depthLeft < 0) {
    throw new BehalfError('LIMIT_EXCEEDED', 'This task may not be handed on any further.', {
      limit: 'depth',
      hint: 'Ask the person who delegated it for a delegation with more depth.',
    });
  }
  const endsBy = Math.min(Date.parse(parent.expiresAt), under.endsBy ?? Number.POSITIVE_INFINITY);
  const left: StoredLimits = {
    operations: parent.operationsMax - parent.operationsUsed,
    rows: parent.rowsMax - parent.rowsUsed,
    expirySeconds: Math.ceil((endsBy - context.clock.now()) / 1000),
    depth: depthLeft,
  };
  const granted = narrowLimits([offered.role.limits, left], asLimits(request));
  return insert(context, offered, request, granted, {
    userId: parent.userId,
    parentId: parent.id,
    depth: parent.depth + 1,
    standing: false,
    signIn: parent.signIn,
    resources: under.resources ?? parent.resources,
    endsBy,
  });
}

export const asLimits = (
  request: Omit<DelegationTask, 'purpose' | 'task'>,
): Partial<Record<keyof StoredLimits, number | undefined>> => ({
  operations: request.operations ?? undefined,
  rows: request.rows ?? undefined,
  expirySeconds: request.expiresInSeconds ?? undefined,
  depth: request.depth ?? undefined,
});

interface Root extends Pick<
  DelegationRow,
  'userId' | 'parentId' | 'depth' | 'standing' | 'signIn' | 'resources'
> {
  /** Milliseconds. */
  readonly endsBy: number;
}

async function insert(
  { tx, clock, ids }: CreateContext,
  offered: Offer,
  request: DelegationTask,
  limits: StoredLimits,
  { endsBy, ...root }: Root,
): Promise<DelegationRow> {
  const now = clock.now();
  const id = ids.next();
  const row: DelegationRow = {
    id,
    ...root,
    agentId: offered.agent.id,
    roleId: offered.role.id,
    purpose: visibleLine(request.purpose, purposeMax, 'purpose'),
    task: visibleLine(request.task, taskMax, 'task'),
    scopes: offered.scopes,
    boundary: offered.boundary,
    operationsMax: limits.operations,
    operationsUsed: 0,
    rowsMax: limits.rows,
    rowsUsed: 0,
    depthMax: root.depth + limits.depth,
    status: 'active',
    createdAt: isoTime(now),
    expiresAt: isoTime(Math.min(now + limits.expirySeconds * 1000, endsBy)),
    endedAt: null,
    endedBy: null,
    version: 1,
  };
  await tx.insert(delegations, [row]);
  const stored = await tx.byId(delegations, id);
  if (stored === undefined) throw internal(new Error(`Delegation ${id} was not stored.`));
  return stored;
}

async function findAgent(tx: Connection, nameOrId: string): Promise<AgentRow> {
  // MySQL may ignore trailing spaces when it compares, and no agent's name ends with one.
  const byName = nameOrId.endsWith(' ') ? undefined : await tx.one(agents, eq<AgentRow>('name', nameOrId));
  const agent = byName ?? (isId(nameOrId) ? await tx.byId(agents, nameOrId) : undefined);
  if (agent === undefined) throw notFound('Agent');
  return agent;
}

const stopped = (agent: AgentRow, missingScopes: readonly Scope[]): BehalfError =>
  new BehalfError('FORBIDDEN', `${agent.displayName} has been stopped.`, {
    missingScopes,
    layer: 'agent',
    hint: 'An administrator can start it again.',
  });
