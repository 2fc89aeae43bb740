import { html } from './html.js';
import type { Page } from './page.js';

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
