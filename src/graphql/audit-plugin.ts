import type {
  ApolloServerPlugin,
  GraphQLRequestContextWillSendResponse,
  GraphQLRequestListener,
} from '@apollo/server';
import { GraphQLError } from 'graphql';
import type { Digest } from '../audit/kept-value.js';
import { sha256 } from '../core/digest.js';
import type { Logger } from '../core/logger.js';
import type { Releases } from '../delegation/release.js';
import type { CallContext } from './call.js';
import type { Coverage } from './coverage.js';
import { refusedBodies } from './cut.js';
import { errorBody, statusOfError } from './errors.js';
import { logFailures, naming, settle, sizeFault, toldBy, type Answer } from './finish.js';
import { literalsOf } from './literals.js';
import { redactorOf } from './redact.js';
import { variablesFault } from './structure.js';

/**
 * Records the delegation chain of every operation before its response leaves. If the record cannot be
 * written, or a right was lost meanwhile, the caller gets an error and no data.
 */
export function auditPlugin(
  coverage: Coverage,
  digest: Digest,
  releases: Releases,
  logger: Logger,
  answerBytesMax: number,
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
      const fault = variablesFault(request.variables);
      if (fault !== undefined) {
        const http = { status: statusOfError(fault) };
        throw new GraphQLError(fault.message, { originalError: fault, extensions: { http } });
      }
      call.variables = redactorOf(schema, coverage, document, operation, digest)(request.variables ?? {});
      call.literals = literalsOf(schema, coverage, document, operation, digest);
      return Promise.resolve();
    },
    didEncounterErrors: ({ contextValue: { call }, errors }) => {
      logFailures(call, errors, logger);
      return Promise.resolve();
    },
    willSendResponse: (context) => release(context, releases, logger, answerBytesMax),
  };
  return { requestDidStart: () => Promise.resolve(listener) };
}

async function release(
  context: GraphQLRequestContextWillSendResponse<CallContext>,
  releases: Releases,
  logger: Logger,
  answerBytesMax: number,
): Promise<void> {
  const {
    contextValue: { call },
    response,
  } = context;
  if (response.body.kind !== 'single') throw new Error('Incremental delivery is not supported.');
  const result: Answer = response.body.singleResult;
  if (call.refused.length > 0) result.errors = refusedBodies(call.refused, call.id);
  // A mutation's answer was measured before its commit.
  const fault = call.recorded ? undefined : sizeFault(JSON.stringify(result), answerBytesMax);
  if (fault !== undefined) {
    delete result.data;
    result.errors = errorBody(fault, call.id).errors;
    response.http.status = statusOfError(fault);
  }
  const refusal = await settle(call, toldBy(result), releases, logger);
  if (refusal !== undefined) {
    delete result.data;
    result.errors = errorBody(refusal, call.id).errors;
    response.http.status = statusOfError(refusal);
    const { retryAfterSeconds } = refusal.details;
    if (retryAfterSeconds !== undefined) response.http.headers.set('retry-after', String(retryAfterSeconds));
  }
  response.http.headers.set('behalf-operation-id', call.id);
  response.http.headers.set('cache-control', 'no-store');
  if (result.errors !== undefined) result.errors = naming(result.errors, call.id);
}
