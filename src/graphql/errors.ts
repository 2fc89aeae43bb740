import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { BehalfError, errorCodes, internal, type ErrorCode } from '../core/errors.js';

const known = new Set<string>(errorCodes);

/** Codes of Apollo Server's own for requests that are at fault themselves. */
const clientFaults = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

/** The first error of ours in a chain of causes. */
function ours(error: unknown): BehalfError | undefined {
  for (let at = error; at instanceof Error;) {
    if (at instanceof BehalfError) return at;
    at = at instanceof GraphQLError ? at.originalError : undefined;
  }
  return undefined;
}

/** The stable code of an error, or undefined for one that is a failure of ours. */
export function codeOf(error: unknown): ErrorCode | undefined {
  const mine = ours(error);
  if (mine !== undefined) return mine.code;
  const { code, validationErrorCode } = error instanceof GraphQLError ? error.extensions : {};
  if (validationErrorCode === 'MAX_RECURSIVE_SELECTIONS_EXCEEDED') return 'QUERY_TOO_COMPLEX';
  if (typeof code !== 'string') return undefined;
  if (clientFaults.has(code)) return 'BAD_USER_INPUT';
  return known.has(code) ? (code as ErrorCode) : undefined;
}

/** A message may quote what the caller sent; it does not send it all back. */
const messageLengthMax = 1_000;
const shortened = (message: string): string =>
  message.length <= messageLengthMax ? message : `${message.slice(0, messageLengthMax)}…`;

/** An error as the caller gets it: a stable code, what to do, and nothing of our insides. */
export function formatError(formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError {
  const code = codeOf(error) ?? codeOf(new GraphQLError('', { extensions: { ...formatted.extensions } }));
  const mine = ours(error);
  const place = {
    ...(formatted.locations === undefined ? {} : { locations: formatted.locations }),
    ...(formatted.path === undefined ? {} : { path: formatted.path }),
  };
  if (mine !== undefined)
    return { message: shortened(mine.message), ...place, extensions: { code: mine.code, ...mine.details } };
  if (code === undefined || code === 'INTERNAL') {
    return { message: internal(error).message, ...place, extensions: { code: 'INTERNAL' } };
  }
  return { message: shortened(formatted.message), ...place, extensions: { code } };
}

/** An error of ours as the only content of a response. */
export const errorBody = (error: BehalfError, operationId: string): { errors: GraphQLFormattedError[] } => ({
  errors: [{ message: error.message, extensions: { code: error.code, ...error.details, operationId } }],
});

/** The HTTP status where nothing could be done at all, for what was refused. */
export const statusOfError = ({ code, details }: BehalfError): number =>
  // The server's own limits, not the caller's.
  details.limit === 'load' || details.limit === 'time' ? 503 : statusOf(code);

/** The HTTP status where nothing could be done at all. A limit that is spent stays spent, so no status invites to wait. */
export function statusOf(code: ErrorCode): number {
  switch (code) {
    case 'UNAUTHENTICATED':
      return 401;
    case 'AUDIT_UNAVAILABLE':
      return 503;
    case 'INTERNAL':
      return 500;
    case 'BAD_USER_INPUT':
    case 'QUERY_TOO_COMPLEX':
      return 400;
    case 'FORBIDDEN':
    case 'APPROVAL_REQUIRED':
    case 'NOT_FOUND':
    case 'CONFLICT':
    case 'LIMIT_EXCEEDED':
      return 200;
  }
}
