import { html, type Html } from './html.js';
import { faultSummary, type Fault, type Page } from './page.js';

interface PasskeyForm {
  readonly action: string;
  readonly ceremony: 'create' | 'get';
  /** The options of the ceremony, as JSON. */
  readonly options: string;
  readonly button: string;
  /** Further fields, before the buttons. */
  readonly fields?: Html;
  /** Another way out, beside the button. */
  readonly otherWay: Html;
}

/** A form that the script fills with the answer of a passkey. Without script it says so, and has no button for it. */
export const passkeyForm = ({ action, ceremony, options, button, fields, otherWay }: PasskeyForm): Html =>
  html`<noscript><p class="notice">Passkeys need JavaScript, which is off in this browser.</p></noscript>
    <form method="post" action="${action}" data-passkey="${ceremony}" data-options="${options}" novalidate>
      ${fields}
      <input type="hidden" name="passkey" value="" />
      <p class="fault" role="alert"></p>
      <div class="actions">
        <button type="submit" name="action" value="passkey" id="passkey" hidden>${button}</button>
        ${otherWay}
      </div>
    </form>`;

interface At {
  /** The interaction's own address. */
  readonly action: string;
  readonly program: string;
  readonly formTargets: readonly string[];
  readonly options: string;
  readonly faults: readonly Fault[];
}

const pageOf = ({ faults, formTargets }: At, title: string, body: Html): Page => ({
  status: faults.length === 0 ? 200 : 422,
  title: faults.length === 0 ? title : `Error: ${title}`,
  formTargets,
  hasPasskeyScript: true,
  body,
});

const cancel = html`<button type="submit" name="action" value="cancel" class="quiet">Cancel</button>`;

/** The passkey in place of user name and password. */
export const passkeySignInPage = (at: At): Page =>
  pageOf(
    at,
    'Sign in with a passkey',
    html`<h1>Sign in with a passkey</h1>
      <p class="soft">to continue to ${at.program}</p>
      ${faultSummary(at.faults)}
      ${passkeyForm({ ...at, ceremony: 'get', button: 'Use a passkey', otherWay: cancel })}
      <p><a href="${at.action}">Other ways to sign in</a></p>`,
  );

/** The passkey after the password, or after an identity provider. */
export const secondFactorPage = (at: At): Page =>
  pageOf(
    at,
    'Use your passkey',
    html`<h1>Use your passkey</h1>
      <p>This sign-in to ${at.program} needs one of your passkeys as well.</p>
      ${faultSummary(at.faults)}
      ${passkeyForm({ ...at, ceremony: 'get', button: 'Use your passkey', otherWay: cancel })}
      <p class="soft">If you have lost it, an administrator can remove it. Then you can add another.</p>`,
  );

/** The first passkey of a person whose sign-in needs one. */
export const firstPasskeyPage = (at: At): Page =>
  pageOf(
    at,
    'Add a passkey',
    html`<h1>Add a passkey</h1>
      <p>This sign-in to ${at.program} needs a passkey, and you have none yet.</p>
      <p class="soft">
        Your device or security key makes it, and asks for your fingerprint, face or PIN when you use it. The
        server keeps only its public key.
      </p>
      ${faultSummary(at.faults)}
      ${passkeyForm({ ...at, ceremony: 'create', button: 'Add a passkey', otherWay: cancel })}`,
  );
