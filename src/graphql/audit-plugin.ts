import type {
  ApolloServerPlugin,
  GraphQLRequestContextWillSendResponse,
  GraphQLRequestListener,
  HTTPGraphQLHead,
} from '@apollo/server';
import type { GraphQLFormattedError } from 'graphql';
import type { RecordedError } from '../audit/record.js';
import { BehalfError, internal } from '../core/errors.js';
import { sha256 } from '../core/digest.js';
import type { Logger } from '../core/logger.js';
import type { Releases } from '../delegation/release.js';
import { asFinished } from './as-finished.js';
import type { Call, CallContext } from './call.js';
import type { Coverage } from './coverage.js';
import { codeOf, errorBody, statusOfError } from './errors.js';
import { redactorOf } from './redact.js';

interface Single {
  data?: unknown;
  errors?: readonly GraphQLFormattedError[];
}

/**
 * Records the delegation chain of every operation before its response leaves. If the record cannot be
 * written, or a right was lost meanwhile, the caller gets an error and no data.
 */
export function auditPlugin(
  coverage: Coverage,
  releases: Releases,
  logger: Logger,
): ApolloServerPlugin<CallContext> {
  const listener: GraphQLRequestListener<CallContext> = {
    didResolveSource: ({ contextValue: { call }, source, request }) => {
      call.documentHash = sha256(source);
      call.operationName = request.operationName ?? null;
      return Promise.resolve();
    },
    didResolveOperation: ({ contextValue: { call }, schema, document, operation, request }) => {
      if (operation === undefined) return Promise.resolve();
      call.operationName = operation.name?.value ?? null;
      call.operationType = operation.operation;
      call.variables = redactorOf(schema, coverage, document, operation)(request.variables ?? {});
      return Promise.resolve();
    },
    didEncounterErrors: ({ contextValue: { call }, errors }) => {
      for (const error of errors) {
        const code = codeOf(error);
        if (code === undefined || code === 'INTERNAL') {
          logger.error({ operationId: call.id, err: error.originalError ?? error }, 'operation failed');
        }
      }
      return Promise.resolve();
    },
    willSendResponse: (context) => release(context, releases, logger),
  };
  return { requestDidStart: () => Promise.resolve(listener) };
}

async function release(
  context: GraphQLRequestContextWillSendResponse<CallContext>,
  releases: Releases,
  logger: Logger,
): Promise<void> {
  const {
    contextValue: { call },
    response,
  } = context;
  if (response.body.kind !== 'single') throw new Error('Incremental delivery is not supported.');
  const result: Single = response.body.singleResult;
  if (!call.recorded) {
    const refusal = await settle(call, result, releases, logger);
    if (refusal !== undefined) {
      replace(response.body.singleResult, errorBody(refusal, call.id), response.http, statusOfError(refusal));
      const { retryAfterSeconds } = refusal.details;
      if (retryAfterSeconds !== undefined)
        response.http.headers.set('retry-after', String(retryAfterSeconds));
    }
  }
  response.http.headers.set('behalf-operation-id', call.id);
  response.http.headers.set('cache-control', 'no-store');
  if (result.errors !== undefined) {
    result.errors = result.errors.map((error) => ({
      ...error,
      extensions: { ...error.extensions, operationId: call.id },
    }));
  }
}

async function settle(
  call: Call,
  result: Single,
  releases: Releases,
  logger: Logger,
): Promise<BehalfError | undefined> {
  try {
    const refusal = await releases.release(asFinished(call, recordedErrors(result), hasData(result.data)));
    call.recorded = true;
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

const recordedErrors = (result: Single): RecordedError[] =>
  (result.errors ?? []).slice(0, 50).map((error) => ({
    code: codeOf(error) ?? (error.extensions?.code as RecordedError['code'] | undefined) ?? 'INTERNAL',
    ...(error.path === undefined ? {} : { path: error.path.join('.').slice(0, 300) }),
  }));

const hasData = (data: unknown): boolean =>
  data !== null && typeof data === 'object' && Object.values(data).some((value) => value !== null);

function replace(result: Single, body: Single, http: HTTPGraphQLHead, status: number): void {
  delete result.data;
  result.errors = body.errors ?? [];
  http.status = status;
}
