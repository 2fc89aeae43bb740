import type { Clock } from '../../core/clock.js';
import { canonicalJson, sha256 } from '../../core/digest.js';
import { badInput, BehalfError, isOurFailure } from '../../core/errors.js';
import type { Connection } from '../../store/sql/connection.js';
import type { Database } from '../../store/sql/database.js';
import { decisionOf, requireUndecided } from '../library/device-codes.js';
import { requireInteraction } from '../library/interaction-adapter.js';
import { describable } from '../library/oauth-errors.js';
import { consentPage, type ConsentFault } from '../pages/consent-page.js';
import { deadEndPage, expiredPage } from '../pages/dead-end-page.js';
import type {
  AuthEvent,
  ConsentChoice,
  ConsentInput,
  ConsentOffer,
  Delegations,
  FoundValues,
  HandedOver,
  Recorder,
} from '../contract/dependencies.js';
import {
  allOf,
  choiceOf,
  isEmpty,
  isGone,
  isUnfinished,
  isUntold,
  ticksIn,
  type Found,
  type Ticks,
} from './consent-form.js';
import { consentRequest } from './consent-request.js';
import { handedOver, keepHandedOver, takeBackHandedOver } from '../library/handed-over.js';
import type { Resource, Resources } from '../resources.js';
import { requireSignIn } from '../step/current-sign-in.js';
import {
  denied,
  done,
  eventBase,
  page,
  type Step,
  type StepOutcome,
  type StepRequest,
} from '../step/step.js';

interface ConsentParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly delegations: Delegations;
  readonly recorder: Recorder;
  readonly resources: Resources;
}

/** The request of a program, with the resources that it names. */
interface Asked {
  readonly input: ConsentInput;
  readonly resources: readonly Resource[];
}

/** Identifies everything that the page shows of what could be allowed. */
const versionOf = ({ offer, resources }: Pick<Shown, 'offer' | 'resources'>): string =>
  sha256(canonicalJson({ offer, servers: resources.map(({ server }) => server?.id ?? null) }));

/** The consent as its record tells it. */
const told = ({ agent, role }: ConsentOffer, { scopes, boundary, seconds }: ConsentChoice): string => {
  const only = Object.entries(boundary).map(([dimension, values]) => `${dimension}: ${values.join(', ')}`);
  const named = `agent ${agent.name}, role ${role}: ${scopes.join(' ')}`;
  return [named, ...only, `for ${String(seconds)} seconds`].join('; ');
};

/** RFC 8707 section 2, RFC 6749 section 4.1.2.1, RFC 9396 section 5. */
function faultOfRequest({ details: { path } }: BehalfError): string {
  if (path === 'resource') return 'invalid_target';
  return path === 'scope' ? 'invalid_scope' : 'invalid_authorization_details';
}

/** The reason of a refusal, as the program may know it. What the person lacks is in the record alone. */
const toldToProgram = ({ code, message, details }: BehalfError): string =>
  code === 'FORBIDDEN' && details.layer === 'person'
    ? 'The person cannot hand over what was asked.'
    : message;

/** The contents of the page. */
interface Shown extends Asked {
  readonly offer: ConsentOffer;
  readonly ticks: Ticks;
  readonly found: Found;
}

/** Why the consent is not stored. New parts of a changed offer are not ticked, because nobody has agreed to them. */
function faultOf(form: URLSearchParams, shown: Shown): ConsentFault | undefined {
  const { offer, ticks, found } = shown;
  if (form.get('version') !== versionOf(shown)) return 'changed';
  if (isGone(ticks, found)) return 'gone';
  if (form.get('action') === 'search') return undefined;
  if (isEmpty(offer, ticks)) return 'empty';
  if (isUnfinished(ticks)) return 'unfinished';
  if (isUntold(offer, ticks)) return 'untold';
  return ticks.seconds === undefined ? 'endless' : undefined;
}

/**
 * A person allows an agent to exchange the person's token (`may_act`, RFC 8693 section 4.4), or hands over the one task
 * for which the agent itself asks. What is stored is exactly what the page showed and the person left ticked: an offer
 * that changed meanwhile is shown again. A form that comes twice makes one task, and another decision before the program
 * was told takes it back. A refusal goes to the program, which waits for an answer, and is recorded.
 */
export class Consent implements Step {
  constructor(private readonly parts: ConsentParts) {}

  show(request: StepRequest): Promise<StepOutcome> {
    return this.answer(request, async (asked) => {
      const offer = await this.parts.delegations.consentOffer(asked.input);
      return this.page(request, { ...asked, offer, ticks: allOf(offer), found: new Map() });
    });
  }

  submit(request: StepRequest, form: URLSearchParams): Promise<StepOutcome> {
    return this.answer(request, async (asked) => {
      const { input } = asked;
      const offer = await this.parts.delegations.consentOffer(input);
      const ticks = ticksIn(form, offer);
      const shown = { ...asked, offer, ticks, found: await this.find(input, offer, ticks) };
      const fault = faultOf(form, shown);
      if (fault !== undefined || ticks.seconds === undefined || form.get('action') === 'search')
        return this.page(request, shown, fault);
      const handed = await this.store(request, shown, choiceOf(ticks, ticks.seconds));
      return done({ consent: { ...handed } });
    });
  }

  async cancel(request: StepRequest): Promise<StepOutcome> {
    await this.undo(request);
    await this.recordRefusal(request, { detail: 'the person refused' });
    return denied('the person refused');
  }

