import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { cutText } from '../core/cut-text.js';
import type { Scope } from '../authority/scope.js';
import type { RecordedError } from '../audit/record.js';
import { BehalfError, internal, type ErrorCode, type ErrorDetails } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { StaleAuthority, type CommitGate } from '../delegation/commit-gate.js';
import { finishedOf } from '../graphql/execute/finished-call.js';
import { sizeFault } from '../graphql/execute/answer-size.js';
import type { Call } from '../graphql/execute/call.js';
import { codeOf, errorBody, statusOfError } from '../graphql/errors.js';
import { isRecord } from './parameters.js';
import type { Answer, Result, StepUp } from './answer.js';

/** A result whose record is durable, as the caller gets it. */
export interface Committed {
  readonly status: number;
  readonly body: string | Buffer;
  /** The values of the body, where its transport asks for them. */
  readonly result?: Result | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** The sign-in that is needed, where the present one does not suffice (RFC 9470). */
  readonly stepUp?: StepUp | undefined;
  /** The HTTP methods that are allowed instead. */
  readonly allow?: string | undefined;
}

/** A serialised result that waits for its record. Its rows can be freed; its values too, unless a tool needs them. */
interface Written {
  readonly status: number;
  readonly body: string | Buffer;
  readonly result?: Result | undefined;
  readonly extensions: unknown;
  readonly errors: readonly RecordedError[];
  readonly hasData: boolean;
  readonly stepUp?: StepUp | undefined;
}

/** The last step of every operation: no answer leaves without its record. */
export class Commit {
  constructor(
    private readonly commitGate: CommitGate,
    private readonly logger: Logger,
    private readonly answerBytesMax: number,
  ) {}

  /**
   * Records the operation and returns the caller's answer: the result, or the reason why nothing may leave. Undefined
   * where its optimistic authority is stale: there is no record, and the operation may start again.
   */
  result(call: Call, result: Result, status = 200): Promise<Committed | undefined> {
    // The result of a tool has no place for extensions.
    const shown = call.mcp === undefined ? result : { ...result, extensions: undefined };
    const fault = faultIn(call, shown);
    return this.commit(
      call,
      this.write(call, fault === undefined ? shown : errorBody(fault, call.id), status),
    );
  }

  private write(call: Call, { errors, data, extensions }: Result, status: number): Written {
    const answer = errors === undefined ? { data, extensions } : { errors, data, extensions };
    const isForTool = call.mcp !== undefined;
    const body = isForTool ? JSON.stringify(answer) : write(answer);
    // A mutation's answer was measured before its commit.
    const fault = call.isRecorded ? undefined : sizeFault(body, this.answerBytesMax);
    if (fault === undefined) {
      const recorded = recordedOf(answer);
      const stepUp = recorded.hasData ? undefined : stepUpIn(call, errors);
      const result = isForTool ? answer : undefined;
      return { status: stepUp === undefined ? status : 401, body, result, extensions, stepUp, ...recorded };
    }
    const refused = { ...errorBody(fault, call.id), extensions };
    return { status: statusOfError(fault), body: write(refused), extensions, ...recordedOf(refused) };
  }

  private async commit(call: Call, written: Written): Promise<Committed | undefined> {
    const { status, body, result, extensions, errors, hasData, stepUp } = written;
    const refusal = call.isRecorded ? undefined : await this.record(call, errors, hasData);
    if (refusal === undefined) return { status, body, result, stepUp };
    if (refusal instanceof StaleAuthority) return undefined;
    return {
      status: statusOfError(refusal),
      body: write({ ...errorBody(refusal, call.id), extensions }),
      retryAfterSeconds: refusal.details.retryAfterSeconds,
    };
  }

