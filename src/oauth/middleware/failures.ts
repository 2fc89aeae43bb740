import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { BehalfError, isOurFailure } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { onFailure } from '../library/library-internals.js';
import { TemporarilyUnavailable } from '../library/oauth-errors.js';
import { giveBack, type PayloadStore } from '../library/payload-adapter.js';

const isPassing = (error: unknown): boolean => error instanceof BehalfError && isOurFailure(error);

/** A page stays one: its text says already that the server failed. */
function answerUnavailable(ctx: KoaContextWithOIDC, cause: unknown): void {
  const { statusCode, error, error_description } = new TemporarilyUnavailable(cause);
  ctx.status = statusCode;
  ctx.set('retry-after', '1');
  if (ctx.response.is('html') === false) ctx.body = { error, error_description };
}

/**
 * Where the server fails with a request that may succeed later, wherever in the library or around it, the answer is 503
 * `temporarily_unavailable` (RFC 6749 section 4.1.2.1 has the code), and the code or refresh token of the request stays good
 * for it. Any other failure stays the library's 500.
 */
export function makeFailures(provider: Provider, store: PayloadStore, logger: Logger) {
  onFailure(provider, (error, ctx) => {
    logger.error({ err: error }, 'the authorization server failed');
    if (ctx !== undefined && isPassing(error)) answerUnavailable(ctx, error);
  });
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    try {
      await next();
    } catch (error) {
      if (!isPassing(error)) throw error;
      logger.error({ err: error }, 'the authorization server failed');
      answerUnavailable(ctx, error);
    }
    if (ctx.status !== 503) return;
    await giveBack(store, ctx).catch((error: unknown) => {
      logger.error({ err: error }, 'a code or token of a request that failed stays used up');
    });
  };
}
