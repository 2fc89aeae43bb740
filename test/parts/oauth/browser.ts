import * as oauth from 'oauth4webapi';
import { allowInsecureRequests, type Configuration } from 'openid-client';
import { loopback } from './harness.js';

/** Any server of ours. */
export interface Issuer {
  readonly issuer: string;
}

export interface Shown {
  readonly status: number;
  readonly html: string;
  readonly url: string;
  readonly headers: Headers;
}

/** The values that a person enters into a form, by the names of its fields. */
type Fields = Readonly<Record<string, string | readonly string[]>>;

/** A browser without JavaScript: keeps cookies by path, follows redirects, sends forms. */
export class Browser {
  private readonly cookies = new Map<string, { value: string; path: string }>();

  constructor(
    readonly origin: string,
    private readonly always: Readonly<Record<string, string>> = {},
  ) {}

  /** Puts a cookie there, as someone who made it up would. */
  set(name: string, value: string, path: string): void {
    this.cookies.set(name, { value, path });
  }

  async open(url: string): Promise<Shown> {
    return this.go(url, { method: 'GET' });
  }

  /** Sends the page's form with its hidden fields, the boxes that are ticked, and what the person types or ticks instead. */
  async submit(page: Shown, fields: Fields, headers: Record<string, string> = {}): Promise<Shown> {
    return this.go(...this.formOf(page, fields, headers));
  }

  /** As `submit`, with a body of one's own. */
  async submitAs(page: Shown, body: string, type: string): Promise<Shown> {
    const [url, init] = this.formOf(page, {}, { 'content-type': type });
    return this.go(url, { ...init, body });
  }

  /** As `submit`, for the form with this address, on a page that has several. */
  async submitTo(
    page: Shown,
    action: string,
    fields: Fields = {},
    headers: Record<string, string> = {},
  ): Promise<Shown> {
    const html = [...page.html.matchAll(/<form[^]*?<\/form>/g)]
      .map(([form]) => form)
      .find((form) => form.includes(` action="${action}"`));
    return this.submit({ ...page, html: html ?? '' }, fields, headers);
  }

  /** As `submit`, but stays there; returns where the answer leads. */
  async send(page: Shown, fields: Fields): Promise<string> {
    const response = await this.request(...this.formOf(page, fields, {}));
    return new URL(response.headers.get('location') ?? '', this.origin).href;
  }

  /** Puts these cookies in place of all, as somebody who had copied them would. */
  takeOver(other: Browser): void {
    this.cookies.clear();
    for (const [name, cookie] of other.cookies) this.cookies.set(name, cookie);
  }

  cookie(name: string): string {
    return this.cookies.get(name)?.value ?? '';
  }

  /** Follows redirects up to one to this path, which it returns without opening it. */
  async follow(url: string, path: string): Promise<string> {
    let at = url;
    while (new URL(at).pathname !== path) {
      const response = await this.request(at, { method: 'GET' });
      at = new URL(response.headers.get('location') ?? '', at).href;
    }
    return at;
  }

  cookieNames(): string[] {
    return [...this.cookies.keys()];
  }

  cookieValues(): string[] {
    return [...this.cookies.values()].map((cookie) => cookie.value);
  }

