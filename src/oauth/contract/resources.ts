/**
 * The guarded paths of this server. Each is a resource (RFC 8707): it has metadata of its own (RFC 9728), and a token is
 * for one of them. A request for a token that names none is for the first.
 */
export const guardedPaths = ['/graphql'] as const;
export type GuardedPath = (typeof guardedPaths)[number];

/** The identifier of a guarded path: the audience of its tokens. */
export const resourceAt = (issuer: string, path: GuardedPath): string => `${issuer}${path}`;

/** The resource of a request for a token that names none. */
export const defaultResource = (issuer: string): string => resourceAt(issuer, guardedPaths[0]);

/** RFC 9728 section 3.1. */
export const resourceMetadataAt = (path: GuardedPath): string =>
  `/.well-known/oauth-protected-resource${path}`;

/** Where a client looks that knows only the server. Has the metadata of the first guarded path. */
export const rootResourceMetadata = '/.well-known/oauth-protected-resource';
