import { canonicalJson, sha256 } from '../../core/digest.js';
import { BehalfError, isOurFailure } from '../../core/errors.js';
import type { Database } from '../../store/sql/database.js';
import { consentDetails, parseDetails } from '../library/authorization-details.js';
import { consentPage } from '../pages/consent-page.js';
import { deadEndPage, expiredPage } from '../pages/dead-end-page.js';
import type { Page } from '../pages/page.js';
import type {
  ConsentChoice,
  ConsentInput,
  ConsentOffer,
  Delegations,
  Recorder,
} from '../contract/dependencies.js';
import { requireSignIn } from './current-sign-in.js';
import { denied, done, eventBase, page, type Step, type StepOutcome, type StepRequest } from './step.js';

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

/** The offered scopes that the person left ticked, whatever else a form says. */
const tickedIn = (form: URLSearchParams, { scopes }: ConsentOffer): string[] => {
  const ticked = new Set(form.getAll('scope'));
  return scopes.flatMap(({ name }) => (ticked.has(name) ? [name] : []));
};

/**
 * A person allows an agent to exchange the person's token (`may_act`, RFC 8693 section 4.4). The stored consent is
 * exactly what the page showed and the person left ticked: an offer that changed meanwhile is shown again.
 */
export class Consent implements Step {
  constructor(private readonly parts: ConsentParts) {}

  async show(request: StepRequest): Promise<StepOutcome> {
    const input = inputOf(request);
    if (input === undefined) return page(expiredPage);
    return this.parts.delegations.consentOffer(input).then(
      (offer) =>
        page(
          this.page(
            request,
            offer,
            offer.scopes.map(({ name }) => name),
          ),
        ),
      refused,
    );
  }

  async submit(request: StepRequest, form: URLSearchParams): Promise<StepOutcome> {
    const input = inputOf(request);
    if (input === undefined) return page(expiredPage);
    try {
      const offer = await this.parts.delegations.consentOffer(input);
      const scopes = tickedIn(form, offer);
      // What is new in a changed offer is not ticked: nobody has agreed to it.
      if (form.get('version') !== versionOf(offer)) return page(this.page(request, offer, scopes, 'changed'));
      if (scopes.length === 0) return page(this.page(request, offer, scopes, 'empty'));
      await this.store(request, { ...input, offer, choice: { scopes } });
    } catch (error) {
      return refused(error);
    }
    return done({ consent: {} });
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
        detail: `agent ${input.agentName}, role ${input.offer.role}: ${input.choice.scopes.join(' ')}`,
      });
    });
  }

  private page(
    request: StepRequest,
    offer: ConsentOffer,
    ticked: readonly string[],
    fault?: 'changed' | 'empty',
  ): Page {
    return consentPage({ ...request, offer, version: versionOf(offer), ticked: new Set(ticked), fault });
  }
}