  private formOf(
    page: Shown,
    fields: Fields,
    headers: Record<string, string>,
  ): [url: string, init: RequestInit] {
    const action = /<form[^>]* action="([^"]+)"/.exec(page.html)?.[1];
    if (action === undefined) throw new Error(`There is no form on ${page.url}: ${page.html}`);
    const body = new URLSearchParams([
      ...hiddenFields(page.html),
      ...tickedBoxes(page.html),
      ...chosenOptions(page.html),
    ]);
    for (const [name, value] of Object.entries({ action: 'continue', ...fields })) {
      body.delete(name);
      for (const one of typeof value === 'string' ? [value] : value) body.append(name, one);
    }
    const own = { origin: this.origin, 'sec-fetch-site': 'same-origin' };
    return [new URL(action, this.origin).href, { method: 'POST', body, headers: { ...own, ...headers } }];
  }

  private async go(url: string, init: RequestInit): Promise<Shown> {
    let response = await this.request(url, init);
    let at = url;
    while (response.status >= 300 && response.status < 400) {
      at = new URL(response.headers.get('location') ?? '', at).href;
      if (new URL(at).origin !== this.origin)
        return { status: response.status, html: '', url: at, headers: response.headers };
      response = await this.request(at, { method: 'GET' });
    }
    return { status: response.status, html: await response.text(), url: at, headers: response.headers };
  }

  private async request(url: string, init: RequestInit): Promise<Response> {
    const { pathname } = new URL(url);
    const sent = [...this.cookies]
      .filter(([, { path }]) => pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`);
    const headers = {
      accept: 'text/html',
      ...this.always,
      ...(init.headers as Record<string, string>),
      cookie: sent.join('; '),
    };
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.keep(line);
    return response;
  }

  private keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    const path = attributes.find((part) => part.toLowerCase().startsWith('path='))?.slice(5) ?? '/';
    if (attributes.some((part) => part.toLowerCase().startsWith('expires=thu, 01 jan 1970')))
      this.cookies.delete(name);
    else this.cookies.set(name, { value, path });
  }
}

const fieldOf = (tag: string): [string, string] => [
  / name="([^"]*)"/.exec(tag)?.[1] ?? '',
  / value="([^"]*)"/.exec(tag)?.[1] ?? '',
];

const hiddenFields = (html: string): [string, string][] =>
  [...html.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([tag]) => fieldOf(tag));

const tickedBoxes = (html: string): [string, string][] =>
  [...html.matchAll(/<input[^>]*type="checkbox"[^>]*>/g)].flatMap(([tag]) =>
    /\schecked\s/.test(tag) ? [fieldOf(tag.replaceAll(/\s+/g, ' '))] : [],
  );

/** The chosen option of each list; the first one unless the page chooses another. */
const chosenOptions = (html: string): [string, string][] =>
  [...html.matchAll(/<select[^>]*>([^]*?)<\/select>/g)].map(([list, options = '']) => {
    const all = [...options.matchAll(/<option[^>]*>/g)].map(([tag]) => tag);
    const chosen = all.find((tag) => /\sselected/.test(tag)) ?? all[0] ?? '';
    return [/ name="([^"]*)"/.exec(list)?.[1] ?? '', / value="([^"]*)"/.exec(chosen)?.[1] ?? ''];
  });

// The server of a test speaks plain HTTP on the loopback address. Both libraries call the permission deprecated, so that
// nobody gives it where TLS is possible.
/* eslint-disable @typescript-eslint/no-deprecated */
/** For `oauth4webapi`. */
export const insecure = { [oauth.allowInsecureRequests]: true };
/** For `openid-client`. */
export const permitHttp: (config: Configuration) => void = allowInsecureRequests;
/* eslint-enable @typescript-eslint/no-deprecated */
export const program: oauth.Client = { client_id: 'behalf-cli' };

/** One authorization request of the command line, with PKCE, seen from an independent client library. */
export class CodeFlow {
  readonly browser: Browser;

  private constructor(
    readonly server: oauth.AuthorizationServer,
    readonly verifier: string,
    readonly state: string,
    readonly url: URL,
    origin: string,
  ) {
    this.browser = new Browser(origin);
  }

  static async start(harness: Issuer, parameters: Record<string, string> = {}): Promise<CodeFlow> {
    const server = await discover(harness);
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const url = new URL(server.authorization_endpoint ?? '');
    const query = {
      client_id: program.client_id,
      redirect_uri: loopback,
      response_type: 'code',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      ...parameters,
    };
    for (const [name, value] of Object.entries(query)) if (value !== '') url.searchParams.set(name, value);
    return new CodeFlow(server, verifier, state, url, harness.issuer);
  }

  async signIn(userName: string, password: string): Promise<Shown> {
    const page = await this.browser.open(this.url.href);
    return this.browser.submit(page, { username: userName, password });
  }

  async redeem(returned: Shown, options: object = {}): Promise<oauth.TokenEndpointResponse> {
    const response = await this.redeemRaw(returned, options);
    return oauth.processAuthorizationCodeResponse(this.server, program, response);
  }

  async redeemRaw(returned: Shown, options: object = {}): Promise<Response> {
    const parameters = oauth.validateAuthResponse(this.server, program, new URL(returned.url), this.state);
    return oauth.authorizationCodeGrantRequest(
      this.server,
      program,
      oauth.None(),
      parameters,
      loopback,
      this.verifier,
      {
        ...insecure,
        ...options,
      },
    );
  }
}

export async function discover(harness: Issuer): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(harness.issuer);
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure });
  return oauth.processDiscoveryResponse(issuer, response);
}

/** Signs a person in and returns the tokens. */
export async function tokensOf(
  harness: Issuer,
  userName: string,
  password: string,
  parameters: Record<string, string> = {},
): Promise<oauth.TokenEndpointResponse> {
  const flow = await CodeFlow.start(harness, parameters);
  return flow.redeem(await flow.signIn(userName, password));
}
