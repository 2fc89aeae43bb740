import { createServer } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';
import type { OAuth } from '../oauth/server.js';
import type { Database } from '../store/database.js';
import { graphqlRoute, bodyBytesMax, type GraphQLRouteParts } from './graphql-route.js';

export interface ServerParts extends GraphQLRouteParts {
  readonly oauth: OAuth;
  readonly database: Database;
}

const isOAuth = (url: string | undefined): boolean =>
  url !== undefined &&
  (url.startsWith('/oauth/') || url.startsWith('/.well-known/oauth-authorization-server'));

/** Takes requests, bounds them, and sends each to its part. */
export function makeServer(parts: ServerParts): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: bodyBytesMax,
    // The authorization server reads its own bodies, so it comes before any parser.
    serverFactory: (handler) =>
      createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
        if (isOAuth(request.url)) parts.oauth.handle(request, response);
        else handler(request, response);
      }),
  });
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const problems = await readiness(parts.database);
    return reply.code(problems.length === 0 ? 200 : 503).send({ ready: problems.length === 0, problems });
  });
  const metadata = parts.oauth.protectedResourceMetadata();
  app.get('/.well-known/oauth-protected-resource', () => metadata);
  app.get('/.well-known/oauth-protected-resource/graphql', () => metadata);
  app.setNotFoundHandler((_request, reply) => {
    void reply
      .code(404)
      .send({ error: 'not_found', see: ['/graphql', '/.well-known/oauth-protected-resource'] });
  });
  graphqlRoute(app, parts);
  return app;
}

async function readiness(database: Database): Promise<string[]> {
  try {
    const pending = await database.pendingMigrations();
    return pending.length === 0 ? [] : ['the database is behind on migrations: run `behalf migrate`'];
  } catch {
    return ['the database does not answer'];
  }
}
