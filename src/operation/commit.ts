import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import type { RecordedError } from '../audit/record.js';
import { BehalfError, internal, type ErrorCode } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { StaleAuthority, type CommitGate } from '../delegation/commit-gate.js';
import { finishedOf } from '../graphql/execute/finished.js';
import { sizeFault } from '../graphql/execute/answer-size.js';
import type { Call } from '../graphql/execute/call.js';
import { codeOf, errorBody, statusOfError } from '../graphql/errors.js';

/** What an operation came to, as GraphQL tells it; each error names the operation. */
export interface Result {
  readonly errors?: readonly GraphQLFormattedError[] | undefined;
  readonly data?: unknown;
  readonly extensions?: unknown;
}

/** A result whose record is durable, as it leaves. */
export interface Committed {
  readonly status: number;
  readonly body: string | Buffer;
  readonly retryAfterSeconds?: number | undefined;
  /** The methods of HTTP that would have been taken. */
  readonly allow?: string | undefined;
}

/** A result that is written and waits for its record; rows and all that it was made of are gone. */
interface Written {
  readonly status: number;
  readonly body: string | Buffer;
  readonly extensions: unknown;
  readonly errors: readonly RecordedError[];
  readonly hasData: boolean;
}

/** The last step of every operation: nothing leaves without its record. */
export class Commit {
  constructor(
    private readonly commitGate: CommitGate,
    private readonly logger: Logger,
    private readonly answerBytesMax: number,
  ) {}

  /**
   * Records the operation, and says what its caller gets: the result, or why nothing of it may leave. Undefined where
   * its assumed authority does not stand any more: then there is no record, and it may begin anew.
   */
  result(call: Call, result: Result, status = 200): Promise<Committed | undefined> {
    return this.commit(call, this.write(call, result, status));
  }

  private write(call: Call, { errors, data, extensions }: Result, status: number): Written {
    const answer = errors === undefined ? { data, extensions } : { errors, data, extensions };
    const body = write(answer);
    // A mutation's answer was measured before its commit.
    const fault = call.isRecorded ? undefined : sizeFault(body, this.answerBytesMax);
    if (fault === undefined) return { status, body, extensions, ...recordedOf(answer) };
    const refused = { ...errorBody(fault, call.id), extensions };
    return { status: statusOfError(fault), body: write(refused), extensions, ...recordedOf(refused) };
  }

  private async commit(call: Call, written: Written): Promise<Committed | undefined> {
    const { status, body, extensions, errors, hasData } = written;
    const refusal = call.isRecorded ? undefined : await this.record(call, errors, hasData);
    if (refusal === undefined) return { status, body };
    if (refusal instanceof StaleAuthority) return undefined;
    return {
      status: statusOfError(refusal),
      body: write({ ...errorBody(refusal, call.id), extensions }),
      retryAfterSeconds: refusal.details.retryAfterSeconds,
    };
  }

  /** Writes the record of what came to these errors. Returns why nothing may leave; only for `Outdated` there is no record. */
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
      const told = error instanceof BehalfError ? error : internal(error);
      call.markUnrecorded(told.code);
      return told;
    }
  }

  /** What the caller is told only by its code is told to the operator whole. */
  logFailures(call: Call, errors: readonly GraphQLError[]): void {
    for (const error of errors) {
      const code = codeOf(error);
      if (code === undefined || code === 'INTERNAL') {
        this.logger.error({ operationId: call.id, err: error.originalError ?? error }, 'operation failed');
      }
    }
  }
}

/** What a record says of a result. */
const recordedOf = ({ data, errors = [] }: Result): Pick<Written, 'errors' | 'hasData'> => ({
  errors: errors.slice(0, 50).map(recorded),
  hasData: data !== null && typeof data === 'object' && Object.values(data).some((value) => value !== null),
});

const recorded = (error: GraphQLFormattedError): RecordedError => ({
  code: codeOf(error) ?? (error.extensions?.code as ErrorCode | undefined) ?? 'INTERNAL',
  ...(error.path === undefined ? {} : { path: error.path.join('.').slice(0, 300) }),
});

/** Every error names the operation, which finds its record. */
export const withOperationId = (
  errors: readonly GraphQLFormattedError[],
  operationId: string,
): GraphQLFormattedError[] =>
  errors.map((error) => ({ ...error, extensions: { ...error.extensions, operationId } }));

/** From so many characters on, a text is copied to its connection faster by way of bytes outside the heap. */
const longText = 8_192;

/** As Apollo Server writes it. */
function write(answer: object): string | Buffer {
  const text = JSON.stringify(answer);
  if (text.length < longText) return `${text}\n`;
  const size = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(size + 1);
  bytes.write(text);
  bytes[size] = 10;
  return bytes;
}
