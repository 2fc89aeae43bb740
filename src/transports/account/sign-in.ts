import type { FastifyReply, FastifyRequest } from 'fastify';
import { passkeyAcr } from '../../oauth/own-program.js';
import type { StepUp } from '../../operation/answer.js';
import { accountPaths } from '../../oauth/contract/paths.js';
import { html, type Html } from '../../oauth/pages/html.js';
import type { Page } from '../../oauth/pages/page.js';
import { newSecret, signInTargets, type SignInTarget } from './cookies.js';
import { newSessionId, sessionOf, Unavailable, type AccountParts, type Visitor } from './visitor.js';

/** @param target the page to which the sign-in leads: a path of the account, or another one by its name */
export const signInLink = (publicUrl: string, target: SignInTarget | `/${string}` = 'account'): Html => {
  const isPath = target.startsWith('/');
  const query = target === 'account' ? '' : `?${isPath ? 'return' : 'to'}=${encodeURIComponent(target)}`;
  return html`<p class="actions">
    <a class="button" href="${publicUrl}${accountPaths.signIn}${query}">Sign in</a>
  </p>`;
};

/** For a person who is not signed in: what this server is, and how to sign in. */
export const welcomePage = (publicUrl: string): Page => ({
  status: 200,
  title: 'Welcome',
  body: html`<h1>This is Behalf</h1>
    <p>
      Here people hand tasks to AI agents, which work with no more rights than the person, the agent and the
      task have. Everything they do is recorded.
    </p>
    <p>Sign in to see what your agents may do and what they did, and to take tasks back.</p>
    ${signInLink(publicUrl)}
    <p class="soft">Programs send requests to <code>${publicUrl}/graphql</code>.</p>`,
});

export const signedOutPage = (publicUrl: string): Page => ({
  status: 200,
  title: 'You have signed out',
  body: html`<h1>You have signed out</h1>
    <p>Your sign-in in this browser has ended.</p>
    ${signInLink(publicUrl)}`,
});

/** @param from the page that was asked for */
export const notSignedInPage = (publicUrl: string, from: string): Page => {
  const path = accountPath(from);
  return {
    status: 401,
    title: 'You are not signed in',
    body: html`<h1>You are not signed in</h1>
      <p>Sign in to see your account. A sign-in ends by itself after a while.</p>
      ${signInLink(publicUrl, path === accountPaths.home ? 'account' : path)}`,
  };
};

const failedPage = (publicUrl: string, why: string): Page => ({
  status: 400,
  title: 'You are not signed in',
  body: html`<h1>You are not signed in</h1>
    <p>${why}</p>
    ${signInLink(publicUrl)}`,
});

export type Outcome =
  { readonly kind: 'page'; readonly page: Page } | { readonly kind: 'redirect'; readonly to: string };

const shown = (page: Page): Outcome => ({ kind: 'page', page });

/** Pages of the account alone: the address may come from anybody. */
const accountPath = (text: string | null): `/${string}` =>
  text !== null && /^\/account(?:\/[A-Za-z0-9-]+)*$/.test(text) ? (text as `/${string}`) : accountPaths.home;

/** For a person whose sign-in does not suffice. */
export const signInAgainPage = (
  publicUrl: string,
  { message, hint, acrValues }: StepUp,
  from: string,
): Page => {
  const query = new URLSearchParams({
    ...(acrValues === undefined ? {} : { acr_values: acrValues }),
    return: accountPath(from),
  });
  return {
    status: 401,
    title: 'Sign in again',
    body: html`<h1>Sign in again</h1>
      <p>${message} ${hint}</p>
      <p class="actions">
        <a class="button" href="${publicUrl}${accountPaths.signIn}?${query.toString()}">Sign in again</a>
        <a class="button quiet" href="${accountPaths.home}">Back to your account</a>
      </p>`,
  };
};

/** Begins an authorization request; its secrets stay in this browser's cookie. */
export function beginSignIn(
  { program, cookies }: AccountParts,
  reply: FastifyReply,
  query: URLSearchParams,
): Outcome {
  const acrValues = query.get('acr_values');
  const authorization = {
    ...{ state: newSecret(16), verifier: newSecret() },
    ...(acrValues === passkeyAcr ? { acrValues } : {}),
  };
  const returnTo = query.get('to') === 'explorer' ? signInTargets.explorer : accountPath(query.get('return'));
  void reply.header('set-cookie', cookies.keepSignIn({ ...authorization, returnTo }));
  return { kind: 'redirect', to: program.authorizationPath(authorization) };
}

/**
 * Takes the answer to the authorization request of this browser (RFC 6749 section 4.1.2, RFC 9207). The session is new;
 * an earlier session of the browser ends.
 */
export async function finishSignIn(
  parts: AccountParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Outcome> {
  const { program, cookies, clock, publicUrl } = parts;
  const { searchParams: answer } = new URL(request.url, publicUrl);
  const begun = cookies.signInUnderWay(request.headers.cookie);
  if (begun === undefined || answer.get('state') !== begun.state || answer.get('iss') !== publicUrl) {
    return shown(
      failedPage(publicUrl, 'This is not the answer to a sign-in that was begun in this browser.'),
    );
  }
  void reply.header('set-cookie', cookies.endSignIn());
  const code = answer.get('code');
  if (code === null) return shown(failedPage(publicUrl, 'The sign-in was cancelled or refused.'));
  const outcome = await program.redeem(request.raw, code, begun.verifier);
  if (outcome.kind === 'refused') return shown(failedPage(publicUrl, 'This sign-in has expired.'));
  const session = sessionOf(outcome, newSessionId(), clock.now());
  const earlier = cookies.sessionIn(request.headers.cookie);
  if (earlier !== undefined) await program.revoke(request.raw, earlier.refresh);
  void reply.header('set-cookie', cookies.keepSession(session));
  return { kind: 'redirect', to: begun.returnTo };
}

/** Ends the sign-in with all its tokens, then forgets it. Throws `Unavailable` where it could not be ended. */
export async function signOut(
  { program, cookies }: AccountParts,
  request: FastifyRequest,
  reply: FastifyReply,
  { session }: Pick<Visitor, 'session'>,
): Promise<Outcome> {
  if (!(await program.revoke(request.raw, session.refresh))) throw new Unavailable();
  void reply.header('set-cookie', cookies.endSession());
  return { kind: 'redirect', to: '/account?done=signed-out' };
}
