import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DeviceCode, InteractionResults, Provider } from 'oidc-provider';
import { AlreadyUsedError } from 'oidc-provider/lib/helpers/re_render_errors.js';
import { deviceInfoOf, isForAnother } from '../library/device-codes.js';
import { agentNameOf, scopeCeilingOf } from '../library/library-internals.js';
import { errors } from '../library/oidc-provider.js';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import { eq, all } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';
import type { PromptName } from './interaction-policy.js';
import { deadEndPage, expiredPage } from '../pages/dead-end-page.js';
import { sendPage, type Page } from '../pages/page.js';
import { anotherPersonPage, undecidedPage } from '../pages/device-pages.js';
import type { Recorder } from '../contract/dependencies.js';
import { accountPaths, paths } from '../contract/paths.js';
import { userAgentOf } from '../middleware/recording.js';
import { checkOrigin, FormError, readForm } from '../step/form.js';
import type { Login } from '../step/current-sign-in.js';
import {
  denied,
  eventBase,
  type AddressOf,
  type Step,
  type StepOutcome,
  type StepRequest,
} from '../step/step.js';

interface InteractionParts {
  readonly provider: Provider;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly issuer: string;
  readonly addressOf: AddressOf;
  readonly recorder: Recorder;
  readonly steps: Readonly<Record<PromptName, Step>>;
  /** Records the answer of an identity provider that came without its interaction. */
  readonly refuseAnswer: (request: IncomingMessage) => Promise<void>;
}

type Details = Awaited<ReturnType<Provider['interactionDetails']>>;

interface Interaction {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly details: Details;
  readonly due: StepRequest;
}

const unavailablePage = deadEndPage(503, 'Try again later', 'The server cannot sign you in now.');

/** A program's own scheme (RFC 8252 section 7.1) has no origin; the scheme stands for it. */
function originOf(uri: unknown): readonly string[] {
  if (typeof uri !== 'string' || !URL.canParse(uri)) return [];
  const { origin, protocol } = new URL(uri);
  return [origin === 'null' ? protocol : origin];
}

const cancel = (step: Step, due: StepRequest): Promise<StepOutcome> =>
  step.cancel?.(due) ?? Promise.resolve(denied('the person cancelled'));

