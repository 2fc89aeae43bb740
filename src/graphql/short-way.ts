import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { Logger } from '../core/logger.js';
import { Outdated, type Releases } from '../delegation/release.js';
import type { Call } from './call.js';
import { refusedBodies } from './cut.js';
import { errorBody, formatError, statusOfError } from './errors.js';
import type { Executed, Executor } from './executor.js';
import { logFailures, naming, settle, sizeFault, toldBy, type Told } from './finish.js';
import type { KnownDocuments } from './known-documents.js';
import { variablesFault } from './structure.js';

/** A whole response but for its media type. */
export interface ShortAnswer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly retryAfterSeconds?: number | undefined;
}

/** An answer that is written and waits for its record; rows and all that it was made of are gone. */
interface Written extends Told {
  readonly status: number;
  readonly body: string | Buffer;
  readonly extensions: Executed['extensions'];
}

/** A request as JSON gave it, if it is of the usual kind. */
interface Usual {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Answers a request whose document this caller's view has found valid before, ahead of Apollo Server: the same
 * executor, the same record, the same bytes. Whatever is not usual goes the long way, and so does what does not
 * begin (a faulty variable, a cost that is too high), so that one place words it.
 */
export class ShortWay {
  constructor(
    /** Every coordinate, shielded. */
    private readonly schema: GraphQLSchema,
    private readonly executor: Executor,
    private readonly known: KnownDocuments,
    private readonly releases: Releases,
    private readonly logger: Logger,
    private readonly answerBytesMax: number,
  ) {}

  /**
   * Undefined: nothing is recorded yet, and the request has to go the long way, by an authority that is sure to
   * stand. An assumed one is enough only for a document of its caller's own words.
   */
  async answer(call: Call, body: unknown): Promise<ShortAnswer | undefined> {
    const request = usual(body);
    if (request === undefined) return undefined;
    const known = this.known.get(request.query, call.authority.ceiling);
    const operation = known?.operation(request.operationName);
    if (known === undefined || operation === undefined) return undefined;
    if (call.isAssumed && call.authority.documents !== 'any') return undefined;
    const { variables } = request;
    const { schema, executor } = this;
    const meant = { call, schema, document: known.document, operation, variables };
    const begun = executor.known(meant);
    if (begun === undefined || !this.known.reaches(begun.named, call.authority.ceiling)) return undefined;
    known.keep(begun.prepared);
    call.documentHash = known.hash;
    call.operationName = operation.name?.value ?? null;
    call.operationType = operation.operation;
    call.variables = begun.prepared.redact(variables);
    call.literals = begun.prepared.literals;
    try {
      const written = await executor.go(meant, begun).then((result) => this.written(call, result));
      return await this.release(call, written);
    } catch (error) {
      if (error instanceof Outdated) return undefined;
      throw error;
    }
  }

  private written(call: Call, result: Executed): Written {
    const { data, extensions } = result;
    const errors = this.told(call, result);
    const answer = errors === undefined ? { data, extensions } : { errors, data, extensions };
    const body = write(answer);
    // A mutation's answer was measured before its commit.
    const fault = call.recorded ? undefined : sizeFault(body, this.answerBytesMax);
    if (fault === undefined) return { status: 200, body, extensions, ...toldBy(answer) };
    const refused = errorBody(fault, call.id);
    const status = statusOfError(fault);
    return { status, body: write({ ...refused, extensions }), extensions, ...toldBy(refused) };
  }

  private async release(call: Call, written: Written): Promise<ShortAnswer | undefined> {
    const refusal = await settle(call, written, this.releases, this.logger);
    if (refusal === undefined) return { status: written.status, body: written.body };
    if (refusal instanceof Outdated) return undefined;
    return {
      status: statusOfError(refusal),
      body: write({ ...errorBody(refusal, call.id), extensions: written.extensions }),
      retryAfterSeconds: refusal.details.retryAfterSeconds,
    };
  }

  private told(call: Call, { errors, refused = [] }: Executed): readonly GraphQLFormattedError[] | undefined {
    if (refused.length > 0) return refusedBodies(refused, call.id);
    if (errors === undefined) return undefined;
    logFailures(call, errors, this.logger);
    return naming(
      errors.map((error) => formatError(error.toJSON(), error)),
      call.id,
    );
  }
}

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

function usual(body: unknown): Usual | undefined {
  if (!isRecord(body) || typeof body.query !== 'string') return undefined;
  const { query, operationName, variables, extensions, documentId } = body;
  // The long way tells that the document is said once.
  if (documentId !== undefined && documentId !== null) return undefined;
  const isNamed = typeof operationName === 'string' && operationName !== '';
  if (!isNamed && operationName !== undefined && operationName !== null) return undefined;
  if (variables !== undefined && variables !== null && !isRecord(variables)) return undefined;
  if (extensions !== undefined && extensions !== null && !(isRecord(extensions) && isEmpty(extensions))) {
    return undefined;
  }
  // The long way tells what is too large.
  if (variablesFault(variables) !== undefined) return undefined;
  return { query, operationName: isNamed ? operationName : undefined, variables: variables ?? {} };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isEmpty = (value: object): boolean => Object.keys(value).length === 0;
