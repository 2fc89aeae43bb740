import { type GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { RecordedError } from '../audit/record.js';
import { BehalfError, internal, tooLarge } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { Outdated, type Releases } from '../delegation/release.js';
import { asFinished } from './as-finished.js';
import type { Call } from './call.js';
import { codeOf } from './errors.js';

/** What a response says: the same whichever way it came about. */
export interface Answer {
  data?: unknown;
  errors?: readonly GraphQLFormattedError[];
}

/** What a record says of an answer. */
export interface Told {
  readonly errors: readonly RecordedError[];
  readonly hasData: boolean;
}

export const toldBy = ({ data, errors = [] }: Answer): Told => ({
  errors: errors.slice(0, 50).map(recorded),
  hasData: data !== null && typeof data === 'object' && Object.values(data).some((value) => value !== null),
});

const recorded = (error: GraphQLFormattedError): RecordedError => ({
  code: codeOf(error) ?? (error.extensions?.code as RecordedError['code'] | undefined) ?? 'INTERNAL',
  ...(error.path === undefined ? {} : { path: error.path.join('.').slice(0, 300) }),
});

/** What is wrong with the length of an answer as it is written. */
export const sizeFault = (written: string | Buffer, bytesMax: number): BehalfError | undefined =>
  // Only a text that may be too long is counted byte by byte.
  written.length > bytesMax ||
  (typeof written === 'string' && written.length * 3 > bytesMax && Buffer.byteLength(written) > bytesMax)
    ? tooLarge(bytesMax)
    : undefined;

/**
 * The last step of every operation: its record. Returns why nothing of it may leave, if there is a reason; only for
 * `Outdated` there is no record.
 */
export async function settle(
  call: Call,
  { errors, hasData }: Told,
  releases: Releases,
  logger: Logger,
): Promise<BehalfError | undefined> {
  if (call.recorded) return undefined;
  try {
    const refusal = await releases.release(asFinished(call, errors, hasData));
    call.recorded = !(refusal instanceof Outdated);
    return refusal;
  } catch (error) {
    logger.error(
      { operationId: call.id, err: error instanceof Error ? (error.cause ?? error) : error },
      'no record',
    );
    // Nothing of this operation may leave; the HTTP layer would only try the same again.
    const told = error instanceof BehalfError ? error : internal(error);
    call.unrecorded(told.code);
    return told;
  }
}

/** What the caller is told only by its code is told to the operator whole. */
export function logFailures(call: Call, errors: readonly GraphQLError[], logger: Logger): void {
  for (const error of errors) {
    const code = codeOf(error);
    if (code === undefined || code === 'INTERNAL') {
      logger.error({ operationId: call.id, err: error.originalError ?? error }, 'operation failed');
    }
  }
}

/** Every error names the operation, which finds its record. */
export const naming = (
  errors: readonly GraphQLFormattedError[],
  operationId: string,
): GraphQLFormattedError[] =>
  errors.map((error) => ({ ...error, extensions: { ...error.extensions, operationId } }));
