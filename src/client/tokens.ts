import * as oauth from 'oauth4webapi';
import { AgentError, noAnswer, tokenRefusal } from './agent-error.js';
import { authenticateBy, type Authenticate, type Credentials } from './credentials.js';
import { isForNow, Patience, type Timing } from './patience.js';
import { plainHttp } from './server-address.js';

/** A task that one agent hands to the next (RFC 9396); what is left out is as in the token that is exchanged. */
export interface Task {
  readonly purpose?: string;
  /** Such as `ticket:T-4021`. */
  readonly task?: string;
  /** Where the agent holds several. */
  readonly role?: string;
  readonly boundary?: Readonly<Record<string, readonly string[] | 'all'>>;
  readonly limits?: Readonly<Record<string, number>>;
}

export interface TokenOptions extends Credentials {
  /** The agent's name, its `client_id`. */
  readonly agent: string;
  /** The id of the delegation under which it acts. Default: the agent's only active one; the client stays with it. */
  readonly delegation?: string | undefined;
  /** Gives a token of a person or of the agent before, to exchange (RFC 8693) in place of a delegation. */
  readonly subjectToken?: (() => string | Promise<string>) | undefined;
  /** With `subjectToken`: what the agent is to do. */
  readonly task?: Task | undefined;
  /** Only these scopes of the delegation. */
  readonly scopes?: readonly string[] | undefined;
}

export interface TokenParts {
  readonly server: URL;
  readonly resource: URL;
  readonly timing: Timing;
  readonly fetch: typeof fetch;
  /** Proves possession of a key with each request (RFC 9449); undefined: bearer tokens. */
  readonly dpop: () => Promise<oauth.DPoPHandle | undefined>;
  readonly timeoutMs: number;
  readonly waitMsMax: number;
}

interface Token {
  readonly text: string;
  readonly renewsAt: number;
}

const delegationType = 'behalf_delegation';
const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/** A token is renewed this long before its end, or after half of a shorter life. */
const renewedBeforeMs = 30_000;

/** The agent's access token: got when it is needed, kept, and renewed before its end by one request for all who wait. */
export class Tokens {
  private readonly client: oauth.Client;
  private readonly authenticate: Authenticate;
  private delegation: string | undefined;
  private metadata: Promise<oauth.AuthorizationServer> | undefined;
  private current: Token | undefined;
  private renewal: Promise<Token> | undefined;

  constructor(
    private readonly options: TokenOptions,
    private readonly parts: TokenParts,
  ) {
    this.client = { client_id: options.agent };
    this.authenticate = authenticateBy(options);
    this.delegation = options.delegation;
    if (options.delegation !== undefined && options.subjectToken !== undefined)
      throw new TypeError('Give `delegation` or `subjectToken`, not both.');
  }

  async get(): Promise<string> {
    if (this.current !== undefined && this.parts.timing.now() < this.current.renewsAt)
      return this.current.text;
    this.renewal ??= this.renew().finally(() => {
      this.renewal = undefined;
    });
    return (await this.renewal).text;
  }

  /** The server refused this token: the next one is another. */
  drop(refused: string): void {
    if (this.current?.text === refused) this.current = undefined;
  }

  private async renew(): Promise<Token> {
    const startedAt = this.parts.timing.now();
    const answer = await this.ask();
    const lifeMs = (answer.expires_in ?? 0) * 1000;
    this.current = {
      text: answer.access_token,
      renewsAt: startedAt + lifeMs - Math.min(renewedBeforeMs, lifeMs / 2),
    };
    // That of an exchange, or the only one: from now on the agent asks for tokens under it.
    this.delegation ??= delegationIn(answer);
    return this.current;
  }

