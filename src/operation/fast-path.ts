import type { GraphQLFormattedError, GraphQLSchema } from 'graphql';
import { StaleAuthority } from '../delegation/commit-gate.js';
import type { Call } from '../graphql/execute/call.js';
import { refusedBodies } from '../graphql/plan/prune-and-merge.js';
import { formatError } from '../graphql/errors.js';
import type { Executor } from '../graphql/execute/executor.js';
import type { Executed } from '../graphql/execute/request.js';
import type { DocumentCache } from '../graphql/plan/document-cache.js';
import { variablesFault } from '../graphql/document/structure.js';
import { withOperationId, type Commit, type Committed } from './commit.js';
import { isEmpty, isRecord, type Parameters } from './parameters.js';

/** Parameters that the fast path takes. */
interface Usual {
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

/**
 * Answers a request whose document was found valid for this caller's view before, without Apollo Server: by the same
 * executor, with the same record and the same bytes. Unusual requests, and those that do not begin (a faulty variable,
 * a cost that is too high), go to Apollo Server, so that one place words their errors.
 */
export class FastPath {
  constructor(
    /** The whole schema, with every field behind its rule. */
    private readonly schema: GraphQLSchema,
    private readonly executor: Executor,
    private readonly documentCache: DocumentCache,
    private readonly commit: Commit,
  ) {}

  /**
   * Undefined where the request has to go to Apollo Server, with a checked authority; nothing is recorded then. An
   * optimistic authority is enough only where the caller may run any document.
   */
  async answer(call: Call, parameters: Parameters): Promise<Committed | undefined> {
    const request = usual(parameters);
    if (request === undefined) return undefined;
    const known = this.documentCache.get(request.query, call.authority.ceiling);
    const operation = known?.operation(request.operationName);
    if (known === undefined || operation === undefined) return undefined;
    if (call.isOptimistic && call.authority.documents !== 'any') return undefined;
    const { variables } = request;
    const { schema, executor } = this;
    const execution = { call, schema, document: known.document, operation, variables };
    const decided = executor.decideKnown(execution);
    if (decided === undefined || !this.documentCache.reaches(decided.named, call.authority.ceiling))
      return undefined;
    known.keep(decided.plan);
    call.documentHash = known.hash;
    call.operationName = operation.name?.value ?? null;
    call.operationType = operation.operation;
    call.variables = decided.plan.redact(variables);
    call.literals = decided.plan.literals;
    try {
      return await executor.runDecided(execution, decided).then((executed) => {
        const { data, extensions } = executed;
        return this.commit.result(call, { errors: this.errorsOf(call, executed), data, extensions });
      });
    } catch (error) {
      if (error instanceof StaleAuthority) return undefined;
      throw error;
    }
  }

  private errorsOf(
    call: Call,
    { errors, refused = [] }: Executed,
  ): readonly GraphQLFormattedError[] | undefined {
    if (refused.length > 0) return refusedBodies(refused, call.id);
    if (errors === undefined) return undefined;
    this.commit.logFailures(call, errors);
    return withOperationId(
      errors.map((error) => formatError(error.toJSON(), error)),
      call.id,
    );
  }
}

function usual({ query, operationName, variables, extensions, documentId }: Parameters): Usual | undefined {
  if (typeof query !== 'string') return undefined;
  // Apollo Server's path checks that the document is given once.
  if (documentId !== undefined && documentId !== null) return undefined;
  const isNamed = typeof operationName === 'string' && operationName !== '';
  if (!isNamed && operationName !== undefined && operationName !== null) return undefined;
  if (variables !== undefined && variables !== null && !isRecord(variables)) return undefined;
  if (extensions !== undefined && extensions !== null && !(isRecord(extensions) && isEmpty(extensions))) {
    return undefined;
  }
  // Apollo Server's path reports variables that are too large.
  if (variablesFault(variables) !== undefined) return undefined;
  return { query, operationName: isNamed ? operationName : undefined, variables: variables ?? {} };
}
