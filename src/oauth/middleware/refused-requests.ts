import type { IncomingMessage } from 'node:http';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { clientIdLengthMax } from '../../core/client-ids.js';
import { cutText } from '../../core/cut-text.js';
import type { Logger } from '../../core/logger.js';
import { ClientWaits } from '../clients/client-waits.js';
import { routeOf } from '../library/library-internals.js';
import { errors } from '../library/oidc-provider.js';
import { pageHeaders, pageText } from '../pages/page.js';
import { deadEndPage } from '../pages/dead-end-page.js';
import type { RefusalRecords } from '../throttling/refusal-records.js';
import { userAgentOf } from './recording.js';

interface RefusedRequestParts {
  readonly refusals: RefusalRecords;
  readonly logger: Logger;
  readonly addressOf: (request: IncomingMessage) => string;
}

const unrecordedPage = deadEndPage(
  503,
  'That did not work',
  'The server cannot record this now. Try again later.',
  'temporarily_unavailable',
);

/**
 * Records authorization requests that are refused before anybody signs in, few of an address that makes many. A client that
 * waits for admission has a record of its own.
 */
export function makeRefusedRequests(
  provider: Provider,
  { refusals, logger, addressOf }: RefusedRequestParts,
): (ctx: KoaContextWithOIDC, next: () => Promise<void>) => Promise<void> {
  const faults = new WeakMap<object, Error>();
  provider.on('authorization.error', (ctx, error) => {
    faults.set(ctx, error);
  });
  return async (ctx, next) => {
    await next();
    const fault = faults.get(ctx);
    if (fault === undefined || fault instanceof ClientWaits || routeOf(ctx) !== 'authorization') return;
    const clientName = ctx.oidc.params?.client_id ?? ctx.query.client_id;
    const userAgent = userAgentOf(ctx.req);
    try {
      await refusals.record({
        kind: 'sign_in',
        outcome: 'refused',
        errorCode: fault instanceof errors.OIDCProviderError ? fault.error : 'invalid_request',
        address: addressOf(ctx.req),
        detail: 'authorization request',
        ...(typeof clientName === 'string' && { clientName: cutText(clientName, clientIdLengthMax) }),
        ...(userAgent !== undefined && { userAgent }),
      });
    } catch (error) {
      logger.error({ err: error }, 'a refused authorization request could not be recorded');
      ctx.remove('location');
      ctx.status = unrecordedPage.status;
      ctx.set(pageHeaders(unrecordedPage));
      ctx.body = pageText(unrecordedPage);
    }
  };
}
