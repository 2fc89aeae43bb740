import { createRequire } from 'node:module';
import { ApolloServer } from '@apollo/server';
import { GraphQLError } from 'graphql';
import { listenWithExpress } from './apollo.mjs';
import { callerOf } from './callers.mjs';
import { contextOf, makeSchema } from './schema.mjs';
import { scopesByField } from './sdl.mjs';
import { statements } from './statements.mjs';

const require = createRequire(import.meta.url);
// Its ES modules do not load on Node 24; the CommonJS build does.
const { rule, shield, deny } = require('graphql-shield');
const { applyMiddleware } = require('graphql-middleware');

/** One rule for each scope, cached for the request by its own name, on every field of every type. */
function permissions() {
  const rules = new Map();
  const ruleFor = (scope) => {
    if (!rules.has(scope)) {
      const has = rule(scope, { cache: 'contextual' });
      rules.set(
        scope,
        has(async (_parent, _args, { caller }) => caller.scopes.has(scope)),
      );
    }
    return rules.get(scope);
  };
  const tree = Object.entries(scopesByField()).map(([type, fields]) => [
    type,
    Object.fromEntries(Object.entries(fields).map(([field, scope]) => [field, ruleFor(scope)])),
  ]);
  return shield(Object.fromEntries(tree), { fallbackRule: deny, allowExternalErrors: true });
}

/** One record for each request, written before the answer leaves. */
const recording = (store) => ({
  async requestDidStart() {
    return {
      async willSendResponse({ contextValue, request, operationName, errors }) {
        await store.all(statements.record, [
          new Date().toISOString(),
          contextValue.agentId,
          operationName ?? null,
          JSON.stringify(request.variables ?? {}),
          errors === undefined ? 'succeeded' : 'refused',
        ]);
      },
    };
  },
});

/** Apollo Server on Express with graphql-shield on every field, a token look-up and a record per request. */
export async function apolloShield(parts) {
  const schema = applyMiddleware(makeSchema(), permissions());
  const apollo = new ApolloServer({ schema, plugins: [recording(parts.store)] });
  await apollo.start();
  return listenWithExpress(apollo, async ({ req }) => {
    const caller = await callerOf(parts.store, req.headers.authorization);
    if (caller === undefined) {
      throw new GraphQLError('Who are you?', {
        extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } },
      });
    }
    return { ...contextOf(parts, caller.agentId), caller };
  });
}
