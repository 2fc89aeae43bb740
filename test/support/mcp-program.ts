import {
  Client,
  exchangeAuthorization,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import type { Era } from './mcp.js';
import type { OAuthCallback } from './oauth-callback.js';

/** The work of a person in a browser, at the address that a program opens there. */
export type Visit = (url: URL) => Promise<unknown>;

interface ProgramOptions {
  readonly era: Era;
  readonly callback: OAuthCallback;
  /** Default: `callback.url()`. */
  readonly redirectUrl?: string;
  /** The address of its document, where it has one. It registers itself where it has none. */
  readonly document?: string;
  /** The client that an administrator registered for it, with the scopes that it asks for. */
  readonly registered?: { readonly clientId: string; readonly scope: string };
}

/** The memory of a program, as the SDK wants it. */
class Memory implements OAuthClientProvider {
  readonly clientMetadataUrl?: string;
  client: StoredOAuthClientInformation | undefined;
  kept: StoredOAuthTokens | undefined;
  /** The address that the SDK opened for its person. */
  asked: URL | undefined;
  /** The scopes that the next refresh asks for. */
  refreshScope: string | undefined;
  private verifier = '';
  discovered: OAuthDiscoveryState | undefined;

  constructor(
    private readonly options: ProgramOptions,
    issuer: string,
  ) {
    const { document, registered } = options;
    if (document !== undefined) this.clientMetadataUrl = document;
    if (registered !== undefined) this.client = { client_id: registered.clientId, issuer };
  }

  get redirectUrl(): string {
    return this.options.redirectUrl ?? this.options.callback.url();
  }

  get clientMetadata(): OAuthClientMetadata {
    // As IDEs do it: without the port, which is known when the program listens.
    const uris = ['https://assistant.example/redirect', 'http://127.0.0.1/callback'];
    const { scope } = this.options.registered ?? {};
    return { client_name: 'Assistant of the SDK', redirect_uris: uris, ...(scope && { scope }) };
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.client;
  }

  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.client = client;
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.kept;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.kept = tokens;
  }

  redirectToAuthorization(url: URL): void {
    this.asked = url;
  }

  saveCodeVerifier(verifier: string): void {
    this.verifier = verifier;
  }

  codeVerifier(): string {
    return this.verifier;
  }

  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.discovered = state;
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.discovered;
  }

  scopeForRefresh(): string | undefined {
    return this.refreshScope;
  }
}

/** A program with the official SDK that knows nothing but the address of an MCP server. */
export class McpProgram {
  readonly memory: Memory;
  /** Every address that the SDK asked, with the status of the answer. */
  readonly asked: string[] = [];
  private transport: StreamableHTTPClientTransport;
  client: Client;

  constructor(
    private readonly url: string,
    private readonly options: ProgramOptions,
  ) {
    this.memory = new Memory(options, new URL(url).origin);
    [this.client, this.transport] = this.fresh();
  }

  /** Of its token, sorted. */
  get scopes(): readonly string[] {
    return this.memory.kept?.scope?.split(' ').sort() ?? [];
  }

  /** Connects without a token; returns the address that its person is to open. */
  async begin(): Promise<URL> {
    await this.client.connect(this.transport).catch(unlessUnauthorized);
    return this.addressForPerson();
  }

  /** Takes the answer with which the browser came back, and connects again. */
  async finish(): Promise<Client> {
    await this.transport.finishAuth(this.options.callback.take());
    [this.client, this.transport] = this.fresh();
    await this.client.connect(this.transport);
    return this.client;
  }

  /** Asks for tokens with this code. */
  redeem(authorizationCode: string): Promise<unknown> {
    const { client, discovered, redirectUrl } = this.memory;
    if (client === undefined) throw new Error('The program is no client yet.');
    const metadata = discovered?.authorizationServerMetadata;
    return exchangeAuthorization(discovered?.authorizationServerUrl ?? '', {
      ...(metadata === undefined ? {} : { metadata }),
      ...{ clientInformation: client, authorizationCode, codeVerifier: this.memory.codeVerifier() },
      ...{ redirectUri: redirectUrl, iss: metadata?.issuer },
    });
  }

  /** Forgets its access token, so that it has to get another, for these scopes. */
  refreshFor(scope: string): void {
    const { kept } = this.memory;
    if (kept === undefined) throw new Error('The program has no tokens.');
    this.memory.kept = { ...kept, access_token: 'forgotten' };
    this.memory.refreshScope = scope;
  }

  async connect(visit: Visit): Promise<Client> {
    await visit(await this.begin());
    return this.finish();
  }

  /** The address that it opened for its person since this was last asked. */
  addressForPerson(): URL {
    const { asked } = this.memory;
    this.memory.asked = undefined;
    if (asked === undefined) throw new Error('The program asked for nothing.');
    return asked;
  }

  private fresh(): [Client, StreamableHTTPClientTransport] {
    const { era } = this.options;
    const negotiation = era === 'modern' ? { versionNegotiation: { mode: 'auto' as const } } : {};
    const transport = new StreamableHTTPClientTransport(new URL(this.url), {
      authProvider: this.memory,
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        const { pathname } = new URL(String(input instanceof Request ? input.url : input));
        this.asked.push(`${String(response.status)} ${pathname}`);
        return response;
      },
    });
    return [new Client({ name: 'assistant', version: '1.0.0' }, negotiation), transport];
  }
}

function unlessUnauthorized(error: unknown): void {
  if (!(error instanceof UnauthorizedError)) throw error;
}
