import type { IncomingMessage, ServerResponse } from 'node:http';

/** Paths and methods open to pages of other origins; none relies on cookies. */
const shared = new Map<string, string>([
  ['/graphql', 'GET, POST'],
  ['/graphql/schema.graphql', 'GET'],
  ['/mcp', 'POST'],
  ['/oauth/token', 'POST'],
  ['/oauth/revoke', 'POST'],
  ['/oauth/introspect', 'POST'],
]);

/** Documents about the server, without data of anyone. */
const isMetadata = (path: string): boolean => path.startsWith('/.well-known/') || path === '/oauth/jwks';

/** Headers of an answer that a page may read. */
const exposed = 'behalf-operation-id, dpop-nonce, retry-after, www-authenticate';
const maxAgeSeconds = 600;

/**
 * Lets pages of other origins read answers (the CORS protocol of the Fetch standard): metadata for all, the rest for
 * the origins of the settings. Never with credentials: a caller has to send a token.
 */
export class CrossOrigin {
  private readonly origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.origins = new Set(origins);
  }

  allows(origin: string): boolean {
    return this.origins.has(origin);
  }

  /** Sets the headers. True where the request was a preflight, which needs no token. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const path = request.url?.split('?')[0] ?? '';
    const methods = isMetadata(path) ? 'GET, HEAD' : shared.get(path);
    if (methods === undefined) return false;
    const { origin } = request.headers;
    const isPreflight =
      request.method === 'OPTIONS' &&
      origin !== undefined &&
      request.headers['access-control-request-method'] !== undefined;
    if (isMetadata(path)) response.setHeader('access-control-allow-origin', '*');
    else {
      response.setHeader('vary', 'origin');
      // Where one of these headers is set, the authorization server's library leaves all of them alone.
      response.setHeader('access-control-expose-headers', exposed);
      if (origin !== undefined && this.origins.has(origin))
        response.setHeader('access-control-allow-origin', origin);
    }
    if (isPreflight) this.preflight(request, response, methods);
    return isPreflight;
  }

  private preflight({ headers }: IncomingMessage, response: ServerResponse, methods: string): void {
    if (response.hasHeader('access-control-allow-origin')) {
      response.setHeader('access-control-allow-methods', methods);
      response.setHeader('access-control-max-age', maxAgeSeconds);
      const { 'access-control-request-headers': names } = headers;
      if (names !== undefined) response.setHeader('access-control-allow-headers', names);
    }
    response.writeHead(204).end();
  }
}
