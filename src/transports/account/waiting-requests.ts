import { paths } from '../../oauth/contract/paths.js';
import { html, type Html } from '../../oauth/pages/html.js';
import { waitingShown, type Page, type WaitingRequest } from './documents.js';
import { agentName } from './parts.js';
import { time } from './words.js';

const requestCard = (request: WaitingRequest): Html =>
  html`<article class="card" aria-labelledby="request-${request.id}">
    <h3 id="request-${request.id}">
      ${agentName(request)}
      ${!request.agent ? undefined : html`<code class="soft">${request.agent.name}</code>`}
    </h3>
    <dl class="facts">
      ${
        request.message === null
          ? undefined
          : html`<div>
              <dt>Its words</dt>
              <dd><q>${request.message}</q></dd>
            </div>`
      }
      <div>
        <dt>Asked</dt>
        <dd>${time(request.createdAt)}, from <code>${request.address}</code></dd>
      </div>
      <div>
        <dt>Waits until</dt>
        <dd>${time(request.expiresAt)}</dd>
      </div>
    </dl>
    <p class="actions">
      <a class="button" href="${paths.device}?user_code=${request.id}"
        >Read and decide<span class="hidden"> ${agentName(request)}</span></a
      >
    </p>
  </article>`;

/** Requests of agents that ask the person from elsewhere. Each is decided after signing in for it. */
export const waitingPart = ({ nodes, pageInfo }: Page<WaitingRequest>): Html | undefined =>
  nodes.length === 0
    ? undefined
    : html`<h2>Requests that wait for you</h2>
        <p class="soft">Decide only on what you expect. Refuse a request that you know nothing about.</p>
        ${nodes.map(requestCard)}
        ${
          pageInfo.hasNextPage
            ? html`<p class="soft">
                More wait than the newest ${waitingShown}, which are shown. Decide on these, and the others
                come.
              </p>`
            : undefined
        }`;
