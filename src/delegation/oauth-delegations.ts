import type { Authority } from '../authority/authority.js';
import type { Clock } from '../core/clock.js';
import { canonicalJson } from '../core/digest.js';
import { badInput, BehalfError, conflict, notFound } from '../core/errors.js';
import { isId, type Ids } from '../core/ids.js';
import { all, eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import type { Database } from '../store/sql/database.js';
import { delegations, type DelegationRow } from '../store/tables/identity.js';
import type { AuthRecords } from './auth-records.js';
import type { Authorities } from './authorities.js';
import type { Catalog } from './schema-catalog.js';
import { findConsent, storeConsent } from './consent.js';
import { readStoredBoundary } from './boundary-values.js';
import { chosenOf, findValues, offerToConsent } from './consent-offer.js';
import { recordEnded, recordMade } from './delegation-records.js';
import { hasStatus, revokeDelegation } from './end-delegation.js';
import { bumpEpoch, readEpoch } from './authority-epoch.js';
import {
  makeDelegation,
  makeOffered,
  makeSubDelegation,
  type CreateContext,
  type Offer,
  type Under,
} from './create-delegation.js';
import { delegationOf } from './foreign-delegations.js';
import { chainIn, grantUnder } from './grant-under.js';
import { lockParties, type Parties } from './lock-parties.js';
import { refused } from './narrow-delegation.js';
import type {
  AgentTokenInput,
  ClientCredentialsInput,
  ConsentChoice,
  ConsentInput,
  ConsentOffer,
  ForeignTokenInput,
  FoundValues,
  HandedOver,
  IssuedToken,
  LiveToken,
  NamedDelegation,
  PersonTokenInput,
  TaskChoice,
  TokenGrant,
  ValueSearch,
} from './token-grant.js';

const never = Number.MAX_SAFE_INTEGER;

/** Delegations for the authorization server. Every refusal is a `BehalfError`. */
export class OAuthDelegations {
  constructor(
    private readonly database: Database,
    private readonly authorities: Pick<Authorities, 'ofPerson' | 'resolveInside'>,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly catalog: Catalog,
    private readonly records: AuthRecords,
  ) {}

  /** The active delegations that name this agent, the newest first. */
  async activeOf(agentId: string, max: number): Promise<readonly NamedDelegation[]> {
    const active = all(eq<DelegationRow>('agentId', agentId), hasStatus('active', this.clock.now()));
    const newest = { order: [{ column: 'id', direction: 'desc' }], limit: max } as const;
    const rows = await this.database.read.select(delegations, active, newest);
    return rows.map(({ id, task }) => ({ id, task }));
  }

  /** Grants a token under an existing delegation that names this agent. */
  async forClientCredentials(input: ClientCredentialsInput): Promise<TokenGrant> {
    const tx = this.database.read;
    const row = isId(input.delegationId) ? await tx.byId(delegations, input.delegationId) : undefined;
    // Another agent's delegation looks like one that does not exist.
    if (row?.agentId !== input.agentId) throw notFound('Delegation');
    return grantUnder(tx, await this.authority(tx, row, row.scopes), row, input, input.scopes);
  }

  /** Makes a delegation where the person has consented to this agent; refuses otherwise. */
  exchangePersonToken(input: PersonTokenInput): Promise<TokenGrant> {
    return this.withLockedEpoch(input, async (context) => {
      const { task, purpose, agentId, userId } = input;
      if (task === undefined || purpose === undefined) {
        throw badInput('Say which task this is for: `task` and `purpose`.', 'task');
      }
      const within = { scopes: input.personTokenScopes, acr: input.acr };
      const person = await this.person(context.tx, userId, within);
      const { role, ceiling, endsBy } = await findConsent(context, userId, agentId, input.role);
      const { scopes, limits } = input;
      const boundary = readStoredBoundary(input.boundary);
      const request = { agent: agentId, role, scopes, boundary, ...limits, task, purpose };
      const row = await makeDelegation(context, person, request, {
        ...{ also: [ceiling], endsBy },
        ...forResource(input),
      });
      await recordMade(this.records, context.tx, row, 'a token exchange');
      return grantUnder(context.tx, await this.authority(context.tx, row, row.scopes), row, input, undefined);
    });
  }

  /** Makes a sub-delegation within the parent delegation and the parent's token. */
  exchangeAgentToken(input: AgentTokenInput): Promise<TokenGrant> {
    const parties = { agentId: input.agentId, parentId: input.delegationId };
    return this.withLockedEpoch(parties, async (context) => {
      const { tx } = context;
      const parent = isId(input.delegationId) ? await tx.byId(delegations, input.delegationId) : undefined;
      if (parent?.agentId !== input.fromAgentId) throw notFound('Delegation');
      const giver = await this.authority(tx, parent, input.parentTokenScopes, input.parentGeneration);
      const request = {
        agent: input.agentId,
        role: input.role,
        task: input.task ?? parent.task,
        purpose: input.purpose ?? parent.purpose,
        scopes: input.scopes,
        boundary: readStoredBoundary(input.boundary),
        ...input.limits,
      };
      const row = await makeSubDelegation(context, giver, request, forResource(input));
      await recordMade(this.records, tx, row, 'a token exchange');
      return grantUnder(tx, await this.authority(tx, row, row.scopes), row, input, undefined);
    });
  }

  /** Makes or uses a delegation for the parties of another issuer's token, within the token's own scopes. */
  exchangeForeignToken(input: ForeignTokenInput): Promise<TokenGrant> {
    return this.withLockedEpoch(undefined, async (making) => {
      const { tx } = making;
      const { row, scopes } = await delegationOf(
        {
          ...making,
          boundary: readStoredBoundary(input.boundary),
          person: (userId, within) => this.person(tx, userId, { scopes: within }),
          authority: (of) => this.authority(tx, of, of.scopes),
          recordMade: (of) => recordMade(this.records, tx, of, `a token of another issuer (${input.detail})`),
        },
        input,
      );
      return grantUnder(tx, await this.authority(tx, row, row.scopes), row, input, scopes);
    });
  }

  /** The rights that a person is asked to allow an agent. Throws where nothing is left to allow. */
  async consentOffer(input: ConsentInput): Promise<ConsentOffer> {
    const tx = this.database.read;
    const person = await this.person(tx, input.userId, { acr: input.acr });
    return (await offerToConsent(this.offering(tx), person, input)).inWords;
  }

  /** Looks for values to which the person may narrow an offer, under the person's own rights. */
  async findValues(input: ValueSearch): Promise<FoundValues> {
    const tx = this.database.read;
    return findValues(this.offering(tx), await this.person(tx, input.userId, { acr: input.acr }), input);
  }

  /**
   * Stores the consent to the offer, or to the part of it that the person chose. Throws `CONFLICT` where the offer has
   * changed since.
   */
  async consent(
    tx: Connection,
    input: ConsentInput & { readonly offer: ConsentOffer; readonly choice: ConsentChoice },
  ): Promise<void> {
    const { chosen } = await this.chosen(tx, input);
    const { ended } = await storeConsent(this.makingIn(tx), input.userId, chosen, input.choice.seconds);
    await recordEnded(
      this.records,
      tx,
      ended,
      'a narrower consent replaced the one that allowed this delegation',
    );
  }

  /** As `consent`, for an agent's one task: makes the delegation, which ends after the chosen time. */
  async handOver(
    tx: Connection,
    input: ConsentInput & { readonly offer: ConsentOffer; readonly choice: TaskChoice },
  ): Promise<HandedOver> {
    const { person, chosen } = await this.chosen(tx, input);
    const { operations, rows, depth } = input.offer.limits;
    const { purpose, task, seconds } = input.choice;
    if (seconds > input.offer.seconds.max) throw badInput('The task ends later than was offered.', 'seconds');
    const limits = { operations, rows, depth, expiresInSeconds: seconds };
    const { resources } = input;
    const request = { ...limits, purpose, task };
    const row = await makeOffered(this.makingIn(tx), person, chosen, request, { resources });
    await recordMade(this.records, tx, row, 'consent in the browser');
    return { delegationId: row.id, expiresAt: row.expiresAt };
  }

  /** Ends what `handOver` made. */
  async takeBack(tx: Connection, { delegationId }: HandedOver, userId: string): Promise<void> {
    const ended = await revokeDelegation({ tx, clock: this.clock, by: userId }, delegationId);
    await recordEnded(this.records, tx, ended, 'the person decided otherwise on the same page');
  }

  /** The chosen part of the offer. Throws `CONFLICT` where the offer has changed since. Locks the epoch. */
  private async chosen(
    tx: Connection,
    input: ConsentInput & { readonly offer: ConsentOffer; readonly choice: ConsentChoice },
  ): Promise<{ readonly person: Authority; readonly chosen: Offer }> {
    await readEpoch(tx, true);
    const person = await this.person(tx, input.userId, { acr: input.acr });
    const now = await offerToConsent(this.offering(tx), person, { ...input, role: input.offer.role });
    if (canonicalJson(now.inWords) !== canonicalJson(input.offer)) {
      throw conflict('What may be allowed has changed meanwhile. Look at it again.');
    }
    return { person, chosen: await chosenOf(this.offering(tx), person, now, input.choice) };
  }

  /** Undefined once the token, the delegation, one of its agents, a parent or the person has ended. */
  async liveToken({ userId, scopes, acr, ...of }: IssuedToken): Promise<LiveToken | undefined> {
    const { authorities } = this;
    const signIn = { at: undefined, acr };
    const fact = { tokenId: '', userId, scopes, expiresAt: never };
    try {
      const authority = await authorities.resolveInside(
        this.database.read,
        of.delegationId === undefined ? { ...fact, signIn } : { ...fact, ...of },
      );
      const { agents: acting } = chainIn(authority);
      return { agents: acting, scopes: scopes.filter((scope) => authority.allows(scope)) };
    } catch (error) {
      if (error instanceof BehalfError && error.code === 'UNAUTHENTICATED') return undefined;
      throw error;
    }
  }

  epochBump(tx: Connection): Promise<void> {
    return bumpEpoch(tx);
  }

  /** Runs in a transaction that locks the epoch, so that no right can change between its reads and writes. */
  private withLockedEpoch<T>(
    parties: Parties | undefined,
    work: (context: CreateContext) => Promise<T>,
  ): Promise<T> {
    return this.database.transaction(async (tx) => {
      const context = this.makingIn(tx);
      if (parties !== undefined) await lockParties(context, parties);
      await readEpoch(tx, true);
      return work(context);
    });
  }

  private makingIn(tx: Connection): CreateContext {
    return { tx, clock: this.clock, ids: this.ids, catalog: this.catalog };
  }

  /** Throws `UNAUTHENTICATED` where anything that the delegation depends on has ended. */
  private authority(
    tx: Connection,
    row: DelegationRow,
    scopes: readonly string[],
    generation?: number,
  ): Promise<Authority> {
    return this.authorities.resolveInside(tx, {
      tokenId: '',
      userId: row.userId,
      delegationId: row.id,
      generation,
      scopes,
      expiresAt: never,
    });
  }

  /** The person's own rights. Throws where they may not hand over tasks. */
  private async person(
    tx: Connection,
    userId: string,
    within: { readonly scopes?: readonly string[] | undefined; readonly acr?: string | undefined },
  ): Promise<Authority> {
    const { scopes = [...this.catalog.definitions.keys()], acr } = within;
    const person = await this.authorities.ofPerson(tx, userId, scopes, acr);
    requireDelegateScope(person);
    return person;
  }

  private offering(tx: Connection): Pick<CreateContext, 'tx' | 'catalog'> {
    return { tx, catalog: this.catalog };
  }
}

const forResource = ({ resource }: Pick<AgentTokenInput, 'resource'>): Pick<Under, 'resources'> =>
  resource === undefined ? {} : { resources: [resource] };

/** Checks the person's own right to delegate. Their token need not carry the scope. */
function requireDelegateScope(person: Authority): void {
  const held = person.layers.every((layer) => layer.rights.has(delegateScope));
  if (!held) throw refused('person', [delegateScope]);
}

const delegateScope = 'delegations:create';