  /**
   * Writes the record with these errors. Returns the reason why nothing may leave. There is a record in any case but
   * `StaleAuthority`.
   */
  async record(
    call: Call,
    errors: readonly RecordedError[],
    hasData: boolean,
  ): Promise<BehalfError | undefined> {
    try {
      const refusal = await this.commitGate.release(finishedOf(call, errors, hasData));
      if (!(refusal instanceof StaleAuthority)) call.markRecorded();
      return refusal;
    } catch (error) {
      this.logger.error(
        { operationId: call.id, err: error instanceof Error ? (error.cause ?? error) : error },
        'no record',
      );
      const shown = error instanceof BehalfError ? error : internal(error);
      call.markUnrecorded(shown.code);
      return shown;
    }
  }

  /** The caller sees only a code; the operator's log has the whole error. */
  logFailures(call: Call, errors: readonly GraphQLError[]): void {
    for (const error of errors) {
      const code = codeOf(error);
      if (code === undefined || code === 'INTERNAL' || code === 'UNAVAILABLE') {
        this.logger.error({ operationId: call.id, err: error.originalError ?? error }, 'operation failed');
      }
    }
  }
}

/** A committed result as the answer of its call. */
export const responseOf = (
  call: Call,
  { status, body, result, retryAfterSeconds, stepUp, allow }: Committed,
): Answer => ({
  ...{ status, body, result, operationId: call.id, kind: 'response' },
  ...{ document: call.ran, retryAfterSeconds, stepUp, allow },
  requiredScopes: scopesOfNewToken(call, (result?.errors ?? []).filter(isOfToken)),
});

function faultIn({ faultOf }: Call, { data, errors }: Result): BehalfError | undefined {
  return errors === undefined && isRecord(data) ? faultOf?.(data) : undefined;
}

const isOfToken = ({ extensions }: GraphQLFormattedError): boolean => extensions?.layer === 'token';

/** The scopes of a new token that meets these errors; undefined where none of them names a scope. */
function scopesOfNewToken(call: Call, errors: readonly GraphQLFormattedError[]): Scope[] | undefined {
  const missing = errors.flatMap(
    ({ extensions }) => (extensions as ErrorDetails | undefined)?.missingScopes ?? [],
  );
  return missing.length === 0 ? undefined : [...new Set([...call.requiredScopes(), ...missing])].sort();
}

/** The errors and outcome in the record. */
const recordedOf = ({ data, errors = [] }: Result): Pick<Written, 'errors' | 'hasData'> => ({
  errors: errors.slice(0, 50).map(recorded),
  hasData: data !== null && typeof data === 'object' && Object.values(data).some((value) => value !== null),
});

/** A person can do something about it at once, so it is told before other errors. */
function stepUpIn(call: Call, errors: Result['errors'] = []): StepUp | undefined {
  const all = errors.filter(({ extensions }) => extensions?.code === 'INSUFFICIENT_USER_AUTHENTICATION');
  const [error] = all;
  const scopes = scopesOfNewToken(call, all) ?? [];
  return error && { ...error.extensions, message: error.message, scopes };
}

function recorded(error: GraphQLFormattedError): RecordedError {
  const { code, limit } = (error.extensions ?? {}) as ErrorDetails & { readonly code?: ErrorCode };
  return {
    code: codeOf(error) ?? code ?? 'INTERNAL',
    ...(error.path === undefined ? {} : { path: cutText(error.path.join('.'), 300) }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** Every error carries the operation's id, which finds its record. */
export const withOperationId = (
  errors: readonly GraphQLFormattedError[],
  operationId: string,
): GraphQLFormattedError[] =>
  errors.map((error) => ({ ...error, extensions: { ...error.extensions, operationId } }));

/** Characters. A longer text reaches its connection faster as bytes outside the heap. */
const longText = 8_192;

/** The same bytes that Apollo Server would write. */
function write(answer: object): string | Buffer {
  const text = JSON.stringify(answer);
  if (text.length < longText) return `${text}\n`;
  const size = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(size + 1);
  bytes.write(text);
  bytes[size] = 10;
  return bytes;
}