  /** Asks once more for each nonce that the server gives, and after the time that it names. */
  private async ask(): Promise<oauth.TokenEndpointResponse> {
    const { timing, waitMsMax } = this.parts;
    const patience = new Patience(timing, waitMsMax);
    const server = await this.discovered();
    for (let isNonceNew = true; ;) {
      const response = await this.post(server);
      if (response.ok) return this.tokenIn(server, response);
      if (isForNow(response) && (await patience.waitsFor(response))) continue;
      const refusal = await tokenRefusal(response, timing.now());
      if (refusal.code !== 'use_dpop_nonce' || !isNonceNew) throw refusal;
      isNonceNew = false;
    }
  }

  private async post(server: oauth.AuthorizationServer): Promise<Response> {
    const { subjectToken, scopes } = this.options;
    const isExchange = this.delegation === undefined && subjectToken !== undefined;
    const parameters: Record<string, string> = {
      resource: this.parts.resource.href,
      ...(scopes === undefined ? {} : { scope: scopes.join(' ') }),
      ...(isExchange ? { subject_token: await subjectToken(), subject_token_type: accessTokenType } : {}),
      ...this.details(isExchange),
    };
    const grantType = isExchange ? tokenExchange : 'client_credentials';
    const [auth, dpop] = await Promise.all([this.authenticate(), this.parts.dpop()]);
    return this.reached(() =>
      oauth.genericTokenEndpointRequest(server, this.client, auth, grantType, parameters, {
        ...this.transport(),
        ...(dpop === undefined ? {} : { DPoP: dpop }),
      }),
    );
  }

  private details(isExchange: boolean): { authorization_details?: string } {
    const { delegation, options } = this;
    const members = isExchange ? options.task : delegation === undefined ? undefined : { delegation };
    return members === undefined
      ? {}
      : { authorization_details: JSON.stringify([{ type: delegationType, ...members }]) };
  }

  private async discovered(): Promise<oauth.AuthorizationServer> {
    this.metadata ??= this.discover();
    try {
      return await this.metadata;
    } catch (error) {
      this.metadata = undefined;
      throw error;
    }
  }

  /** RFC 8414. */
  private async discover(): Promise<oauth.AuthorizationServer> {
    const { server, timing } = this.parts;
    const response = await this.reached(() =>
      oauth.discoveryRequest(server, { algorithm: 'oauth2', ...this.transport() }),
    );
    if (!response.ok) throw await tokenRefusal(response, timing.now());
    const metadata = await oauth.processDiscoveryResponse(server, response).catch((cause: unknown) => {
      throw new AgentError('BAD_ANSWER', `${server.href} is not the address of a Behalf server.`, { cause });
    });
    // Credentials go to the server itself, whatever its metadata says.
    const { token_endpoint: endpoint = '' } = metadata;
    if (URL.canParse(endpoint) && new URL(endpoint).origin === server.origin) return metadata;
    throw new AgentError(
      'BAD_ANSWER',
      `${server.href} names another server for tokens; that is not trusted.`,
    );
  }

  private tokenIn(
    server: oauth.AuthorizationServer,
    response: Response,
  ): Promise<oauth.TokenEndpointResponse> {
    return oauth
      .processGenericTokenEndpointResponse(server, this.client, response)
      .catch((cause: unknown) => {
        throw new AgentError('BAD_ANSWER', 'The answer has no usable token.', { cause });
      });
  }

  private transport() {
    const { fetch, timing, timeoutMs, server } = this.parts;
    return {
      [oauth.customFetch]: fetch,
      ...plainHttp(server),
      signal: timing.timeout(timeoutMs),
    };
  }

  private async reached(send: () => Promise<Response>): Promise<Response> {
    try {
      return await send();
    } catch (cause) {
      throw noAnswer(this.parts.server.href, cause);
    }
  }
}

function delegationIn({ authorization_details: details }: oauth.TokenEndpointResponse): string | undefined {
  const all = Array.isArray(details) ? (details as readonly Readonly<Record<string, unknown>>[]) : [];
  const delegation = all.find(({ type }) => type === delegationType)?.delegation;
  return typeof delegation === 'string' ? delegation : undefined;
}
