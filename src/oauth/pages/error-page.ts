import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import { errors } from '../library/oidc-provider.js';
import { ClientWaits } from '../clients/client-waits.js';
import { waitingPage } from './waiting-page.js';
import { deadEndPage, expiredPage } from './dead-end-page.js';
import { pageHeaders, pageText, type Page } from './page.js';

/** The library's page for an authorization request that cannot go back to its program. */
export function renderErrorPage(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error): void {
  const page =
    error instanceof errors.SessionNotFound
      ? expiredPage
      : error instanceof ClientWaits
        ? waitingPage(error.client)
        : refusedPage(ctx.status, out);
  ctx.status = page.status;
  ctx.set(pageHeaders(page));
  ctx.body = pageText(page);
}

function refusedPage(status: number, out: ErrorOut): Page {
  const what =
    out.error_description === undefined || out.error === 'server_error'
      ? 'The server could not complete the request.'
      : `The program that sent you here made a request that is not valid: ${out.error_description}. You have given it nothing, and can close this window.`;
  return deadEndPage(status, 'That did not work', what, out.error);
}
