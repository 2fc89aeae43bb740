import type { ConsentOffer } from '../contract/dependencies.js';
import { html } from './html.js';
import type { Page } from './page.js';

/** Asks for one decision; `version` identifies the offer on the page. */
export const consentPage = (form: {
  readonly action: string;
  readonly formTargets: readonly string[];
  readonly offer: ConsentOffer;
  readonly version: string;
  readonly changed: boolean;
}): Page => ({
  status: form.changed ? 409 : 200,
  title: `Allow ${form.offer.agentDisplayName}?`,
  formTargets: form.formTargets,
  body: html`<h1>Allow ${form.offer.agentDisplayName} to act on your behalf?</h1>
    ${
      form.changed
        ? html`<div class="faults" role="alert" tabindex="-1" autofocus>
            What this agent would be allowed has changed since you opened the page. Read it again.
          </div>`
        : undefined
    }
    <dl>
      <dt>What it is for</dt>
      <dd>${form.offer.businessTask}</dd>
      <dt>Who answers for it</dt>
      <dd>${form.offer.ownerName}</dd>
      <dt>Agent and role</dt>
      <dd><code>${form.offer.agentName}</code> as <code>${form.offer.role}</code></dd>
    </dl>
    <h2>It may, and never more than you may yourself</h2>
    <ul class="scopes">
      ${form.offer.scopes.map(({ name, description }) => html`<li>${description} <code class="soft">${name}</code></li>`)}
    </ul>
    ${
      form.offer.boundary.length === 0
        ? undefined
        : html`<h2>Only for</h2>
            <ul class="scopes">
              ${form.offer.boundary.map((line) => html`<li>${line}</li>`)}
            </ul>`
    }
    <p class="soft">Everything it does is recorded under your name. You can take this back at any time.</p>
    <form method="post" action="${form.action}">
      <input type="hidden" name="version" value="${form.version}" />
      <div class="actions">
        <button type="submit" name="action" value="continue">Allow</button>
        <button type="submit" name="action" value="cancel" class="quiet">Do not allow</button>
      </div>
    </form>`,
});
