import {
  execute,
  getVariableValues,
  GraphQLError,
  OperationTypeNode,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { BehalfError, conflict, tooComplex } from '../../core/errors.js';
import type { Operation, Resolver } from '../../delegation/resolver-context.js';
import type { ResolverContexts } from '../../delegation/resolver-contexts.js';
import { StaleAuthority, type Charges, type CommitGate } from '../../delegation/commit-gate.js';
import { CommitLost, RunAgain, type Database } from '../../store/sql/database.js';
import { auditRecords } from '../../store/tables/audit.js';
import type { Access } from '../plan/access-rules.js';
import type { Annotations } from '../view/annotate.js';
import { inAnswerOrder } from '../plan/answer-order.js';
import { finishedOf } from './finished-call.js';
import type { Call } from './call.js';
import { Merge, type Refused } from '../plan/prune-and-merge.js';
import { codeOf } from '../errors.js';
import { sizeFault } from './answer-size.js';
import { Introspection, introspectionCost } from './introspection.js';
import { OperationPlan, type OperationPlanParts } from '../plan/operation-plan.js';
import { argumentsOf, type Selected } from '../plan/selection.js';

export interface Request {
  readonly call: Call;
  /** The caller's own schema, with shield's rules. */
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  /** As the caller sent them. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** The result of an operation. Without `data`, nothing was run. */
export interface Executed extends ExecutionResult {
  /** Fields that were refused before the operation ran, reported beside `errors`. */
  readonly refused?: readonly Refused[];
}

/**
 * `fitting` runs each operation in the fastest way whose result equals that of `shielded`, which puts every field
 * behind its rule.
 */
export type Execution = 'fitting' | 'shielded';

type Values = Readonly<Record<string, unknown>>;

/** The cost of an operation, and the most that its caller may spend on one. */
interface Price {
  readonly requested: number;
  readonly max: number;
}
/** An operation that may run, with everything decided about it. */
export interface Decided {
  readonly plan: OperationPlan;
  readonly access: Access;
  readonly cost: Price;
  /** The coerced variables. */
  readonly coerced: Values;
  /** Coordinates that the variables name and some callers cannot see, used or not. */
  readonly named: readonly string[];
}
const isDecided = (decided: Decided | Executed): decided is Decided => 'plan' in decided;

/** A field behind its rule costs this many times as much as a compiled one. */
const shieldedCost = 10;

/** Carries the result of a failed mutation out of the transaction that it rolls back. */
class RolledBack extends Error {
  constructor(readonly result: ExecutionResult) {
    super('rolled back');
  }
}

export interface ExecutorParts {
  readonly database: Database;
  readonly contexts: ResolverContexts;
  readonly commitGate: CommitGate;
  readonly planParts: OperationPlanParts;
  readonly annotations: Annotations;
  readonly costMax: number;
  readonly answerBytesMax: number;
  readonly execution: Execution;
}

/**
 * Runs operations: a query over the reading connection, a mutation in one transaction with its record. All rules are
 * decided before it begins. Allowed fields run on the plain schema, compiled. Refused fields of a query are pruned
 * first, and come back as null with an error. Where a rule has to look at rows, the shielded schema runs.
 */
export class Executor {
  private readonly plans = new WeakMap<OperationDefinitionNode, OperationPlan>();
  readonly introspection = new Introspection();

  constructor(private readonly parts: ExecutorParts) {}

  async run(request: Request): Promise<Executed> {
    const decided = this.decide(request);
    return isDecided(decided) ? this.runDecided(request, decided) : decided;
  }

  /**
   * Decides a document that was found valid for this caller before; `schema` is the whole schema. Undefined where the
   * answer needs the caller's own view. Nothing runs before `go`.
   */
  decideKnown(request: Request): Decided | undefined {
    const decided = this.decide(request);
    if (!isDecided(decided) || decided.access.isHidden || decided.plan.selection.isIntrospective)
      return undefined;
    return decided;
  }

  async runDecided(request: Request, decided: Decided): Promise<Executed> {
    const { cost } = decided;
    const isMutation = request.operation.operation === OperationTypeNode.MUTATION;
    const result = await (isMutation ? this.mutate(request, decided) : this.query(request, decided));
    // New keys first, in every operation's result: docs/decisions/0047-requests-die-young.md.
    return { extensions: { cost }, ...result };
  }

  /** Everything that can be decided before the operation runs. */
  private decide(request: Request): Decided | Executed {
    const { call, schema, document, operation } = request;
    if (!schema.getRootType(operation.operation)) return { errors: [noSuchKind(request)] };
    const definitions = operation.variableDefinitions ?? [];
    const { coerced, errors } = getVariableValues(schema, definitions, request.variables, { maxErrors: 10 });
    if (errors !== undefined) return { errors: errors.map(asInputFault) };
    try {
      const plan = this.planFor(document, operation, coerced);
      plan.checkArguments(coerced);
      const access = plan.accessOf(call.authority, coerced);
      const { fields, isIntrospective } = plan.selection;
      const max = Math.min(this.parts.costMax, call.authority.costMax ?? this.parts.costMax);
      const dear = isIntrospective || looksAtEach(plan, access) ? shieldedCost : 1;
      const isMixed = isIntrospective && !isAllMeta(fields);
      const meta = isMixed ? introspectionCost(schema, fields, coerced, max / dear) : 0;
      const cost = { requested: dear * (plan.cost.of(coerced, access.denied) + meta), max };
      if (cost.requested > max) return { errors: [asGraphQLError(tooComplex(cost))], extensions: { cost } };
      return { plan, access, cost, coerced, named: plan.namedBy(coerced) };
    } catch (error) {
      if (error instanceof BehalfError) return { errors: [asGraphQLError(error)] };
      // A required value is missing behind @skip or @include; validation leaves that to execution.
      if (error instanceof GraphQLError) return { errors: [asInputFault(error)] };
      throw error;
    }
  }

  /** The operation's plan, made once for each operation. */
  planFor(document: DocumentNode, operation: OperationDefinitionNode, coerced: Values): OperationPlan {
    const known = this.plans.get(operation);
    if (known !== undefined) return known;
    const made = new OperationPlan(this.parts.planParts, document, operation, coerced);
    if (made.selection.isFixed) this.plans.set(operation, made);
    return made;
  }

  private async query(request: Request, { plan, access, cost }: Decided): Promise<Executed> {
    const { call } = request;
    const { isIntrospective } = plan.selection;
    const isPruned = access.denied.size > 0;
    if (isIntrospective) {
      const schema = this.parts.annotations.schemaFor(request.schema, call.authority);
      const isAlone = plan.selection.fields.every(({ isMeta }) => isMeta);
      return isAlone
        ? this.introspect({ ...request, schema }, plan, cost)
        : this.shielded({ ...request, schema });
    }
    if (this.parts.execution === 'shielded' || looksAtEach(plan, access)) return this.shielded(request);
    const operation = this.parts.contexts.reading(call, call.trail, 'plain');
    const { result, isExact } = await plan.run(access.denied, operation, request.variables);
    if (result.errors !== undefined) await operation.rows.settled();
    if (!isExact || (isPruned && result.errors !== undefined)) {
      const again = this.parts.contexts.reading(call, call.newTrail(), 'plain');
      if (isPruned) return this.shielded(request);
      const exact = await plan.runExactly(again, request.variables);
      await again.rows.settled();
      return exact;
    }
    if (!isPruned) return result;
    const merge = new Merge(access.denied, plan.selection, call.trail);
    const data = merge.fill(result.data) as ExecutionResult['data'];
    return { data, refused: merge.refused };
  }

  /** Runs an operation that selects nothing but introspection. */
  private async introspect(
    { call, schema, operation, variables }: Request,
    { selection }: OperationPlan,
    { max }: Price,
  ): Promise<Executed> {
    const { coerced = {} } = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
    const document = JSON.stringify([call.documentHash, operation.name?.value, variables]);
    const inTime = (): void => {
      call.trail.asking();
    };
    try {
      const { fields } = selection;
      const answer = await this.introspection.of(schema, fields, coerced, { document, costMax: max, inTime });
      return { data: answer.data, extensions: { cost: { requested: answer.cost, max } } };
    } catch (error) {
      if (error instanceof BehalfError) return { errors: [asGraphQLError(error)] };
      throw error;
    }
  }

  /** Runs every field behind its rule. */
  private async shielded(request: Request): Promise<ExecutionResult> {
    const { call } = request;
    const operation = this.parts.contexts.reading(call, call.trail, 'placed');
    const result = inAnswerOrder(await this.execute(request, operation));
    // graphql-js may answer with errors before all resolvers have ended. The record must hold their reads as well.
    if (result.errors !== undefined) await operation.rows.settled();
    return result;
  }

  /** A mutation with any refused coordinate does not begin. */
  private async mutate(request: Request, decided: Decided): Promise<ExecutionResult> {
    const { call } = request;
    const { denied } = decided.access;
    if (denied.size > 0) return { data: null, errors: refusedWhole(call, denied) };
    await this.doBeforehand(call, decided);
    let result: ExecutionResult | undefined;
    let charges: Charges | undefined;
    try {
      return await this.parts.database
        .transaction(async (tx) => {
          const operation = this.parts.contexts.writing(call, call.newTrail(), tx);
          const finish = await this.parts.commitGate.begin(tx, call);
          result = await this.execute(request, operation);
          if (result.errors !== undefined) throw new RolledBack(result);
          const refusal = sizeFault(JSON.stringify(result.data), this.parts.answerBytesMax);
          if (refusal !== undefined) throw new RolledBack({ errors: [asGraphQLError(refusal)] });
          charges = await finish(finishedOf(call, [], true));
          return result;
        })
        .then((committed) => {
          call.markRecorded();
          if (charges !== undefined) this.parts.commitGate.note(charges);
          return committed;
        });
    } catch (error) {
      if (error instanceof StaleAuthority) throw error;
      // The record commits with the mutation, so it tells whether a COMMIT without an answer was done.
      if (error instanceof CommitLost && result !== undefined && (await this.isRecorded(call))) {
        call.markRecorded();
        return result;
      }
      call.trail = call.trail.rolledBack();
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

  /** An error here is dropped: the same step fails again, with its error, in the resolver. */
  private async doBeforehand(call: Call, { plan, coerced }: Decided): Promise<void> {
    for (const selected of plan.selection.fields) {
      const { before } = selected.field.extensions as Pick<Resolver, 'before'>;
      if (before === undefined) continue;
      const operation = this.parts.contexts.reading(call, call.newTrail(), 'plain');
      await before(argumentsOf(selected, coerced) as never, operation).catch(() => undefined);
    }
  }

  private async isRecorded(call: Call): Promise<boolean> {
    const found = await this.parts.database.read.byId(auditRecords, call.id).catch(() => undefined);
    return found !== undefined;
  }

  private async execute(request: Request, contextValue: Operation): Promise<ExecutionResult> {
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

/** A lost race or deadlock inside a resolver has to reach the transaction, which runs again. */
const isRunAgain = (error: unknown): boolean =>
  error instanceof Error &&
  !(error instanceof BehalfError) &&
  ('driverError' in error || error.name === 'RunAgain');

/** Whether every field has to run behind its rule. */
const looksAtEach = ({ selection }: OperationPlan, { looksAtRows, denied }: Access): boolean =>
  looksAtRows || (denied.size > 0 && selection.isAbstract);

const isAllMeta = (fields: readonly Selected[]): boolean => fields.every(({ isMeta }) => isMeta);

/** Validation accepts a subscription even where the schema has none. */
const noSuchKind = ({ operation }: Request): GraphQLError =>
  new GraphQLError(`There is no ${operation.operation} here.`, {
    nodes: operation,
    extensions: { code: 'BAD_USER_INPUT' },
  });

const asInputFault = (error: GraphQLError): GraphQLError =>
  new GraphQLError(error.message, {
    ...(error.nodes && { nodes: error.nodes }),
    extensions: { code: 'BAD_USER_INPUT' },
  });

function refusedWhole(call: Call, denied: Access['denied']): GraphQLError[] {
  return [...denied].map(([selected, { decision, error }]) => {
    call.trail.refused(decision);
    return new GraphQLError(error.message, { nodes: selected.nodes, originalError: error });
  });
}

const asGraphQLError = (error: BehalfError): GraphQLError =>
  new GraphQLError(error.message, { originalError: error });
