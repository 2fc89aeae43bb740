import { id, int, json, nullable, table, text, time, type RowOf } from './table.js';

/** Other servers that take tokens of this one: each is a resource (RFC 8707), and introspects tokens for it alone. */
export const resourceServers = table(
  'ResourceServer',
  'resource_servers',
  {
    /** Also its OAuth client id. */
    id: id(),
    /** In commands and on pages; unique. */
    name: text(40),
    /** The audience of its tokens, exactly; unique. */
    identifier: text(255),
    /** The scopes that its tokens may have. */
    scopes: json<readonly string[]>(),
    /** client_secret_basic, private_key_jwt */
    authMethod: text(30),
    secretHash: nullable(text(300)),
    jwks: nullable(json<{ readonly keys: readonly Record<string, unknown>[] }>()),
    /** Tokens from before are not shown to it. */
    createdAt: time(),
    version: int(),
  },
  ['id'],
  { unique: [['name'], ['identifier']] },
);

export type ResourceServerRow = RowOf<typeof resourceServers>;
