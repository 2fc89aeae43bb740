import { guardedPaths, resourceAt, type GuardedPath } from '../../core/guarded-paths.js';

/** The resource of a request for a token that names none. */
export const defaultResource = (issuer: string): string => resourceAt(issuer, guardedPaths[0]);

/** RFC 9728 section 3.1. */
export const resourceMetadataAt = (path: GuardedPath): string =>
  `/.well-known/oauth-protected-resource${path}`;

/** Where a client looks that knows only the server. Has the metadata of the first guarded path. */
export const rootResourceMetadata = '/.well-known/oauth-protected-resource';
