import type { WaitingClient } from '../clients/client-waits.js';
import { html } from './html.js';
import type { Page } from './page.js';

/** Tells the person why an application that nobody here knows gets nothing, and who can change that. */
export const waitingPage = ({ clientId, name }: WaitingClient): Page => ({
  status: 403,
  title: 'This application waits for an administrator',
  body: html`<h1>This application waits for an administrator</h1>
    <p>
      The application that sent you here calls itself <q>${name}</q>. Nobody has admitted it to this server
      yet, so it can neither sign you in nor ask you for a task. You have given it nothing.
    </p>
    <p>
      It is on the administrators’ list now. Ask one of them to look at it, and tell them its client id. Once
      it is admitted, start again in the application.
    </p>
    <p class="soft">Client id: <code>${clientId}</code></p>
    <p class="soft">
      You do not know this application, or did not start it yourself? Then close this page, and tell an
      administrator.
    </p>`,
});
