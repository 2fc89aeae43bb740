import type {
  ApolloServerPlugin,
  GraphQLRequestContextWillSendResponse,
  GraphQLRequestListener,
} from '@apollo/server';
import { GraphQLError } from 'graphql';
import type { Digest } from '../audit/kept-value.js';
import { sha256 } from '../core/digest.js';
import type { Call } from '../graphql/execute/call.js';
import type { SchemaPolicy } from '../graphql/schema/schema-policy.js';
import { refusedBodies } from '../graphql/plan/prune-and-merge.js';
import { statusOfError } from '../graphql/errors.js';
import { literalsOf } from '../graphql/document/literals.js';
import { redactorOf } from '../graphql/document/redact-variables.js';
import { variablesFault } from '../graphql/document/structure.js';
import { withOperationId, type Commit, type Committed } from './commit.js';

/** Apollo Server copies its context for each operation, so the part that changes is an object inside it. */
export interface CallContext {
  readonly call: Call;
  readonly outcome: { committed: Committed | undefined };
}

/**
 * Records the delegation chain of every operation before its response leaves. If the record cannot be written, or a
 * right was lost meanwhile, the caller gets an error and no data.
 */
export function auditPlugin(
  policy: SchemaPolicy,
  digest: Digest,
  commit: Commit,
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
      call.variables = redactorOf(schema, policy, document, operation, digest)(request.variables ?? {});
      call.literals = literalsOf(schema, policy, document, operation, digest);
      return Promise.resolve();
    },
    didEncounterErrors: ({ contextValue: { call }, errors }) => {
      commit.logFailures(call, errors);
      return Promise.resolve();
    },
    willSendResponse: (context) => record(context, commit),
  };
  return { requestDidStart: () => Promise.resolve(listener) };
}

/** The committed body is the answer; what Apollo Server would send is not used. */
async function record(
  { contextValue, response: { body, http } }: GraphQLRequestContextWillSendResponse<CallContext>,
  commit: Commit,
): Promise<void> {
  if (body.kind !== 'single') throw new Error('Incremental delivery is not supported.');
  const { call, outcome } = contextValue;
  const { errors, data, extensions } = body.singleResult;
  const named =
    call.refused.length > 0
      ? refusedBodies(call.refused, call.id)
      : errors && withOperationId(errors, call.id);
  outcome.committed = await commit.result(call, { errors: named, data, extensions }, http.status);
}
