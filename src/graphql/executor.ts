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
import { BehalfError, conflict } from '../core/errors.js';
import type { Operations } from '../delegation/operations.js';
import type { Releases } from '../delegation/release.js';
import { CommitLost, RunAgain, type Database } from '../store/database.js';
import { auditRecords } from '../store/tables/audit.js';
import { asFinished } from './as-finished.js';
import type { Call } from './call.js';
import { codeOf } from './errors.js';
import type { Guard } from './guard.js';
import { operationCost, selectedFields, type Walk } from './walk.js';

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
    private readonly limits: { readonly cost: number; readonly pageSize: number },
  ) {}

  async run(request: Request): Promise<ExecutionResult> {
    if (!request.schema.getRootType(request.operation.operation)) return { errors: [noSuchKind(request)] };
    const faults = variableFaults(request) ?? this.tooComplex(request);
    if (faults !== undefined) return { errors: faults };
    if (request.operation.operation === OperationTypeNode.MUTATION) return this.mutate(request);
    const { call } = request;
    return this.execute(request, this.operations.reading(call, call.trail));
  }

  private async mutate(request: Request): Promise<ExecutionResult> {
    const { call } = request;
    const refused = this.refusedWhole(request);
    if (refused.length > 0) return { data: null, errors: refused };
    let result: ExecutionResult | undefined;
    try {
      return await this.database
        .transaction(async (tx) => {
          const operation = this.operations.writing(call, call.newTrail(), tx);
          const finish = await this.releases.begin(tx, call);
          result = await this.execute(request, operation);
          if (result.errors !== undefined) throw new RolledBack(result);
          await finish(asFinished(call, [], true));
          return result;
        })
        .then((committed) => {
          call.recorded = true;
          return committed;
        });
    } catch (error) {
      // Whether a lost COMMIT was done is told by its record, which went with it.
      if (error instanceof CommitLost && result !== undefined && (await this.isRecorded(call))) {
        call.recorded = true;
        return result;
      }
      const { refusals } = call.trail;
      const trail = call.newTrail();
      for (const refusal of refusals) trail.refused(refusal);
      if (error instanceof RolledBack) return { data: null, errors: error.result.errors ?? [] };
      const cause =
        error instanceof RunAgain
          ? conflict('Rights changed several times while this ran. Try again.')
          : error instanceof Error
            ? error
            : new Error(String(error));
      return { data: null, errors: [new GraphQLError(cause.message, { originalError: cause })] };
    }
  }

  private async isRecorded(call: Call): Promise<boolean> {
    const found = await this.database.read.byId(auditRecords, call.id).catch(() => undefined);
    return found !== undefined;
  }

  /** A mutation with any refused coordinate does not begin. */
  private refusedWhole(request: Request): GraphQLError[] {
    const { call, operation } = request;
    const context = this.operations.reading(call, call.trail);
    const errors: GraphQLError[] = [];
    for (const { type, field, args, node } of selectedFields(this.walk(request), operation)) {
      const refusal = this.guard.field(context, type.name, field.name, undefined, field.args, args);
      if (refusal !== undefined) {
        errors.push(new GraphQLError(refusal.message, { nodes: node, originalError: refusal }));
      }
    }
    return errors;
  }

  /** Before anything runs: fields times page sizes, and that the directives' values are there. */
  private tooComplex(request: Request): readonly GraphQLError[] | undefined {
    try {
      const { cost } = this.limits;
      if (operationCost(this.walk(request), request.operation, cost) <= cost) return undefined;
    } catch (error) {
      // A value that is missing behind @skip or @include, which validation leaves to the execution.
      if (error instanceof GraphQLError) return [asInputFault(error)];
      throw error;
    }
    const refusal = new BehalfError('QUERY_TOO_COMPLEX', 'This operation may touch too many fields.', {
      hint: 'Ask for smaller pages, fewer aliases or fewer levels.',
    });
    return [new GraphQLError(refusal.message, { originalError: refusal })];
  }

  private walk(request: Request): Walk {
    return {
      schema: request.schema,
      fragments: fragmentsOf(request.document),
      variables: coerced(request),
      pageSizeMax: this.limits.pageSize,
    };
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

/** GraphQL's own validation lets a subscription through where there are none. */
const noSuchKind = ({ operation }: Request): GraphQLError =>
  new GraphQLError(`There is no ${operation.operation} here.`, {
    nodes: operation,
    extensions: { code: 'BAD_USER_INPUT' },
  });

function coerced(request: Request): Readonly<Record<string, unknown>> {
  const { schema, operation, variables } = request;
  return getVariableValues(schema, operation.variableDefinitions ?? [], variables).coerced ?? {};
}

function variableFaults(request: Request): readonly GraphQLError[] | undefined {
  const { schema, operation, variables } = request;
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables, {
    maxErrors: 10,
  });
  return errors?.map(asInputFault);
}

const asInputFault = (error: GraphQLError): GraphQLError =>
  new GraphQLError(error.message, {
    ...(error.nodes && { nodes: error.nodes }),
    extensions: { code: 'BAD_USER_INPUT' },
  });

const fragmentsOf = (document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> =>
  new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
