import { html } from './html.js';
import type { Page } from './page.js';

interface At {
  /** The interaction's own address, where the sign-in page is. */
  readonly action: string;
}

const again = ({ action }: At) => html`<p><a href="${action}">Back to signing in</a></p>`;

/** For a person without an account, and for one whose account is disabled: it does not tell which. */
export const askAdministratorPage = (at: At, label: string): Page => ({
  status: 403,
  title: 'You cannot sign in here',
  body: html`<h1>You cannot sign in here</h1>
    <p>
      You have signed in with ${label}, but there is no account here that you can use. Ask an administrator to
      link or enable one.
    </p>
    ${again(at)}`,
});

export const notSignedInThere = (at: At): Page => ({
  status: 400,
  title: 'You are not signed in',
  body: html`<h1>You are not signed in</h1>
    <p>The answer of the identity provider was not accepted. Nothing was changed.</p>
    ${again(at)}`,
});

export const providerUnavailablePage = (at: At): Page => ({
  status: 503,
  title: 'Try again later',
  body: html`<h1>Try again later</h1>
    <p>The identity provider cannot sign you in now.</p>
    ${again(at)}`,
});
