import { createHash, randomBytes } from 'node:crypto';
import { newPassword } from '../../src/core/passwords.js';
import { asksFor, Browser, titleOf, type Shown } from './browser.js';

/** The program through which people sign in: a public client, so it uses PKCE (RFC 7636). */
const program = 'behalf-cli';
/**
 * The address at which a native program would listen (RFC 8252 section 7.3). The browser's last redirect is read, not
 * followed.
 */
export const callback = 'http://127.0.0.1/callback';

/** The token endpoint's answer: a token or an error (RFC 6749 section 5). */
export interface TokenAnswer {
  readonly status: number;
  readonly access_token?: string;
  readonly expires_in?: number;
  readonly scope?: string;
  readonly authorization_details?: readonly { readonly delegation: string }[];
  readonly error?: string;
  readonly error_description?: string;
}

export interface SignedIn {
  readonly token: TokenAnswer;
  /** Titles of the pages that the person saw. */
  readonly pages: readonly string[];
}

/** One authorization request (RFC 6749 section 4.1.1), with PKCE. */
export class CodeRequest {
  readonly url: string;
  private readonly verifier = randomBytes(32).toString('base64url');
  private readonly state = randomBytes(16).toString('base64url');

  constructor(
    private readonly server: string,
    private readonly clientId: string,
    private readonly redirectUri: string,
    more: Readonly<Record<string, string>> = {},
  ) {
    const url = new URL('/oauth/authorize', server);
    url.search = new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      state: this.state,
      ...more,
    }).toString();
    this.url = url.href;
  }

  /** @param end the redirect that the browser did not follow */
  redeem(end: Shown, headers: Readonly<Record<string, string>> = {}): Promise<TokenAnswer> {
    const returned = new URL(end.url).searchParams;
    if (returned.get('state') !== this.state) throw new Error(`signing in ended at “${titleOf(end)}”`);
    const form = {
      grant_type: 'authorization_code',
      code: returned.get('code') ?? '',
      redirect_uri: this.redirectUri,
      code_verifier: this.verifier,
    };
    const client: Record<string, string> =
      headers.authorization === undefined ? { client_id: this.clientId } : {};
    return requestToken(this.server, { ...form, ...client }, headers);
  }
}

/** A person signs in by authorization code with PKCE, through the server's pages. */
export async function signInPerson(server: string, userName: string, password: string): Promise<SignedIn> {
  const request = new CodeRequest(server, program, callback);
  const { end, pages } = await walkPages(new Browser(server), request.url, userName, password);
  return { token: await request.redeem(end), pages };
}

/** Fills in each page, and chooses a new password where one is required. */
async function walkPages(
  browser: Browser,
  url: string,
  userName: string,
  password: string,
): Promise<{ end: Shown; pages: string[] }> {
  const first = await browser.open(url);
  let end = await browser.submit(first, { username: userName, password });
  const pages = [titleOf(first)];
  if (asksFor(end, 'new-password')) {
    const chosen = newPassword();
    pages.push(titleOf(end));
    end = await browser.submit(end, { 'new-password': chosen, 'repeat-password': chosen });
  }
  return { end, pages: pages.map((title) => title.replace(/ – Behalf$/, '')) };
}

/** An agent's token under one delegation (RFC 6749 section 4.4, RFC 9396), by `client_secret_basic`. */
export function agentToken(
  server: string,
  agent: { readonly name: string; readonly secret: string },
  delegationId: string,
): Promise<TokenAnswer> {
  const details = [{ type: 'behalf_delegation', delegation: delegationId }];
  return requestToken(
    server,
    { grant_type: 'client_credentials', authorization_details: JSON.stringify(details) },
    basic(agent),
  );
}

/** `client_secret_basic` (RFC 6749 section 2.3.1). */
export function basic(agent: { readonly name: string; readonly secret: string }): { authorization: string } {
  const credentials = [agent.name, agent.secret].map(encodeURIComponent).join(':');
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

async function requestToken(
  server: string,
  parameters: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<TokenAnswer> {
  const response = await fetch(`${server}/oauth/token`, {
    method: 'POST',
    headers: { 'user-agent': 'behalf-demo', ...headers },
    body: new URLSearchParams(parameters),
  });
  return { ...((await response.json()) as object), status: response.status };
}
