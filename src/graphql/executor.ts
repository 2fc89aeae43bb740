import {
  execute,
  getVariableValues,
  GraphQLError,
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type ExecutionResult,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { BehalfError } from '../core/errors.js';
import type { Operations } from '../delegation/operations.js';
import type { Releases } from '../delegation/release.js';
import type { Database } from '../store/database.js';
import { asFinished } from './as-finished.js';
import type { Call } from './call.js';
import { codeOf } from './errors.js';
import type { Guard } from './guard.js';
import { selectedFields } from './walk.js';

export interface Request {
  readonly call: Call;
  /** The caller's own schema, shielded. */
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** As they came. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** A mutation that came to errors: carries the result out of the transaction that it rolls back. */
class RolledBack extends Error {
  constructor(readonly result: ExecutionResult) {
    super('rolled back');
  }
}

/** Runs operations: a query over the reading connection, a mutation in one transaction with its record. */
export class Executor {
  constructor(
    private readonly database: Database,
    private readonly operations: Operations,
    private readonly releases: Releases,
    private readonly guard: Guard,
  ) {}

  async run(request: Request): Promise<ExecutionResult> {
    const faults = variableFaults(request);
    if (faults !== undefined) return { errors: faults };
    if (request.operation.operation === OperationTypeNode.MUTATION) return this.mutate(request);
    const { call } = request;
    return this.execute(request, this.operations.reading(call, call.trail));
  }

  private async mutate(request: Request): Promise<ExecutionResult> {
    const { call } = request;
    const refused = this.refusedWhole(request);
    if (refused.length > 0) return { data: null, errors: refused };
    try {
      return await this.database
        .transaction(async (tx) => {
          const operation = this.operations.writing(call, call.newTrail(), tx);
          const result = await this.execute(request, operation);
          if (result.errors !== undefined) throw new RolledBack(result);
          await this.releases.releaseInside(tx, asFinished(call, [], true));
          return result;
        })
        .then((result) => {
          call.recorded = true;
          return result;
        });
    } catch (error) {
      const { refusals } = call.trail;
      const trail = call.newTrail();
      for (const refusal of refusals) trail.refused(refusal);
      if (error instanceof RolledBack) return { data: null, errors: error.result.errors ?? [] };
      const cause = error instanceof Error ? error : new Error(String(error));
      return { data: null, errors: [new GraphQLError(cause.message, { originalError: cause })] };
    }
  }

  /** A mutation with any refused coordinate does not begin. */
  private refusedWhole(request: Request): GraphQLError[] {
    const { call, schema, operation } = request;
    const context = this.operations.reading(call, call.trail);
    const walk = { schema, fragments: fragmentsOf(request.document), variables: coerced(request) };
    const errors: GraphQLError[] = [];
    for (const { type, field, args, node } of selectedFields(walk, operation)) {
      const refusal = this.guard.field(context, type.name, field.name, undefined, field.args, args);
      if (refusal !== undefined) {
        errors.push(new GraphQLError(refusal.message, { nodes: node, originalError: refusal }));
      }
    }
    return errors;
  }

  private async execute(request: Request, contextValue: unknown): Promise<ExecutionResult> {
    const result = await execute({
      schema: request.schema,
      document: request.document,
      operationName: request.operation.name?.value,
      variableValues: request.variables,
      contextValue,
    });
    const retry = result.errors?.find(
      (error) => codeOf(error) === undefined && isRunAgain(error.originalError),
    );
    if (retry?.originalError instanceof Error) throw retry.originalError;
    return result;
  }
}

/** A lost race or a deadlock inside a resolver has to reach the transaction, which runs again. */
const isRunAgain = (error: unknown): boolean =>
  error instanceof Error &&
  !(error instanceof BehalfError) &&
  ('driverError' in error || error.name === 'RunAgain');

function coerced(request: Request): Readonly<Record<string, unknown>> {
  const { schema, operation, variables } = request;
  return getVariableValues(schema, operation.variableDefinitions ?? [], variables).coerced ?? {};
}

function variableFaults(request: Request): readonly GraphQLError[] | undefined {
  const { schema, operation, variables } = request;
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables, {
    maxErrors: 10,
  });
  return errors?.map(
    (error) =>
      new GraphQLError(error.message, {
        ...(error.nodes && { nodes: error.nodes }),
        extensions: { code: 'BAD_USER_INPUT' },
      }),
  );
}

const fragmentsOf = (document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> =>
  new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
