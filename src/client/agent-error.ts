/** One error of a GraphQL response, as the server sends it (docs/errors.md). */
export interface ServerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

interface AgentErrorParts {
  /** The HTTP status; undefined where no answer came. */
  readonly status?: number | undefined;
  readonly operationId?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly errors?: readonly ServerError[];
  /** The data that the server gave beside its errors. */
  readonly data?: unknown;
  readonly cause?: unknown;
}

/**
 * Why a request gave no complete answer. `code` is one of:
 * - a stable code of the server (docs/errors.md), such as `FORBIDDEN`;
 * - an error of OAuth where there is no token (RFC 6749 section 5.2), such as `invalid_grant`;
 * - `NO_ANSWER`: none came in time, and a mutation may have happened;
 * - `BAD_ANSWER`: it is no answer of a Behalf server.
 */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly status: number | undefined;
  /** Finds the record of the operation. */
  readonly operationId: string | undefined;
  /** The time after which the server takes the request again. */
  readonly retryAfterSeconds: number | undefined;
  /** Advice of the server, in one sentence. */
  readonly hint: string | undefined;
  readonly missingScopes: readonly string[];
  /** The limit that was reached, such as `operations` or `rows`. */
  readonly limit: string | undefined;
  /** All errors of the response; the fields above are those of the first. */
  readonly errors: readonly ServerError[];
  readonly data: unknown;

  constructor(
    readonly code: string,
    message: string,
    { status, operationId, retryAfterSeconds, errors = [], data, cause }: AgentErrorParts = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    const details = errors[0]?.extensions ?? {};
    this.status = status;
    this.operationId = operationId ?? textOf(details.operationId);
    this.retryAfterSeconds = retryAfterSeconds;
    this.hint = textOf(details.hint);
    this.missingScopes = Array.isArray(details.missingScopes) ? details.missingScopes.map(String) : [];
    this.limit = textOf(details.limit);
    this.errors = errors;
    this.data = data;
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The time that an answer names (RFC 9110 section 10.2.3), in seconds. */
export function retryAfterSecondsOf({ headers }: Response, nowMs: number): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - nowMs) / 1000));
}

export interface GraphQLAnswer {
  readonly data?: unknown;
  readonly errors?: readonly ServerError[];
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The body of a GraphQL response; undefined where it is something else. Throws where the body never ends. */
export async function graphqlAnswer(response: Response): Promise<GraphQLAnswer | undefined> {
  const json = jsonOf(await response.text());
  if (!isObject(json)) return undefined;
  const { data, errors } = json;
  const isAnswer =
    errors === undefined ? data !== undefined : Array.isArray(errors) && errors.every(isObject);
  return isAnswer ? json : undefined;
}

/** The stable code and the limit of a refusal: of a GraphQL response, or of a message of MCP. */
export async function refusalIn(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const json = jsonOf(await response.text());
  if (!isObject(json)) return {};
  const { errors, error } = json;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const details = isObject(error) ? error.data : isObject(first) ? first.extensions : undefined;
  return isObject(details) ? details : {};
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The error of a response that has one or is no GraphQL response. */
export function errorOfAnswer(
  response: Response,
  answer: GraphQLAnswer | undefined,
  nowMs: number,
): AgentError | undefined {
  const of = {
    status: response.status,
    operationId: response.headers.get('behalf-operation-id') ?? undefined,
    retryAfterSeconds: retryAfterSecondsOf(response, nowMs),
  };
  if (answer === undefined)
    return new AgentError('BAD_ANSWER', `HTTP ${response.status}, and no GraphQL response.`, of);
  const { errors = [], data } = answer;
  const [first] = errors;
  if (first === undefined) return undefined;
  const code = textOf(first.extensions?.code) ?? 'BAD_ANSWER';
  return new AgentError(code, first.message, { ...of, errors, data });
}

/** The error of a token endpoint (RFC 6749 section 5.2). */
export async function tokenRefusal(response: Response, nowMs: number): Promise<AgentError> {
  const of = { status: response.status, retryAfterSeconds: retryAfterSecondsOf(response, nowMs) };
  const json: unknown = await response.json().catch(() => undefined);
  const { error, error_description: description } = isObject(json) ? json : {};
  return typeof error === 'string'
    ? new AgentError(error, `There is no token: ${textOf(description) ?? error}.`, of)
    : new AgentError('BAD_ANSWER', `There is no token: HTTP ${response.status}.`, of);
}

/** No answer came: the network failed, or the time was up. */
export const noAnswer = (url: string, cause: unknown): AgentError =>
  new AgentError('NO_ANSWER', `${new URL(url).origin} did not answer.`, { cause });
