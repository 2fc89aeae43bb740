import { canonicalJson, sha256 } from '../../core/digest.js';
import { BehalfError, isOurFailure } from '../../core/errors.js';
import type { Database } from '../../store/sql/database.js';
import { consentDetails, parseDetails } from '../library/authorization-details.js';
import { consentPage, type ConsentFault } from '../pages/consent-page.js';
import { deadEndPage, expiredPage } from '../pages/dead-end-page.js';
import type {
  ConsentChoice,
  ConsentInput,
  ConsentOffer,
  Delegations,
  FoundValues,
  Recorder,
} from '../contract/dependencies.js';
import {
  allOf,
  choiceOf,
  isEmpty,
  isGone,
  isUnfinished,
  ticksIn,
  type Found,
  type Ticks,
} from './consent-form.js';
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

export interface ConsentParts {
  readonly database: Database;
  readonly delegations: Delegations;
  readonly recorder: Recorder;
}

const versionOf = (offer: ConsentOffer): string => sha256(canonicalJson(offer));

function inputOf({ signedIn, params }: StepRequest): ConsentInput | undefined {
  const details = consentDetails(parseDetails(params.authorization_details));
  if (signedIn === undefined || details === undefined) return undefined;
  const { agent, role, scopes } = details;
  return {
    userId: signedIn.userId,
    agentName: agent,
    ...(role === undefined ? {} : { role }),
    ...(scopes === undefined ? {} : { scopes }),
  };
}

/** A refusal goes to the program, which waits for an answer. */
function refused(error: unknown): StepOutcome {
  if (!(error instanceof BehalfError)) throw error;
  if (isOurFailure(error)) return page(deadEndPage(503, 'Try again later', error.message, error.code));
  return denied(error.message);
}

/** The consent as its record tells it. */
const told = ({ agent, role }: ConsentOffer, { scopes, boundary, seconds }: ConsentChoice): string => {
  const only = Object.entries(boundary).map(([dimension, values]) => `${dimension}: ${values.join(', ')}`);
  return [
    `agent ${agent.name}, role ${role}: ${scopes.join(' ')}`,
    ...only,
    `for ${String(seconds)} seconds`,
  ].join('; ');
};

/** The contents of the page. */
interface Shown {
  readonly offer: ConsentOffer;
  readonly ticks: Ticks;
  readonly found: Found;
}

/** Why the consent is not stored. New parts of a changed offer are not ticked, because nobody has agreed to them. */
function faultOf(form: URLSearchParams, { offer, ticks, found }: Shown): ConsentFault | undefined {
  if (form.get('version') !== versionOf(offer)) return 'changed';
  if (isGone(ticks, found)) return 'gone';
  if (form.get('action') === 'search') return undefined;
  if (isEmpty(offer, ticks)) return 'empty';
  if (isUnfinished(ticks)) return 'unfinished';
  return ticks.seconds === undefined ? 'endless' : undefined;
}

/**
 * A person allows an agent to exchange the person's token (`may_act`, RFC 8693 section 4.4). The stored consent is
 * exactly what the page showed and the person left ticked: an offer that changed meanwhile is shown again.
 */
export class Consent implements Step {
  constructor(private readonly parts: ConsentParts) {}

  async show(request: StepRequest): Promise<StepOutcome> {
    const input = inputOf(request);
    if (input === undefined) return page(expiredPage);
    try {
      const offer = await this.parts.delegations.consentOffer(input);
      return await this.page(request, { offer, ticks: allOf(offer), found: new Map() });
    } catch (error) {
      return refused(error);
    }
  }

  async submit(request: StepRequest, form: URLSearchParams): Promise<StepOutcome> {
    const input = inputOf(request);
    if (input === undefined) return page(expiredPage);
    try {
      const offer = await this.parts.delegations.consentOffer(input);
      const ticks = ticksIn(form, offer);
      const shown = { offer, ticks, found: await this.find(input.userId, offer, ticks) };
      const fault = faultOf(form, shown);
      if (fault !== undefined || ticks.seconds === undefined || form.get('action') === 'search')
        return await this.page(request, shown, fault);
      await this.store(request, { ...input, offer, choice: choiceOf(ticks, ticks.seconds) });
    } catch (error) {
      return refused(error);
    }
    return done({ consent: {} });
  }

  /** The results of a search and the values chosen before, for each dimension that is searched. */
  private async find(userId: string, { boundary }: ConsentOffer, { values, terms }: Ticks): Promise<Found> {
    const found = new Map<string, FoundValues>();
    for (const { dimension, narrowing } of boundary) {
      const [term, chosen] = [terms.get(dimension) ?? '', values.get(dimension) ?? []];
      if (narrowing.kind !== 'search' || (term === '' && chosen.length === 0)) continue;
      found.set(dimension, await this.parts.delegations.findValues({ userId, dimension, term, chosen }));
    }
    return found;
  }

  private store(
    request: StepRequest,
    input: ConsentInput & { readonly offer: ConsentOffer; readonly choice: ConsentChoice },
  ): Promise<void> {
    const { database, delegations, recorder } = this.parts;
    return database.transaction(async (tx) => {
      await requireSignIn(tx, request.signedIn);
      await delegations.consent(tx, input);
      await recorder.recordAuthEventIn(tx, {
        ...eventBase(request),
        kind: 'consent',
        outcome: 'success',
        userId: input.userId,
        detail: told(input.offer, input.choice),
      });
    });
  }

  /** The page names rows of the company, so it is recorded before it is sent. */
  private async page(request: StepRequest, shown: Shown, fault?: ConsentFault): Promise<StepOutcome> {
    const { offer, ticks, found } = shown;
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
    return page(consentPage({ ...request, offer, version: versionOf(offer), ticks, found, fault }));
  }
}
