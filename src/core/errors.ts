/** The layer of a delegation chain that refused. */
export type Layer = 'person' | 'agent' | 'delegation' | 'token';

/** Every stable code that a caller can meet in `extensions.code`, and what it means. */
export const errorMeanings = {
  UNAUTHENTICATED:
    'There is no valid access token, or what it rests on (delegation, agent, person) has ended. Get a new token.',
  FORBIDDEN:
    'The caller could reach this, but not now: `missingScopes` and `layer` say what is missing and where, `hint` how to ask.',
  INSUFFICIENT_USER_AUTHENTICATION:
    "The person's sign-in does not suffice (RFC 9470): sign in again, with `acrValues` as `acr_values` where it is given, and use the new token.",
  APPROVAL_REQUIRED: 'A person has to approve this one operation first (not in use yet).',
  LIMIT_EXCEEDED:
    'The task has spent what it may, or the caller has to wait; `limit` says which limit it was. With `load` and `time` it is the server that has too much to do, or the operation that took too long.',
  BAD_USER_INPUT:
    'The request is at fault: its syntax, a type, a value. Nothing was changed. `path` may say where.',
  NOT_FOUND: 'There is no such thing, or it lies outside what the caller may reach.',
  CONFLICT: 'It has changed meanwhile, or the state does not allow it. Read again and decide anew.',
  QUERY_TOO_COMPLEX: 'The operation asks for too much at once. Ask for less.',
  AUDIT_UNAVAILABLE: 'The record of the operation could not be written, so nothing was released. Try again.',
  UNAVAILABLE:
    'A table behind this part of the data is not as the server knows it, so none of it is shown. Tell the operator, who finds table and column in the log; another part of the data may be there.',
  INTERNAL: 'A failure of the server. `operationId` finds it in the log.',
} as const;
export type ErrorCode = keyof typeof errorMeanings;
export const errorCodes = Object.keys(errorMeanings) as readonly ErrorCode[];

/** The details that a caller is shown beside the code. Each key is part of the public contract. */
export interface ErrorDetails {
  missingScopes?: readonly string[];
  layer?: Layer;
  /** The `acr_values` of the sign-in that is needed (RFC 9470). */
  acrValues?: string;
  /** How many seconds ago the sign-in may have been. */
  maxAgeSeconds?: number;
  /** Advice to the caller, in one sentence. */
  hint?: string;
  /** The input that was at fault, as a dotted path. */
  path?: string;
  /**
   * Which limit was reached: `operations`, `rows`, `depth`, `expiry`, `rate`, `load`, `time`; with
   * `QUERY_TOO_COMPLEX` one of a request's shape, such as `aliases` or `repeats`, or `bytes` of the answer.
   */
  limit?: string;
  retryAfterSeconds?: number;
}

/**
 * An error that a caller may see. `message` is for the caller and says what to do; `cause` is for the
 * operator's log and never leaves the process.
 */
export class BehalfError extends Error {
  override readonly name = 'BehalfError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

export const badInput = (message: string, path?: string): BehalfError =>
  new BehalfError('BAD_USER_INPUT', message, path === undefined ? {} : { path });

export const notFound = (what: string): BehalfError =>
  new BehalfError('NOT_FOUND', `${what} was not found.`, {
    hint: 'Check the id; it may also lie outside what this task may reach.',
  });

export const conflict = (message: string): BehalfError => new BehalfError('CONFLICT', message);

export const unauthenticated = (message: string): BehalfError => new BehalfError('UNAUTHENTICATED', message);

/** The server has more work than it can take. The operation did nothing. */
export const overloaded = (cause?: unknown): BehalfError =>
  new BehalfError(
    'LIMIT_EXCEEDED',
    'The server has more to do than it can take. Nothing was done; try again.',
    { limit: 'load', retryAfterSeconds: 1 },
    { cause },
  );

/** Another process holds the lock of the database. The operation did nothing. */
export const lockedOut = (cause?: unknown): BehalfError =>
  new BehalfError(
    'LIMIT_EXCEEDED',
    'Another process has been writing to the database for too long. Nothing was done; try again.',
    { limit: 'load', retryAfterSeconds: 1 },
    { cause },
  );

/** The operation, or one of its statements, took longer than its limit. */
export const outOfTime = (cause?: unknown): BehalfError =>
  new BehalfError(
    'LIMIT_EXCEEDED',
    'The operation took longer than one may.',
    { limit: 'time', hint: 'Ask for less: smaller pages, narrower filters, fewer levels.' },
    { cause },
  );

export const tooComplex = (cost: { readonly requested: number; readonly max: number }): BehalfError =>
  new BehalfError(
    'QUERY_TOO_COMPLEX',
    `This operation may touch too many fields: its cost is ${String(cost.requested)}, and ${String(cost.max)} is allowed.`,
    { hint: 'Ask for smaller pages, fewer aliases or fewer levels.' },
  );

/** The answer exists but is too large to send. */
export const tooLarge = (bytesMax: number): BehalfError =>
  new BehalfError('QUERY_TOO_COMPLEX', `The answer has more than ${bytesMax.toLocaleString('en')} bytes.`, {
    limit: 'bytes',
    hint: 'Ask for smaller pages, or for fewer long texts at once.',
  });

/** The reads of a mutation hold up all other mutations, so a mutation may look at fewer rows than a query. */
export const tooMuchForChange = (cause?: unknown): BehalfError =>
  new BehalfError(
    'QUERY_TOO_COMPLEX',
    'What the mutation asks for would have to be looked for among too many rows.',
    { hint: 'Ask for it in a query, after the mutation.' },
    { cause },
  );

/** A failure of the server: the caller gets a code and an operation id, the operator gets the cause. */
export const internal = (cause: unknown): BehalfError =>
  new BehalfError('INTERNAL', 'The server could not complete the operation.', {}, { cause });

/** A table of a company has changed since the server started. The caller learns nothing of it, the operator all. */
export const unavailable = (cause: unknown): BehalfError =>
  new BehalfError(
    'UNAVAILABLE',
    'This part of the data cannot be shown now: its table is not as the server knows it. Tell the operator.',
    {},
    { cause },
  );

/** Whether the server failed, not the caller. The same request may succeed later. */
export const isOurFailure = ({ code, details }: BehalfError): boolean =>
  code === 'INTERNAL' ||
  code === 'AUDIT_UNAVAILABLE' ||
  code === 'UNAVAILABLE' ||
  (code === 'LIMIT_EXCEEDED' && (details.limit === 'load' || details.limit === 'time'));

export class UnreachableCaseError extends Error {
  constructor(value: never) {
    super(`Unreachable case: ${String(value)}`);
  }
}
