import { createServer } from 'node:http';
import { useGenericAuth } from '@envelop/generic-auth';
import { createYoga } from 'graphql-yoga';
import { callerOf } from './callers.mjs';
import { contextOf, makeSchema } from './schema.mjs';
import { plainSdl } from './sdl.mjs';

const directive =
  'directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE\n';

/** GraphQL Yoga with envelop's generic auth: a token look-up, and a scope on every field. */
export async function yoga(parts) {
  const handler = createYoga({
    schema: makeSchema(directive + plainSdl((scope) => `@requiresScopes(scopes: [["${scope}"]])`)),
    logging: false,
    graphiql: false,
    context: () => contextOf(parts),
    plugins: [
      useGenericAuth({
        mode: 'protect-granular',
        resolveUserFn: ({ request }) => callerOf(parts.store, request.headers.get('authorization')),
        extractScopes: (caller) => [...(caller?.scopes ?? [])],
      }),
    ],
  });
  const server = createServer(handler);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}
