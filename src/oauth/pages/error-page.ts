import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import { errors } from '../library/oidc-provider.js';
import { html } from './html.js';
import { pageHeaders, pageText, type Page } from './page.js';

/** A page without a next step; `code` helps the people who are asked for help. */
export const deadEndPage = (status: number, title: string, what: string, code?: string): Page => ({
  status,
  title,
  body: html`<h1>${title}</h1>
    <p>${what}</p>
    ${code === undefined ? undefined : html`<p class="soft">Code: <code>${code}</code></p>`}`,
});

export const expiredPage = deadEndPage(
  400,
  'This sign-in has expired',
  'Go back to the program that sent you here and start again.',
);

/** The library's page for an authorization request that cannot go back to its program. */
export function renderErrorPage(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error): void {
  const page = error instanceof errors.SessionNotFound ? expiredPage : refusedPage(ctx.status, out);
  ctx.set(pageHeaders(page));
  ctx.body = pageText(page);
}

function refusedPage(status: number, out: ErrorOut): Page {
  const what =
    out.error_description === undefined || out.error === 'server_error'
      ? 'The server could not complete the request.'
      : `The program that sent you here made a request that is not valid: ${out.error_description}.`;
  return deadEndPage(status, 'That did not work', what, out.error);
}
