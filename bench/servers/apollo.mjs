import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import { expressMiddleware } from '@as-integrations/express5';
import express from 'express';
import fastify from 'fastify';
import { contextOf, makeSchema } from './schema.mjs';

async function started(schema, plugins) {
  const apollo = new ApolloServer({ schema, plugins });
  await apollo.start();
  return apollo;
}

/** Listens with Express as Apollo's documents have it. */
export function listenWithExpress(apollo, context) {
  const app = express();
  app.use('/graphql', express.json(), expressMiddleware(apollo, { context }));
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve(server.address().port));
    // Node's five seconds end while a list of a slow stack keeps the next request of a connection waiting.
    server.keepAliveTimeout = 60_000;
  });
}

async function listenWithFastify(apollo, context) {
  const app = fastify();
  app.post('/graphql', fastifyApolloHandler(apollo, { context }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  return app.server.address().port;
}

const cacheControlOff = [ApolloServerPluginCacheControlDisabled()];

const bare = (listen, plugins) => async (parts) =>
  listen(await started(makeSchema(), plugins), async () => contextOf(parts));

/** Apollo Server without any enforcement. */
export const apolloExpress = bare(listenWithExpress, []);
export const apolloExpressNoCache = bare(listenWithExpress, cacheControlOff);
export const apolloFastify = bare(listenWithFastify, []);
export const apolloFastifyNoCache = bare(listenWithFastify, cacheControlOff);
