import type { DocumentNode } from 'graphql/language/ast.js';
import { print } from 'graphql/language/printer.js';
import * as oauth from 'oauth4webapi';
import { errorOfAnswer, graphqlAnswer, noAnswer } from './agent-error.js';
import { readOperation } from './operation-body.js';
import { isForNow, maySendAgain, Patience, type Timing } from './patience.js';
import { plainHttp, serverUrl } from './server-address.js';
import { Tokens, type TokenOptions } from './tokens.js';

export interface AgentOptions extends TokenOptions {
  /** The server's address, its issuer: `https://behalf.example.com`. Plain `http` goes to this machine alone. */
  readonly server: string;
  /** The path for which its tokens are: GraphQL, or the Model Context Protocol. Default: `/graphql`. */
  readonly path?: '/graphql' | '/mcp';
  /** Binds tokens to a key (RFC 9449): a new key for this client, or this pair. Default: bearer tokens. */
  readonly dpop?: boolean | oauth.CryptoKeyPair;
  /** How long one answer may take; of an event stream, its head alone. Default: 60,000. */
  readonly timeoutMs?: number;
  /** How long one request waits at most where the server names a time. Default: 30,000. */
  readonly waitMsMax?: number;
  /** In place of the global `fetch`, for a proxy or a trace. */
  readonly fetch?: typeof fetch;
}

/** The options of the agent to which a task is handed on. */
export type NextOptions = Omit<
  AgentOptions,
  'server' | 'path' | 'delegation' | 'subjectToken' | 'dpop' | 'fetch'
>;

/** An operation as text or as a parsed document, with the types that a code generator gives it. */
export type Operation<Data, Variables> = (string | DocumentNode | { toString: () => string }) & {
  readonly __apiType?: (variables: Variables) => Data;
};

interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string | undefined;
  /** Whether a second arrival changes nothing. */
  readonly isRepeatable: boolean;
  readonly signal: AbortSignal;
}

/** A stream that stays open for what is to come: its client says when it ends. */
const isEventStream = ({ headers }: Response): boolean =>
  headers.get('content-type')?.startsWith('text/event-stream') === true;

type KeyPair = () => Promise<oauth.CryptoKeyPair>;

function keyPairOf(dpop: AgentOptions['dpop'] = false): KeyPair | undefined {
  if (dpop === false) return undefined;
  let pair: Promise<oauth.CryptoKeyPair> | undefined;
  return () => (pair ??= dpop === true ? oauth.generateKeyPair('ES256') : Promise.resolve(dpop));
}

/** A 401 without a reason is about the token, too. */
const faultOf = ({ cause, status }: oauth.WWWAuthenticateChallengeError): string | undefined =>
  cause.flatMap(({ parameters }) => parameters.error ?? [])[0] ??
  (status === 401 ? 'invalid_token' : undefined);

/** The request may have arrived. Any other failure comes from this side, and is thrown as it is. */
class LostAnswer extends Error {}
const lose = (cause: unknown): never => {
  throw new LostAnswer('no answer', { cause });
};

/** The pause after an answer that never came. */
const lostAnswerWaitMs = 1_000;

/** One agent that acts under one delegation. It keeps its token; it keeps nothing of what it reads. */
export class AgentClient {
  private readonly url: URL;
  private readonly tokens: Tokens;
  private readonly timeoutMs: number;
  private readonly waitMsMax: number;
  private readonly send: typeof fetch;
  private proofs: Promise<oauth.DPoPHandle> | undefined;

  constructor(
    private readonly options: AgentOptions,
    private readonly timing: Timing,
    private readonly keys: KeyPair | undefined = keyPairOf(options.dpop),
  ) {
    const { timeoutMs = 60_000, waitMsMax = 30_000 } = options;
    const server = serverUrl(options.server);
    this.url = new URL(options.path ?? '/graphql', server);
    this.timeoutMs = timeoutMs;
    this.waitMsMax = waitMsMax;
    this.send = options.fetch ?? ((input, init) => fetch(input, init));
    this.tokens = new Tokens(options, {
      ...{ server, resource: this.url, timing, timeoutMs, waitMsMax },
      ...{ fetch: this.send, dpop: () => this.dpop() },
    });
  }

  /** The address of the endpoint, for clients that take one. */
  get endpoint(): string {
    return this.url.href;
  }

