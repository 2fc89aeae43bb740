import { FormError } from '../../oauth/step/form.js';
import { deadEndPage } from '../../oauth/pages/dead-end-page.js';
import { html } from '../../oauth/pages/html.js';
import type { Page } from '../../oauth/pages/page.js';
import { NotThere } from './change-pages.js';
import { backLink } from './parts.js';
import { OperationFailed, Unavailable } from './visitor.js';

const withWayBack = (page: Page): Page => ({ ...page, body: html`${page.body}${backLink}` });

const notThere = deadEndPage(404, 'There is nothing here', 'It does not exist, or it is not yours.');

/** The page for a request that could not be answered. It tells people what to do, and nothing about the server. */
export function failurePage(error: unknown): Page {
  if (error instanceof NotThere) return withWayBack(notThere);
  if (error instanceof FormError)
    return withWayBack(deadEndPage(error.status, 'That did not work', error.message));
  if (error instanceof Unavailable) {
    const page = deadEndPage(503, 'Try again', 'The server is too busy. Load the page again.');
    return { ...withWayBack(page), retryAfterSeconds: error.retryAfterSeconds };
  }
  if (error instanceof OperationFailed) return operationFailed(error);
  const status = (error as { readonly statusCode?: number }).statusCode ?? 500;
  return status < 500
    ? withWayBack(deadEndPage(status, 'That did not work', 'The server could not read this request.'))
    : withWayBack(deadEndPage(500, 'That did not work', 'The server failed. Try again later.'));
}

const statuses: Readonly<Partial<Record<OperationFailed['code'], number>>> = {
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  BAD_USER_INPUT: 400,
  LIMIT_EXCEEDED: 429,
  AUDIT_UNAVAILABLE: 503,
};

function operationFailed({ code, message, hint, operationId }: OperationFailed): Page {
  const page = deadEndPage(statuses[code] ?? 500, 'That did not work', `${message} ${hint ?? ''}`, code);
  return withWayBack({
    ...page,
    body: html`${page.body}
      <p class="soft">Its record: <code>${operationId}</code></p>`,
  });
}
