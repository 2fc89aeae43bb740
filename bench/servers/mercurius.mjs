import fastify from 'fastify';
import mercuriusPlugin from 'mercurius';
import mercuriusAuthPlugin from 'mercurius-auth';
import { callerOf } from './callers.mjs';
import { contextOf, makeSchema } from './schema.mjs';
import { plainSdl } from './sdl.mjs';

async function listen(app) {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return app.server.address().port;
}

/** Mercurius, compiling each operation at its first use, without any enforcement. */
export async function mercurius(parts) {
  const app = fastify();
  app.register(mercuriusPlugin, { schema: makeSchema(), jit: 1, context: () => contextOf(parts) });
  return listen(app);
}

const directive = 'directive @auth(requires: String!) on FIELD_DEFINITION\n';

/** The same with mercurius-auth: a token look-up, and a scope on every field. */
export async function mercuriusAuth(parts) {
  const app = fastify();
  const schema = makeSchema(directive + plainSdl((scope) => `@auth(requires: "${scope}")`));
  app.register(mercuriusPlugin, { schema, jit: 1, context: () => contextOf(parts) });
  app.register(mercuriusAuthPlugin, {
    authDirective: 'auth',
    authContext: async ({ reply }) => ({
      caller: await callerOf(parts.store, reply.request.headers.authorization),
    }),
    applyPolicy: (policy, _parent, _args, { auth }) =>
      auth.caller?.scopes.has(policy.arguments[0].value.value) ?? false,
  });
  return listen(app);
}