  /**
   * Runs an operation and returns its data. Throws `AgentError` where the server gives any error, with what data there
   * is beside it.
   */
  async request<Data = Readonly<Record<string, unknown>>, Variables = Readonly<Record<string, unknown>>>(
    operation: Operation<Data, Variables>,
    variables?: Variables,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Data> {
    const query = typeof operation === 'object' && 'kind' in operation ? print(operation) : String(operation);
    const response = await this.fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
      ...(signal === undefined ? {} : { signal }),
    });
    const answer = await graphqlAnswer(response).catch((cause: unknown) => {
      signal?.throwIfAborted();
      throw noAnswer(this.endpoint, cause);
    });
    const error = errorOfAnswer(response, answer, this.timing.now());
    if (error !== undefined) throw error;
    return answer?.data as Data;
  }

  /**
   * `fetch` for GraphQL clients: the agent's token and proof, a fresh token after 401, and patience after 429 and 503.
   * It goes to the server's own endpoint alone, so that no other address gets the token.
   */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (url.origin !== this.url.origin || !`${url.pathname}/`.startsWith(`${this.url.pathname}/`))
      throw new TypeError(
        `The token of ${this.options.agent} is for ${this.endpoint} alone, not for ${url.href}.`,
      );
    const { method, headers } = request;
    // A signal of a request that is collected fires no more.
    const signal = init?.signal ?? (input instanceof Request ? input : request).signal;
    for (const own of ['authorization', 'dpop']) headers.delete(own);
    const operation = method === 'GET' ? undefined : readOperation(await request.text());
    // The server changes nothing by GET.
    const { text: body, isRepeatable = true } = operation ?? {};
    return this.answer({ method, url, headers, body, isRepeatable, signal });
  };

  /** An access token that is good for a while yet, for other transports. */
  accessToken(): Promise<string> {
    return this.tokens.get();
  }

  /**
   * Hands a part of the task on: the next agent exchanges this agent's token (RFC 8693) for its own. Where tokens are
   * bound to a key, the two share it.
   */
  handOn(next: NextOptions): AgentClient {
    const { server, path = '/graphql', fetch } = this.options;
    const subjectToken = () => this.accessToken();
    const options = { ...next, server, path, subjectToken, ...(fetch === undefined ? {} : { fetch }) };
    return new AgentClient(options, this.timing, this.keys);
  }

  /** The answer that counts: each refusal that time, a fresh token or a nonce mends has been tried again. */
  private async answer(request: Outgoing): Promise<Response> {
    const patience = new Patience(this.timing, this.waitMsMax, request.signal);
    const mended = new Set<string>();
    const isFirst = (fault: string): boolean => !mended.has(fault) && mended.add(fault).has(fault);
    for (;;) {
      const token = await this.tokens.get();
      const { response, fault } = await this.attempt(token, request, patience);
      if (fault === 'use_dpop_nonce' && isFirst(fault)) continue;
      // Also with 429: the server makes bad tokens wait, never good ones.
      if (fault === 'invalid_token' && isFirst(fault)) {
        this.tokens.drop(token);
        continue;
      }
      const mayWait = isForNow(response) && (await maySendAgain(response, request.isRepeatable));
      if (!mayWait || !(await patience.waitsFor(response))) return response;
    }
  }

  /** Sends the request until there is an answer; once, where a second arrival would change something. */
  private async attempt(
    token: string,
    { method, url, headers, body, isRepeatable, signal }: Outgoing,
    patience: Patience,
  ): Promise<{ readonly response: Response; readonly fault?: string | undefined }> {
    const dpop = await this.dpop();
    for (;;) {
      signal.throwIfAborted();
      const timeUp = this.timing.timeout(this.timeoutMs);
      const late = new AbortController();
      const stop = (): void => {
        late.abort(timeUp.reason);
      };
      timeUp.addEventListener('abort', stop, { once: true });
      try {
        const response = await oauth.protectedResourceRequest(
          token,
          method,
          url,
          new Headers(headers),
          body,
          {
            ...(dpop === undefined ? {} : { DPoP: dpop }),
            [oauth.customFetch]: (...to) => this.send(...to).catch(lose),
            ...plainHttp(url),
            signal: AbortSignal.any([signal, late.signal]),
          },
        );
        if (isEventStream(response)) timeUp.removeEventListener('abort', stop);
        return { response };
      } catch (error) {
        if (error instanceof oauth.WWWAuthenticateChallengeError)
          return { response: error.response, fault: faultOf(error) };
        signal.throwIfAborted();
        if (!(error instanceof LostAnswer)) throw error;
        if (!isRepeatable || timeUp.aborted || !(await patience.waits(lostAnswerWaitMs)))
          throw noAnswer(this.endpoint, error.cause);
      }
    }
  }

  private async dpop(): Promise<oauth.DPoPHandle | undefined> {
    const { keys } = this;
    if (keys === undefined) return undefined;
    this.proofs ??= keys().then((pair) => oauth.DPoP({}, pair));
    return this.proofs;
  }
}