/** The pages of an authorization request: shows the current step and takes its form. */
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
    const [path = '', search = ''] = request.url?.split(/\?(.*)/s) ?? [];
    const query = new URLSearchParams(search);
    const details = await this.detailsAt(path, request, response).catch(async (error: unknown) => {
      if (query.has('state')) await this.parts.refuseAnswer(request);
      throw error;
    });
    await this.requireGrant(details);
    const step = this.parts.steps[details.prompt.name as PromptName];
    const due = await this.stepRequest(request, details, { action: path, query });
    const at = { request, response, details, due };
    if (request.method === 'GET') {
      await this.answer(at, await step.show(due));
      return;
    }
    if (request.method !== 'POST') throw new FormError(400, 'This page takes only its own form.');
    checkOrigin(request, this.parts.issuer);
    const form = new URLSearchParams((await readForm(request)).toString());
    const action = form.get('action');
    if (action === 'switch') {
      await step.undo?.(due);
      await this.startAgain(at);
    } else await this.answer(at, await (action === 'cancel' ? cancel(step, due) : step.submit(due, form)));
  }

  /** Ends this sign-in, and begins the same request anew for another person, who types the code of a device again. */
  private async startAgain({ response, details, due }: Interaction): Promise<void> {
    const { provider } = this.parts;
    if (details.grantId !== undefined) await (await provider.Grant.find(details.grantId))?.destroy();
    await details.destroy();
    const code = await this.deviceCodeOf(details);
    if (code !== undefined) {
      const isNamed = due.device?.backchannel !== undefined;
      if (!isNamed) await Object.assign(code, { inFlight: false }).save();
      const location = isNamed ? accountPaths.home : paths.device;
      response.writeHead(303, { location, 'cache-control': 'no-store' }).end();
      return;
    }
    const query = new URLSearchParams(
      Object.entries(details.params).flatMap(([name, value]) =>
        [value].flat().flatMap((one): [string, string][] => (typeof one === 'string' ? [[name, one]] : [])),
      ),
    );
    response
      .writeHead(303, { location: `${paths.authorize}?${query.toString()}`, 'cache-control': 'no-store' })
      .end();
  }

  /** The interaction at this path, which only its browser can open. */
  private async detailsAt(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Details> {
    const details = await this.parts.provider.interactionDetails(request, response);
    if (path === `${paths.interaction}/${details.uid}`) return details;
    throw new errors.SessionNotFound('another interaction');
  }

  private async answer(at: Interaction, outcome: StepOutcome): Promise<void> {
    const { request, response, details } = at;
    if (outcome.kind === 'page') {
      sendPage(response, outcome.page);
      return;
    }
    if (outcome.kind === 'elsewhere') {
      const { location } = outcome;
      response.writeHead(303, { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
      response.end();
      return;
    }
    const { cookie } = outcome;
    const held = await this.heldBack(at, outcome.result);
    if (held !== undefined) {
      sendPage(response, held);
      return;
    }
    const result = this.timed(outcome.result);
    if (cookie !== undefined) response.appendHeader('set-cookie', cookie);
    if (result.login !== undefined) await this.forgetOther(details, result.login.accountId);
    // Another person may have decided what came before a login, so it is dropped.
    const mergeWithLastSubmission = details.prompt.name !== 'login';
    await this.parts.provider.interactionFinished(request, response, result, { mergeWithLastSubmission });
  }

  /** A request that names its person is decided by them alone, after signing in. Others leave it as it is. */
  private async heldBack({ due }: Interaction, result: InteractionResults): Promise<Page | undefined> {
    const { device, signedIn } = due;
    if (device?.backchannel === undefined) return undefined;
    const { login, error } = result;
    if (error !== undefined) return signedIn === undefined ? undecidedPage : undefined;
    if (login === undefined || !isForAnother(device, login.accountId)) return undefined;
    await this.parts.recorder.recordAuthEvent({
      ...eventBase(due),
      ...{ kind: 'consent', outcome: 'refused', userId: login.accountId },
      ...{ errorCode: 'access_denied', detail: 'the request is for another person' },
    });
    return anotherPersonPage;
  }

  /** The time of the sign-in (`auth_time`): pages that come after it may stay open for a while. */
  private timed(result: InteractionResults): InteractionResults {
    const ts = Math.floor(this.parts.clock.now() / 1000);
    return result.login === undefined ? result : { ...result, login: { ...result.login, ts } };
  }

  /** Steps after the login need an active sign-in. Steps that change something check it again. */
  private async requireGrant({ prompt, grantId }: Details): Promise<void> {
    if (prompt.name === 'login') return;
    if (grantId !== undefined && (await this.parts.provider.Grant.find(grantId)) !== undefined) return;
    throw new errors.SessionNotFound('the sign-in has ended');
  }

  /** Another person signed in with this browser shortly before: that session ends, and this request gets its own. */
  private async forgetOther(details: Details, userId: string): Promise<void> {
    const { session } = details;
    if (session === undefined || session.accountId === userId) return;
    const other = all<OAuthPayloadRow>(eq('model', 'Session'), eq('uid', session.uid));
    await this.parts.database.transaction((tx) => tx.delete(oauthPayloads, other));
    details.session = undefined;
    await details.persist();
  }

  /** The code of the device that asks. Throws where it is over. */
  private async deviceCodeOf({ deviceCode }: Details): Promise<DeviceCode | undefined> {
    if (deviceCode === undefined) return undefined;
    const code = await this.parts.provider.DeviceCode.find(deviceCode);
    if (code === undefined || code.isExpired) throw new errors.SessionNotFound('the device code is over');
    return code;
  }

  private async stepRequest(
    request: IncomingMessage,
    details: Details,
    at: Pick<StepRequest, 'action' | 'query'>,
  ): Promise<StepRequest> {
    const clientId = String(details.params.client_id);
    const client = await this.parts.provider.Client.find(clientId);
    const userAgent = userAgentOf(request);
    const [agent, ceiling] = [agentNameOf(client), scopeCeilingOf(client)];
    const code = await this.deviceCodeOf(details);
    const { session, grantId } = details;
    const userId = session?.accountId;
    const login = details.lastSubmission?.login as Login | undefined;
    return {
      ...at,
      uid: details.uid,
      clientId,
      program: client?.clientName ?? clientId,
      params: details.params,
      formTargets: originOf(details.params.redirect_uri),
      address: this.parts.addressOf(request),
      cookies: request.headers.cookie,
      ...(userId === undefined || grantId === undefined ? {} : { signedIn: { userId, grantId } }),
      ...(login === undefined ? {} : { login }),
      ...(code === undefined ? {} : { device: { ...deviceInfoOf(code.deviceInfo), code: code.jti } }),
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(agent === undefined ? {} : { agent }),
      ...(ceiling === undefined ? {} : { ceiling }),
    };
  }

  private pageFor(error: unknown): Page {
    if (error instanceof errors.SessionNotFound || error instanceof AlreadyUsedError) return expiredPage;
    if (error instanceof FormError) return deadEndPage(error.status, 'That did not work', error.message);
    this.parts.logger.error({ err: error }, 'a sign-in page failed');
    return unavailablePage;
  }
}
