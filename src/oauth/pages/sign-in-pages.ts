import { newPasswordLengthMin } from '../../core/new-passwords.js';
import { hostInId } from './application-origin.js';
import { deadEndPage } from './dead-end-page.js';
import { html, type Html } from './html.js';
import { faultSummary, input, type Fault, type Page } from './page.js';

interface FormPage {
  readonly action: string;
  readonly faults: readonly Fault[];
  readonly formTargets: readonly string[];
}

/** An identity provider on the sign-in page. */
interface ProviderButton {
  readonly name: string;
  readonly label: string;
}

/** Links and no forms: browsers apply `form-action` to the redirect after a form, and providers have other origins. */
const otherWays = (
  action: string,
  providers: readonly ProviderButton[],
  hasPasskeys: boolean,
): Html | undefined =>
  providers.length === 0 && !hasPasskeys
    ? undefined
    : html`<ul class="providers">
          ${providers.map(
            ({ name, label }) =>
              html`<li><a class="button" href="${action}?provider=${name}">Sign in with ${label}</a></li>`,
          )}
          ${
            hasPasskeys
              ? html`<li><a class="button quiet" href="${action}?passkey=">Sign in with a passkey</a></li>`
              : undefined
          }
        </ul>
        <h2>Or with a password</h2>`;

/** Anybody can choose a name. The host is proven. */
function hostPart(clientId: string): Html | undefined {
  const host = hostInId(clientId);
  return host === undefined ? undefined : html`, from <strong>${host}</strong>`;
}

const statusOf = (faults: readonly Fault[]): number => (faults.length === 0 ? 200 : 422);

export const signInPage = (
  form: FormPage & {
    readonly program: string;
    readonly clientId: string;
    readonly providers: readonly ProviderButton[];
    /** Whether people can sign in with passkeys. */
    readonly hasPasskeys: boolean;
    readonly userName?: string;
    readonly retryAfterSeconds?: number;
  },
): Page => ({
  status: form.retryAfterSeconds === undefined ? statusOf(form.faults) : 429,
  ...(form.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: form.retryAfterSeconds }),
  title: form.faults.length === 0 ? 'Sign in' : 'Error: Sign in',
  formTargets: form.formTargets,
  body: html`<h1>Sign in</h1>
    <p class="soft">to continue to ${form.program}${hostPart(form.clientId)}</p>
    ${faultSummary(form.faults)} ${otherWays(form.action, form.providers, form.hasPasskeys)}
    <form method="post" action="${form.action}" novalidate>
      ${input({
        id: 'username',
        label: 'User name',
        type: 'text',
        autocomplete: 'username',
        faults: form.faults,
        ...(form.userName === undefined ? {} : { value: form.userName }),
      })}
      ${input({
        id: 'password',
        label: 'Password',
        type: 'password',
        autocomplete: 'current-password',
        faults: form.faults,
      })}
      <div class="actions">
        <button type="submit" name="action" value="continue">Sign in</button>
        <button type="submit" name="action" value="cancel" class="quiet">Cancel</button>
      </div>
    </form>`,
});

export const changePasswordPage = (form: FormPage & { readonly userName: string }): Page => ({
  status: statusOf(form.faults),
  title: form.faults.length === 0 ? 'Choose a new password' : 'Error: Choose a new password',
  formTargets: form.formTargets,
  body: html`<h1>Choose a new password</h1>
    <p class="soft">Someone else knows the password that you signed in with, so it works only once.</p>
    ${faultSummary(form.faults)}
    <form method="post" action="${form.action}" novalidate>
      <input type="text" name="username" autocomplete="username" value="${form.userName}" hidden readonly />
      ${input({
        id: 'new-password',
        label: 'New password',
        type: 'password',
        autocomplete: 'new-password',
        hint: `At least ${String(newPasswordLengthMin)} characters. A few words in a row work well.`,
        faults: form.faults,
      })}
      ${input({
        id: 'repeat-password',
        label: 'New password once more',
        type: 'password',
        autocomplete: 'new-password',
        faults: form.faults,
      })}
      <div class="actions">
        <button type="submit" name="action" value="continue">Save and continue</button>
        <button type="submit" name="action" value="cancel" class="quiet">Cancel</button>
      </div>
    </form>`,
});

export const tooManyBegunPage = (waitSeconds: number): Page => ({
  status: 429,
  title: 'Too many sign-ins',
  retryAfterSeconds: waitSeconds,
  body: html`<h1>Too many sign-ins</h1>
    <p>Many sign-ins were begun at your network address and not finished.</p>
    <p>Wait ${waitSeconds} ${waitSeconds === 1 ? 'second' : 'seconds'}, then load this page again.</p>`,
});

export const busyPage: Page = {
  status: 503,
  title: 'Try again',
  retryAfterSeconds: 1,
  body: html`<h1>Try again</h1>
    <p>The server has more passwords to check than it can. Go back, and sign in again.</p>`,
};

export const signedInPage: Page = {
  status: 200,
  title: 'You are signed in',
  body: html`<h1>You are signed in</h1>
    <p>Close this window and return to your terminal.</p>`,
};

/** The page that the terminal shows in the browser after a failed sign-in. */
export const notSignedInPage = (why: string): Page =>
  deadEndPage(400, 'You are not signed in', `${why} Close this window and return to your terminal.`);
