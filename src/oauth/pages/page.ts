import type { ServerResponse } from 'node:http';
import { html, Html } from './html.js';
import { paths } from '../contract/paths.js';
import { contentSecurityPolicy, styleElement } from './style.js';

export interface Page {
  readonly status: number;
  readonly title: string;
  readonly body: Html;
  /** Origins that a form may lead to, beside the server's own. */
  readonly formTargets?: readonly string[];
  readonly retryAfterSeconds?: number;
  /** For pages with lists or several forms. */
  readonly isWide?: boolean;
  /** For a page with a script: the paths of its files. Its style sheets replace the style of all pages. */
  readonly program?: { readonly styles: readonly string[]; readonly scripts: readonly string[] };
  /** For pages with a form that a passkey fills. All other pages allow no script. */
  readonly hasPasskeyScript?: boolean;
}

/** One fault in a form; `field` is the id of the input. */
export interface Fault {
  readonly field: string;
  readonly message: string;
}

/** First on the page and in focus, so that a screen reader begins with it. */
export const faultSummary = (faults: readonly Fault[]): Html =>
  faults.length === 0
    ? html``
    : html`<div class="faults" role="alert" aria-labelledby="faults" tabindex="-1" autofocus>
        <h2 id="faults">There is a problem</h2>
        <ul>
          ${faults.map(({ field, message }) => html`<li><a href="#${field}">${message}</a></li>`)}
        </ul>
      </div>`;

export interface Input {
  readonly id: string;
  readonly label: string;
  readonly type: 'text' | 'password';
  readonly autocomplete: 'username' | 'current-password' | 'new-password' | 'off';
  readonly isOptional?: boolean;
  readonly hint?: string;
  readonly value?: string;
  readonly faults: readonly Fault[];
}

export function input({ id, label, type, autocomplete, isOptional, hint, value, faults }: Input): Html {
  const mine = faults.filter((fault) => fault.field === id);
  const described = [hint === undefined ? '' : `${id}-hint`, mine.length === 0 ? '' : `${id}-fault`]
    .join(' ')
    .trim();
  return html`<label for="${id}">${label}</label>
    ${hint === undefined ? undefined : html`<p class="hint" id="${id}-hint">${hint}</p>`}
    ${mine.length === 0 ? undefined : html`<p class="fault" id="${id}-fault">${mine.map((fault) => fault.message)}</p>`}
    <input
      id="${id}"
      name="${id}"
      type="${type}"
      autocomplete="${autocomplete}"
      value="${value ?? ''}"
      maxlength="1024"
      autocapitalize="none"
      spellcheck="false"
      ${isOptional === true ? undefined : html`required`}
      ${mine.length === 0 ? undefined : html`aria-invalid="true"`}
      ${described === '' ? undefined : html`aria-describedby="${described}"`}
    />`;
}

const programElements = ({ styles, scripts }: NonNullable<Page['program']>): Html =>
  html`${styles.map((path) => html`<link rel="stylesheet" href="${path}" />`)}
  ${scripts.map((path) => html`<script src="${path}" defer></script>`)}`;

const documentOf = (page: Page): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${page.title} – Behalf</title>
        ${page.program === undefined ? new Html(styleElement) : programElements(page.program)}
        ${page.hasPasskeyScript === true ? html`<script src="${paths.passkeyScript}" defer></script>` : undefined}
      </head>
      <body>
        <main${page.isWide === true ? html` class="wide"` : undefined}>
          <p class="brand">Behalf</p>
          ${page.body}
        </main>
      </body>
    </html> `.text;

function filesOf({ program, hasPasskeyScript }: Page): 'none' | 'script' | 'program' {
  if (program !== undefined) return 'program';
  return hasPasskeyScript === true ? 'script' : 'none';
}

export function pageHeaders(page: Page): Record<string, string> {
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentSecurityPolicy(page.formTargets, filesOf(page)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    // With `no-referrer`, browsers would send `Origin: null` with the server's own forms.
    'referrer-policy': 'same-origin',
    ...(page.retryAfterSeconds === undefined ? {} : { 'retry-after': String(page.retryAfterSeconds) }),
  };
}

export const pageText = documentOf;

export function sendPage(response: ServerResponse, page: Page): void {
  const text = documentOf(page);
  response.writeHead(page.status, { ...pageHeaders(page), 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
