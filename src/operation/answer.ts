import type { DocumentNode, GraphQLFormattedError } from 'graphql';
import { BehalfError, internal, type ErrorDetails } from '../core/errors.js';
import { errorBody, statusOfError } from '../graphql/errors.js';

export type StepUp = Pick<ErrorDetails, 'acrValues' | 'maxAgeSeconds' | 'hint'> & {
  readonly message: string;
  /** The scopes that the new sign-in is for; none where only its age counts. */
  readonly scopes: readonly string[];
};

/** The result of an operation as GraphQL has it; each error carries the operation's id. */
export interface Result {
  readonly errors?: readonly GraphQLFormattedError[] | undefined;
  readonly data?: unknown;
  readonly extensions?: unknown;
}

/** The answer to one request, for every transport. */
export interface Answer {
  /** An HTTP status (RFC 9110 section 15). */
  readonly status: number;
  /** JSON; for the schema, SDL. */
  readonly body: string | Buffer;
  readonly operationId: string;
  /** `response`: a GraphQL response; `refusal`: an error in its place; `sdl`: the schema; `guide`: the answer to a question. */
  readonly kind: 'response' | 'refusal' | 'sdl' | 'guide';
  readonly retryAfterSeconds?: number | undefined;
  /** Why the caller was not recognised, for transports with challenges. */
  readonly unrecognised?: BehalfError | undefined;
  /** The sign-in that is needed, where the present one does not suffice (RFC 9470). */
  readonly stepUp?: StepUp | undefined;
  /** The scopes that the caller could get and needs, where an error stands in place of the answer (RFC 6750 section 3.1). */
  readonly missingScopes?: readonly string[] | undefined;
  /** The scopes of a new token for the operation, held or not, where some of its errors are of the token. */
  readonly requiredScopes?: readonly string[] | undefined;
  /** True where the tool that was asked for does not exist for this caller. */
  readonly isUnknownTool?: boolean | undefined;
  /** The values of the body, for a tool that ran a document: not to be changed, others may hold them too. */
  readonly result?: Result | undefined;
  /** The document that ran; undefined where none did. */
  readonly document?: DocumentNode | undefined;
  /** The HTTP methods that are allowed instead. */
  readonly allow?: string | undefined;
}

/** There is no such tool for this caller. */
export class UnknownTool extends BehalfError {
  constructor() {
    super('NOT_FOUND', 'There is no tool of this name here.', { hint: 'List the tools again.' });
  }
}

/** An answer with this error and nothing else. */
export const refusal = (error: BehalfError, operationId: string, status = statusOfError(error)): Answer => ({
  status,
  body: JSON.stringify(errorBody(error, operationId)),
  operationId,
  kind: 'refusal',
  retryAfterSeconds: error.details.retryAfterSeconds,
  missingScopes: error.details.missingScopes,
  isUnknownTool: error instanceof UnknownTool,
});

/** An error that the caller may see: one of the project, or `INTERNAL` for an unforeseen one. */
export const tellable = (error: unknown): BehalfError =>
  error instanceof BehalfError ? error : internal(error);
