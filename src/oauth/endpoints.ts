import type { IncomingMessage, ServerResponse } from 'node:http';
import { clientKeyOf } from '../core/client-address.js';
import { isUtf8Target } from '../core/utf8.js';
import { refuse, sendJson, sendScript } from './answers.js';
import type { ClientRegistration } from './clients/registration.js';
import type { OAuthDependencies } from './contract/dependencies.js';
import { isProviderPath, methodsAt, paths } from './contract/paths.js';
import { passkeyScript } from './pages/passkey-script.js';
import { sendPage } from './pages/page.js';
import { signedInPage, tooManyBegunPage } from './pages/sign-in-pages.js';
import type { SignInEndpoints } from './sign-in-endpoints.js';
import type { SlowDown } from './throttling/slow-down.js';

interface EndpointsParts extends SignInEndpoints {
  readonly dependencies: Pick<OAuthDependencies, 'settings' | 'addressOf' | 'logger' | 'signingKeys'>;
  /** The library's endpoints. */
  readonly library: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Undefined where clients cannot register themselves. */
  readonly registration: ClientRegistration | undefined;
  /** RFC 8414. */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly begun: SlowDown;
}

const provenPaths: ReadonlySet<string> = new Set([paths.token, paths.pushedAuthorizationRequest]);

/** Requests on which a person decides later. */
const stored: ReadonlySet<string> = new Set([
  paths.pushedAuthorizationRequest,
  paths.deviceAuthorization,
  paths.backchannelAuthentication,
]);

/** Links and proofs use the issuer from the settings, never the host of a request. */
function pinHost(request: IncomingMessage, issuer: URL): void {
  request.headers.host = issuer.host;
  request.headers['x-forwarded-proto'] = issuer.protocol.replace(':', '');
  delete request.headers['x-forwarded-host'];
}

/** Finds the endpoint of a request. */
export class Endpoints {
  private readonly issuerUrl: URL;
  private readonly mtlsUrl: URL | undefined;

  constructor(private readonly parts: EndpointsParts) {
    const { issuer, mutualTls } = parts.dependencies.settings;
    this.issuerUrl = new URL(issuer);
    this.mtlsUrl = mutualTls?.url === undefined ? undefined : new URL(mutualTls.url);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const [path = '', query = ''] = request.url?.split(/\?(.*)/s) ?? [];
    pinHost(request, this.originOf(request, path));
    // Reads and drops the rest of a body that was too long; otherwise the connection's next request would hang.
    response.once('finish', () => request.resume());
    const isOff = path === paths.registration && this.parts.registration === undefined;
    const allowed = isOff ? [] : methodsAt(path);
    if (allowed.length === 0) refuse(response, 404, 'not_found', 'there is nothing at this address');
    else if (!allowed.includes(request.method ?? '')) {
      response.setHeader('allow', allowed.join(', '));
      refuse(response, 405, 'method_not_allowed', `this address takes ${allowed.join(' and ')}`);
    } else if (!isUtf8Target(query)) refuse(response, 400, 'invalid_request', 'the query is not UTF-8');
    else this.route(request, response, path);
  }

  private route(request: IncomingMessage, response: ServerResponse, path: string): void {
    const { library, interactions, callback, logout, signals, registration, metadata } = this.parts;
    if (path.startsWith(`${paths.interaction}/`)) void interactions.handle(request, response);
    else if (path.startsWith(`${paths.callback}/`)) void callback.handle(request, response);
    else if (path === paths.backchannelLogout) void logout.handle(request, response);
    else if (path === paths.securityEvents) void signals.handle(request, response);
    else if (path === paths.registration) void registration?.handle(request, response);
    else if (path === paths.authorize) this.begin(request, response);
    else if (stored.has(path)) this.take(request, response, path);
    else if (isProviderPath(path)) void library(request, response);
    else if (path === paths.metadata) sendJson(response, 200, metadata, { 'cache-control': 'max-age=300' });
    else if (path === paths.jwks) void this.sendKeys(response);
    else if (path === paths.passkeyScript) sendScript(response, passkeyScript);
    else sendPage(response, signedInPage);
  }

  /** Such requests are stored, too. */
  private take(request: IncomingMessage, response: ServerResponse, path: string): void {
    const waitSeconds = this.waitSeconds(`${path} ${this.addressOf(request)}`);
    if (waitSeconds === 0) void this.parts.library(request, response);
    else {
      response.setHeader('retry-after', String(waitSeconds));
      refuse(response, 429, 'slow_down', 'too many requests were begun at this address');
    }
  }

  /** Every started sign-in is stored, so an address may start only so many. */
  private begin(request: IncomingMessage, response: ServerResponse): void {
    const waitSeconds = this.waitSeconds(this.addressOf(request));
    if (waitSeconds === 0) void this.parts.library(request, response);
    else sendPage(response, tooManyBegunPage(waitSeconds));
  }

  private addressOf(request: IncomingMessage): string {
    return clientKeyOf(this.parts.dependencies.addressOf(request));
  }

  /** Zero: the request is counted, and may go on. */
  private waitSeconds(party: string): number {
    const { begun } = this.parts;
    const waitSeconds = begun.waitSeconds(party, party);
    if (waitSeconds > 0) return waitSeconds;
    begun.count(party, party);
    return 0;
  }

  /**
   * A DPoP proof names the origin for mutual TLS where the request came to that (RFC 8705 section 5, RFC 9449
   * section 4.3).
   */
  private originOf({ headers }: IncomingMessage, path: string): URL {
    const { issuerUrl, mtlsUrl } = this;
    return headers.dpop !== undefined && headers.host === mtlsUrl?.host && provenPaths.has(path)
      ? (mtlsUrl ?? issuerUrl)
      : issuerUrl;
  }

  private async sendKeys(response: ServerResponse): Promise<void> {
    const { signingKeys, logger } = this.parts.dependencies;
    if (signingKeys === undefined) {
      refuse(response, 404, 'not_found', 'this server signs nothing');
      return;
    }
    try {
      sendJson(response, 200, await signingKeys.published(), { 'cache-control': 'max-age=300' });
    } catch (error) {
      logger.error({ err: error }, 'the public keys cannot be read');
      refuse(response, 503, 'temporarily_unavailable', 'the keys cannot be read now; try again later');
    }
  }
}
