import { BehalfError, internal } from '../core/errors.js';
import { errorBody, statusOfError } from '../graphql/errors.js';

/** What a caller gets for one request, whatever carries it. */
export interface Answer {
  /** A status of HTTP (RFC 9110 section 15). */
  readonly status: number;
  /** JSON, but the schema, which is SDL. */
  readonly body: string | Buffer;
  readonly operationId: string;
  /** `response`: what a GraphQL service says of an operation; `refusal`: what comes instead of it; `sdl`: the schema. */
  readonly kind: 'response' | 'refusal' | 'sdl';
  readonly retryAfterSeconds?: number | undefined;
  /** Why nobody was recognised, for transports that challenge their callers. */
  readonly unrecognised?: BehalfError | undefined;
  /** The methods of HTTP that would have been taken. */
  readonly allow?: string | undefined;
}

/** The error as the only content of an answer. */
export const refusal = (error: BehalfError, operationId: string, status = statusOfError(error)): Answer => ({
  status,
  body: JSON.stringify(errorBody(error, operationId)),
  operationId,
  kind: 'refusal',
  retryAfterSeconds: error.details.retryAfterSeconds,
});

/** An error that the caller may be told: ours, or `INTERNAL` in the place of what we did not foresee. */
export const tellable = (error: unknown): BehalfError =>
  error instanceof BehalfError ? error : internal(error);
