import { createServer } from 'node:http';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { Metrics } from '../core/metrics.js';
import { accountRoutes, rootPage, type AccountRoutesParts } from '../transports/account/routes.js';
import { guardedPaths } from '../core/guarded-paths.js';
import { resourceMetadataAt, rootResourceMetadata } from '../oauth/contract/resources.js';
import type { OAuth } from '../oauth/server.js';
import type { CrossOrigin } from './cross-origin.js';
import { explorerFiles, type ExplorerFiles } from '../transports/explorer/files.js';
import { explorerOperations } from '../transports/explorer/operations.js';
import { explorerPage } from '../transports/explorer/page.js';
import { graphqlRoute } from '../transports/graphql-http/route.js';
import { bodyBytesMax, HttpOperations, type HttpOperationsParts } from '../transports/http/operations.js';
import { methodsOf } from '../transports/http/methods.js';
import type { ToolsWatch } from '../operation/tools-watch.js';
import { messageOf } from '../transports/mcp/message.js';
import { refusalMessage } from '../transports/mcp/refusal-message.js';
import { mcpRoute } from '../transports/mcp/route.js';
import { schemaRoute } from '../transports/sdl/route.js';
import type { InFlight } from './in-flight.js';
import { metricsRoute, type MetricsAccess } from './metrics-route.js';
import { isReady, type Readiness } from './readiness.js';

/** Limits of connections, whatever is sent through them. */
interface ConnectionLimits {
  readonly connections: number;
  readonly keepAliveSeconds: number;
  readonly headersSeconds: number;
  readonly requestSeconds: number;
}

interface ServerParts extends Omit<HttpOperationsParts, 'resource' | 'mcpOf' | 'wordRefusal'> {
  readonly account: AccountRoutesParts;
  readonly toolsWatch: ToolsWatch;
  /** The files of the explorer. Undefined: browsers get no page at `/graphql`. */
  readonly explorer: ExplorerFiles | undefined;
  readonly oauth: OAuth;
  /** Of the program. */
  readonly version: string;
  /** Whether the public URL leads to this machine alone. */
  readonly isLocal: boolean;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  /** Undefined where metrics have a listener of their own. */
  readonly metricsAccess: MetricsAccess | undefined;
  readonly inFlight: InFlight;
  readonly limits: ConnectionLimits;
  readonly crossOrigin: CrossOrigin;
}

const isOAuth = (url: string | undefined): boolean =>
  url !== undefined &&
  (url.startsWith('/oauth/') || url.startsWith('/.well-known/oauth-authorization-server'));

/** How often connections are checked for requests that arrive too slowly. */
const checkEveryMs = 1_000;

/** Takes requests within limits, and passes each to its part. */
export function makeServer(parts: ServerParts): FastifyInstance {
  const { limits, inFlight, oauth, crossOrigin } = parts;
  const app = Fastify({
    logger: false,
    bodyLimit: bodyBytesMax,
    // An address that cannot be read is one at which there is nothing.
    frameworkErrors: (_error, _request, reply) => {
      notFound(reply);
    },
    // A request that has arrived on an open connection is answered, also while the server ends.
    return503OnClosing: false,
    // The authorization server reads its own bodies, so it comes before any parser.
    serverFactory: (handler) => {
      const options = {
        keepAliveTimeout: limits.keepAliveSeconds * 1000,
        headersTimeout: limits.headersSeconds * 1000,
        requestTimeout: limits.requestSeconds * 1000,
        connectionsCheckingInterval: checkEveryMs,
      };
      const server = createServer(options, (request, response) => {
        inFlight.add(response);
        if (crossOrigin.handle(request, response)) return;
        if (isOAuth(request.url)) oauth.handle(request, response);
        else handler(request, response);
      });
      server.maxConnections = limits.connections;
      inFlight.watch(server);
      return server;
    },
  });
  healthRoutes(app, parts.readiness);
  if (parts.metricsAccess !== undefined) metricsRoute(app, parts.metrics, parts.metricsAccess);
  for (const path of guardedPaths)
    app.get(resourceMetadataAt(path), () => oauth.protectedResourceMetadata(path));
  app.get(rootResourceMetadata, () => oauth.protectedResourceMetadata(guardedPaths[0]));
  const tellNothing = (request: FastifyRequest, reply: FastifyReply): void => {
    const allowed = methodsOf(app, request.url.split('?')[0] ?? '');
    if (allowed.length > 0) {
      void reply.code(405).header('allow', allowed.join(', ')).send({ error: 'method_not_allowed', allowed });
      return;
    }
    notFound(reply);
  };
  app.get('/', (request, reply) => {
    if (!rootPage(parts.account, request, reply)) notFound(reply);
    return reply;
  });
  app.setNotFoundHandler(tellNothing);
  // An unwanted body changes nothing about the answer.
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if ((error.statusCode ?? 500) < 500) tellNothing(request, reply);
    else void reply.code(500).send({ error: 'internal' });
  });
  const operations = new HttpOperations({ ...parts, resource: '/graphql' });
  const { explorer, account } = parts;
  void app.register((scope, _options, done) => {
    if (explorer !== undefined) explorerPage(scope, account);
    operations.guard(scope);
    graphqlRoute(scope, operations);
    schemaRoute(scope, operations);
    done();
  });
  void app.register((scope, _options, done) => {
    const mcpOf = ({ body }: FastifyRequest) => messageOf(body);
    const ofMcp = { ...parts, resource: '/mcp', mcpOf, wordRefusal: refusalMessage } as const;
    mcpRoute(scope, new HttpOperations(ofMcp), {
      gate: parts.gate,
      toolsWatch: parts.toolsWatch,
      publicUrl: parts.publicUrl,
      version: parts.version,
      allowsOrigin: (origin) => crossOrigin.allows(origin),
      isLocal: parts.isLocal,
    });
    done();
  });
  void app.register((scope, _options, done) => {
    accountRoutes(scope, account);
    done();
  });
  if (explorer !== undefined) {
    explorerFiles(app, explorer);
    void app.register((scope, _options, done) => {
      explorerOperations(scope, operations, account);
      done();
    });
  }
  return app;
}

const notFound = (reply: FastifyReply): void => {
  void reply.code(404).send({ error: 'not_found', see: [...guardedPaths, rootResourceMetadata] });
};

/** A listener for operators only. */
export function makeMetricsServer(metrics: Metrics, readiness: Readiness): FastifyInstance {
  const app = Fastify({ logger: false, bodyLimit: 1_024, forceCloseConnections: true });
  healthRoutes(app, readiness);
  metricsRoute(app, metrics, 'anyone');
  return app;
}

/** `/healthz`: the process runs. `/readyz`: it can do its work, or its problems. */
function healthRoutes(app: FastifyInstance, readiness: Readiness): void {
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const problems = await readiness.problems();
    return reply
      .code(isReady(problems) ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready: isReady(problems), problems });
  });
}