  async undo(request: StepRequest): Promise<void> {
    await this.parts.database.transaction(async (tx) => {
      await requireSignIn(tx, request.signedIn);
      await takeBackHandedOver(tx, decisionOf(request), this.parts.delegations);
    });
  }

  private async answer(
    request: StepRequest,
    work: (asked: Asked) => Promise<StepOutcome>,
  ): Promise<StepOutcome> {
    try {
      const input = consentRequest(request);
      return input === undefined ? page(expiredPage) : await work(await this.within(input));
    } catch (error) {
      if (!(error instanceof BehalfError)) throw error;
      if (isOurFailure(error)) return page(deadEndPage(503, 'Try again later', error.message, error.code));
      await this.recordRefusal(request, { detail: error.message, errorCode: error.code });
      return error.code === 'BAD_USER_INPUT'
        ? done({ error: faultOfRequest(error), error_description: describable(error.message) })
        : denied(toldToProgram(error));
    }
  }

  /** Tokens for other servers alone have no scope beyond those of these servers, so none is offered. */
  private async within(input: ConsentInput): Promise<Asked> {
    const resources: Resource[] = [];
    for (const identifier of input.resources ?? []) {
      const resource = await this.parts.resources.find(identifier);
      if (resource === undefined) throw badInput('The resource is not known any more.', 'resource');
      resources.push(resource);
    }
    if (resources.every(({ server }) => server === undefined)) return { input, resources };
    const { ceiling } = input;
    const scopes = [...new Set(resources.flatMap((resource) => resource.scopes))];
    const within = scopes.filter((scope) => ceiling?.includes(scope) !== false);
    return { input: { ...input, ceiling: within }, resources };
  }

  /** The results of a search and the values chosen before, for each dimension that is searched. */
  private async find(
    { userId, acr }: ConsentInput,
    { boundary }: ConsentOffer,
    { values, terms }: Ticks,
  ): Promise<Found> {
    const person = { userId, ...(acr === undefined ? {} : { acr }) };
    const found = new Map<string, FoundValues>();
    for (const { dimension, narrowing } of boundary) {
      const [term, chosen] = [terms.get(dimension) ?? '', values.get(dimension) ?? []];
      if (narrowing.kind !== 'search' || (term === '' && chosen.length === 0)) continue;
      found.set(dimension, await this.parts.delegations.findValues({ ...person, dimension, term, chosen }));
    }
    return found;
  }

  private store(
    request: StepRequest,
    { input, offer, ticks }: Shown,
    choice: ConsentChoice,
  ): Promise<HandedOver | undefined> {
    const { database, clock, recorder } = this.parts;
    return database.transaction(async (tx) => {
      await requireSignIn(tx, request.signedIn);
      const { device, uid } = request;
      await requireInteraction(tx, uid);
      const lastBegunMs =
        device === undefined ? clock.now() : await requireUndecided(tx, clock, device, input.userId);
      const form = sha256(canonicalJson({ choice, words: ticks.words }));
      const decision = decisionOf(request);
      const before = await handedOver(tx, decision);
      if (before?.form === form) return before.handed;
      await takeBackHandedOver(tx, decision, this.parts.delegations);
      const handed = await this.storeIn(tx, { ...input, offer, choice }, ticks);
      if (handed !== undefined)
        await keepHandedOver(tx, decision, { handed, userId: input.userId, form }, lastBegunMs);
      await recorder.recordAuthEventIn(tx, {
        ...eventBase(request),
        kind: 'consent',
        outcome: 'success',
        userId: input.userId,
        ...(handed === undefined ? {} : { delegationId: handed.delegationId }),
        detail: told(offer, choice),
      });
      return handed;
    });
  }

  private async storeIn(
    tx: Connection,
    input: ConsentInput & { readonly offer: ConsentOffer; readonly choice: ConsentChoice },
    { words }: Ticks,
  ): Promise<HandedOver | undefined> {
    const { delegations } = this.parts;
    if (input.task !== undefined)
      return delegations.handOver(tx, { ...input, choice: { ...input.choice, ...words } });
    await delegations.consent(tx, input);
    return undefined;
  }

  private async recordRefusal(
    request: StepRequest,
    why: Pick<AuthEvent, 'detail' | 'errorCode'>,
  ): Promise<void> {
    const userId = request.signedIn?.userId;
    await this.parts.recorder.recordAuthEvent({
      ...eventBase(request),
      kind: 'consent',
      outcome: 'refused',
      ...(userId === undefined ? {} : { userId }),
      ...why,
    });
  }

  /** The page names rows of the company, so it is recorded before it is sent. */
  private async page(request: StepRequest, shown: Shown, fault?: ConsentFault): Promise<StepOutcome> {
    const { offer, ticks, found, resources } = shown;
    const rows = [...offer.boundary, ...found.values()].flatMap((one) => one.shown);
    if (rows.length > 0 && request.signedIn !== undefined) {
      await this.parts.recorder.recordAuthEvent({
        ...eventBase(request),
        kind: 'consent',
        outcome: 'success',
        userId: request.signedIn.userId,
        detail: `agent ${offer.agent.name}, role ${offer.role}: looked at what could be allowed`,
        shown: rows,
      });
    }
    return page(
      consentPage({ ...request, resources, offer, version: versionOf(shown), ticks, found, fault }),
    );
  }
}
