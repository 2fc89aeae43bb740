/**
 * The guarded paths of this server. Each is a resource (RFC 8707): it has metadata of its own (RFC 9728), and a token is
 * for one of them. A request for a token that names none is for the first.
 */
export const guardedPaths = ['/graphql', '/mcp'] as const;
export type GuardedPath = (typeof guardedPaths)[number];

/** The identifier of a guarded path: the audience of its tokens. */
export const resourceAt = (issuer: string, path: GuardedPath): string => `${issuer}${path}`;

/** The resources of this server itself. */
export const ownResources = (issuer: string): readonly string[] =>
  guardedPaths.map((path) => resourceAt(issuer, path));
