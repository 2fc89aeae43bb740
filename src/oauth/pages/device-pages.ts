import { accountPaths, paths } from '../contract/paths.js';
import type { DeviceInfo } from '../library/device-codes.js';
import { whereItIsFrom } from './application-origin.js';
import { deadEndPage } from './dead-end-page.js';
import { html, type Html } from './html.js';
import { day, moment } from './in-words.js';
import { faultSummary, input, type Fault, type Page } from './page.js';

export interface KnownAgent {
  readonly name: string;
  readonly displayName: string;
  readonly businessTask: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly ownerName: string;
}

/** Asks for the code that a device shows. */
export function userCodePage(form: { readonly secret: string; readonly fault?: string | undefined }): Page {
  const faults: readonly Fault[] =
    form.fault === undefined ? [] : [{ field: 'user_code', message: form.fault }];
  return {
    status: form.fault === undefined ? 200 : 422,
    title: form.fault === undefined ? 'Connect a device' : 'Error: Connect a device',
    body: html`<h1>Connect a device</h1>
      ${faultSummary(faults)}
      <form method="post" action="${paths.device}" novalidate>
        <input type="hidden" name="xsrf" value="${form.secret}" />
        ${input({
          id: 'user_code',
          label: 'Code',
          hint: 'The eight letters that the device in front of you shows.',
          type: 'text',
          autocomplete: 'off',
          faults,
        })}
        <div class="actions"><button type="submit">Continue</button></div>
      </form>`,
  };
}

/** From where a request came, for the person who decides on it. */
export const whereFrom = ({ address, userAgent, at }: DeviceInfo): Html =>
  html`<dt>Where it was asked</dt>
    <dd>
      At the network address <code>${address}</code>, ${moment(at)}, by
      ${userAgent === undefined ? 'a program that does not say what it is' : html`<q>${userAgent}</q>`}
    </dd>`;

/** The page that names the client, where it asks from and since when it is known, before anybody signs in (RFC 8628 section 5.4). */
export function verifyPage(shown: {
  readonly secret: string;
  readonly userCode: string;
  readonly program: string;
  readonly clientId: string;
  readonly agent: KnownAgent | undefined;
  readonly device: DeviceInfo;
}): Page {
  const { secret, userCode, program, clientId, agent, device } = shown;
  return {
    status: 200,
    title: 'Is this your device?',
    body: html`<h1>Is this your device?</h1>
      <p class="notice">
        Go on only if you began this yourself, on a device in front of you that shows
        <strong>${userCode}</strong>. If somebody sent you this code, or a link with it, they want your
        rights.
      </p>
      <dl>
        ${whereItIsFrom(clientId)}
        <dt>What asks</dt>
        <dd>
          ${
            agent === undefined
              ? html`${program}, set up by the operator of this server`
              : html`${agent.displayName} <code class="soft">${agent.name}</code>, known here since
                  ${day(agent.createdAt)}`
          }
        </dd>
        ${
          agent === undefined
            ? undefined
            : html`<dt>What it is for</dt>
                <dd>${agent.businessTask}</dd>
                <dt>Who answers for it</dt>
                <dd>${agent.ownerName}</dd>`
        }
        ${whereFrom(device)}
      </dl>
      <form method="post" action="${paths.device}">
        <input type="hidden" name="xsrf" value="${secret}" />
        <input type="hidden" name="user_code" value="${userCode}" />
        <div class="actions">
          <button type="submit" name="confirm" value="yes">It is mine</button>
          <button type="submit" name="abort" value="yes" class="quiet">I did not begin this</button>
        </div>
      </form>`,
  };
}

/** Says nothing of the request: who opens this page has not signed in for it yet. */
export const namedRequestPage = (form: { readonly secret: string; readonly request: string }): Page => ({
  status: 200,
  title: 'A request waits for a decision',
  body: html`<h1>A request waits for a decision</h1>
    <p>Sign in to read who asks, and for what. Until then nothing is shown, and nothing is decided.</p>
    <form method="post" action="${paths.device}">
      <input type="hidden" name="xsrf" value="${form.secret}" />
      <input type="hidden" name="user_code" value="${form.request}" />
      <div class="actions"><button type="submit" name="confirm" value="yes">Sign in and read it</button></div>
    </form>`,
});

const toAccount = html`<p><a href="${accountPaths.home}">Your account</a></p>`;

export const noSuchRequestPage: Page = {
  status: 404,
  title: 'This request does not wait any more',
  body: html`<h1>This request does not wait any more</h1>
    <p>It was decided, or its time has passed.</p>
    ${toAccount}`,
};

/** For a person who signed in for a request to another one. */
export const anotherPersonPage: Page = {
  status: 403,
  title: 'This request is for somebody else',
  body: html`<h1>This request is for somebody else</h1>
    <p>Only the person whom it names can read it and decide. Nothing was decided.</p>
    ${toAccount}`,
};

export const undecidedPage: Page = {
  status: 200,
  title: 'Nothing was decided',
  body: html`<h1>Nothing was decided</h1>
    <p>The request waits until its person signs in and decides, or its time has passed.</p>
    ${toAccount}`,
};

export const connectedPage: Page = {
  status: 200,
  title: 'The device goes on',
  body: html`<h1>The device goes on</h1>
    <p>Close this window and return to the device. You can take the task back at any time.</p>
    ${toAccount}`,
};

export const agentGoesOnPage: Page = {
  status: 200,
  title: 'The agent goes on',
  body: html`<h1>The agent goes on</h1>
    <p>You can take the task back at any time.</p>
    ${toAccount}`,
};

export const nothingAllowedPage = deadEndPage(
  200,
  'Nothing was allowed',
  'The agent is told so. You can close this window.',
);
