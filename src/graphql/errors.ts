import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { cutText } from '../core/cut-text.js';
import { BehalfError, errorCodes, internal, type ErrorCode } from '../core/errors.js';

const known = new Set<string>(errorCodes);

/** Apollo Server's own codes for invalid requests. */
const clientFaults = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]);

/** The first error of this project in a chain of causes. */
function ours(error: unknown): BehalfError | undefined {
  for (let at = error; at instanceof Error;) {
    if (at instanceof BehalfError) return at;
    at = at instanceof GraphQLError ? at.originalError : undefined;
  }
  return undefined;
}

/** The stable code of an error; undefined for a failure of the server. */
export function codeOf(error: unknown): ErrorCode | undefined {
  const mine = ours(error);
  if (mine !== undefined) return mine.code;
  const { code, validationErrorCode } = error instanceof GraphQLError ? error.extensions : {};
  if (validationErrorCode === 'MAX_RECURSIVE_SELECTIONS_EXCEEDED') return 'QUERY_TOO_COMPLEX';
  if (typeof code !== 'string') return undefined;
  if (clientFaults.has(code)) return 'BAD_USER_INPUT';
  return known.has(code) ? (code as ErrorCode) : undefined;
}

/** Characters. A message may quote the caller's input, but not all of it. */
const messageLengthMax = 1_000;
const shortened = (message: string): string =>
  message.length <= messageLengthMax ? message : `${cutText(message, messageLengthMax)}…`;

/** An error as the caller gets it: a stable code and what to do, without internal details. */
export function formatError(formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError {
  const code = codeOf(error) ?? codeOf(new GraphQLError('', { extensions: { ...formatted.extensions } }));
  const mine = ours(error);
  const position = {
    ...(formatted.locations === undefined ? {} : { locations: formatted.locations }),
    ...(formatted.path === undefined ? {} : { path: formatted.path }),
  };
  if (mine !== undefined)
    return {
      message: shortened(mine.message),
      ...position,
      extensions: { code: mine.code, ...mine.details },
    };
  if (code === undefined || code === 'INTERNAL') {
    return { message: internal(error).message, ...position, extensions: { code: 'INTERNAL' } };
  }
  return { message: shortened(formatted.message), ...position, extensions: { code } };
}

/** A response body with one error of this project and nothing else. */
export const errorBody = (error: BehalfError, operationId: string): { errors: GraphQLFormattedError[] } => ({
  errors: [{ message: error.message, extensions: { code: error.code, ...error.details, operationId } }],
});

/** The HTTP status of a request that was refused as a whole. */
export const statusOfError = ({ code, details }: BehalfError): number =>
  // The server's own limits, not the caller's.
  details.limit === 'load' || details.limit === 'time' ? 503 : statusOf(code);

/** The HTTP status of a request that gave no data. A spent limit stays spent, so its status invites no retry. */
function statusOf(code: ErrorCode): number {
  switch (code) {
    case 'UNAUTHENTICATED':
    case 'INSUFFICIENT_USER_AUTHENTICATION':
      return 401;
    case 'AUDIT_UNAVAILABLE':
    case 'UNAVAILABLE':
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

/** An error of the project as an error of GraphQL, which keeps it as its cause. */
export const asGraphQLError = (error: Error): GraphQLError =>
  new GraphQLError(error.message, { originalError: error });
