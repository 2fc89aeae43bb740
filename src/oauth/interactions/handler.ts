import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type Provider } from 'oidc-provider';
import type { Logger } from '../../core/logger.js';
import { eq, all } from '../../store/condition.js';
import type { Database } from '../../store/database.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';
import type { PromptName } from '../interaction-policy.js';
import { deadEndPage, expiredPage } from '../pages/error-page.js';
import { sendPage, type Page } from '../pages/page.js';
import { paths } from '../paths.js';
import { userAgentOf } from '../recording.js';
import { checkOrigin, FormError, readForm } from './form.js';
import type { AddressOf, Step, StepRequest } from './step.js';

export interface InteractionParts {
  readonly provider: Provider;
  readonly database: Database;
  readonly logger: Logger;
  readonly issuer: string;
  readonly addressOf: AddressOf;
  readonly steps: Readonly<Record<PromptName, Step>>;
}

type Details = Awaited<ReturnType<Provider['interactionDetails']>>;

const unavailablePage = deadEndPage(503, 'Try again later', 'The server cannot sign you in now.');

/** A program's own scheme (RFC 8252 section 7.1) has no origin; the scheme stands for it. */
function originOf(uri: unknown): readonly string[] {
  if (typeof uri !== 'string' || !URL.canParse(uri)) return [];
  const { origin, protocol } = new URL(uri);
  return [origin === 'null' ? protocol : origin];
}

/** The pages of an authorization request: shows the step that is due and takes its form. */
export class Interactions {
  constructor(private readonly parts: InteractionParts) {}

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.route(request, response);
    } catch (error) {
      if (!response.headersSent) sendPage(response, this.pageFor(error));
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { provider } = this.parts;
    const details = await provider.interactionDetails(request, response);
    const action = `${paths.interaction}/${details.uid}`;
    if (request.url?.split('?')[0] !== action) throw new errors.SessionNotFound('another interaction');
    await this.requireGrant(details);
    const step = this.parts.steps[details.prompt.name as PromptName];
    const due = await this.stepRequest(request, details, action);
    if (request.method === 'GET') {
      sendPage(response, await step.show(due));
      return;
    }
    if (request.method !== 'POST') throw new FormError(400, 'This page takes only its own form.');
    await this.submit(request, response, { step, due, details });
  }

  private async submit(
    request: IncomingMessage,
    response: ServerResponse,
    { step, due, details }: { step: Step; due: StepRequest; details: Details },
  ): Promise<void> {
    const { provider } = this.parts;
    checkOrigin(request, this.parts.issuer);
    const form = await readForm(request);
    if (form.get('action') === 'cancel') {
      const refused = { error: 'access_denied', error_description: 'the person cancelled' };
      await provider.interactionFinished(request, response, refused, { mergeWithLastSubmission: false });
      return;
    }
    const outcome = await step.submit(due, form);
    if (outcome.kind === 'page') {
      sendPage(response, outcome.page);
      return;
    }
    if (outcome.result.login !== undefined) await this.forgetOther(details, outcome.result.login.accountId);
    // What was decided before a login, someone else may have decided.
    const mergeWithLastSubmission = details.prompt.name !== 'login';
    await provider.interactionFinished(request, response, outcome.result, { mergeWithLastSubmission });
  }

  /** What follows the login is for a sign-in that stands; steps that change something look again. */
  private async requireGrant({ prompt, grantId }: Details): Promise<void> {
    if (prompt.name === 'login') return;
    if (grantId !== undefined && (await this.parts.provider.Grant.find(grantId)) !== undefined) return;
    throw new errors.SessionNotFound('the sign-in has ended');
  }

  /** Someone else signed in with this browser shortly before: that session ends, this request gets its own. */
  private async forgetOther(details: Details, userId: string): Promise<void> {
    const { session } = details;
    if (session === undefined || session.accountId === userId) return;
    const other = all<OAuthPayloadRow>(eq('model', 'Session'), eq('uid', session.uid));
    await this.parts.database.transaction((tx) => tx.delete(oauthPayloads, other));
    details.session = undefined;
    await details.persist();
  }

  private async stepRequest(
    request: IncomingMessage,
    details: Details,
    action: string,
  ): Promise<StepRequest> {
    const clientId = String(details.params.client_id);
    const client = await this.parts.provider.Client.find(clientId);
    const userAgent = userAgentOf(request);
    const { session, grantId } = details;
    const userId = session?.accountId;
    return {
      action,
      clientId,
      program: client?.clientName ?? clientId,
      params: details.params,
      formTargets: originOf(details.params.redirect_uri),
      address: this.parts.addressOf(request),
      ...(userId === undefined || grantId === undefined ? {} : { signedIn: { userId, grantId } }),
      ...(userAgent === undefined ? {} : { userAgent }),
    };
  }

  private pageFor(error: unknown): Page {
    if (error instanceof errors.SessionNotFound) return expiredPage;
    if (error instanceof FormError) return deadEndPage(error.status, 'That did not work', error.message);
    this.parts.logger.error({ err: error }, 'a sign-in page failed');
    return unavailablePage;
  }
}
