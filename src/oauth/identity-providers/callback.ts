import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../core/logger.js';
import { paths } from '../contract/paths.js';
import type { AddressOf } from '../step/step.js';
import { userAgentOf } from '../middleware/recording.js';
import { deadEndPage, expiredPage } from '../pages/dead-end-page.js';
import { sendPage } from '../pages/page.js';
import type { RefusalRecords } from '../throttling/refusal-records.js';
import type { KnownProviders } from './known-providers.js';
import { unknownState } from './provider-sign-in.js';
import type { SignInRequests } from './sign-in-requests.js';

interface CallbackParts {
  readonly providers: KnownProviders;
  readonly requests: SignInRequests;
  readonly refusals: RefusalRecords;
  readonly logger: Logger;
  readonly addressOf: AddressOf;
}

/**
 * The redirect URIs, one for each provider. Each takes the answer to a request to its own provider, once, and passes it
 * on to the interaction that sent the request. Only the browser that began the interaction has the cookie to open it.
 */
export class ProviderCallback {
  constructor(private readonly parts: CallbackParts) {}

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const [path = '', query = ''] = request.url?.split(/\?(.*)/s) ?? [];
      const uid = await this.interactionOf(path.slice(paths.callback.length + 1), new URLSearchParams(query));
      if (uid === undefined) {
        await this.refuse(request);
        sendPage(response, expiredPage);
        return;
      }
      response.writeHead(303, {
        location: `${paths.interaction}/${uid}?${query}`,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      });
      response.end();
    } catch (error) {
      this.parts.logger.error({ err: error }, 'the answer of an identity provider failed');
      sendPage(response, deadEndPage(503, 'Try again later', 'The server cannot sign you in now.'));
    }
  }

  /** Records an answer for which no request waits, or which another browser brought. */
  async refuse(request: IncomingMessage): Promise<void> {
    const userAgent = userAgentOf(request);
    await this.parts.refusals.record({
      kind: 'sign_in',
      outcome: unknownState.outcome,
      errorCode: unknownState.errorCode,
      detail: unknownState.reason,
      address: this.parts.addressOf(request),
      ...(userAgent === undefined ? {} : { userAgent }),
    });
  }

  private async interactionOf(name: string, answer: URLSearchParams): Promise<string | undefined> {
    const provider = await this.parts.providers.named(name);
    if (provider === undefined) return undefined;
    return (await this.parts.requests.take(answer.get('state') ?? '', provider.id))?.uid;
  }
}
