import {
  getVariableValues,
  GraphQLError,
  OperationTypeNode,
  type DocumentNode,
  type ExecutionResult,
  type OperationDefinitionNode,
} from 'graphql';
import { badInput, BehalfError, tooComplex } from '../../core/errors.js';
import { asGraphQLError } from '../errors.js';
import type { Access } from '../plan/access-rules.js';
import { inAnswerOrder } from '../plan/answer-order.js';
import { OperationPlan, type OperationPlanParts } from '../plan/operation-plan.js';
import { Merge } from '../plan/prune-and-merge.js';
import type { Selected } from '../plan/selection.js';
import type { Annotations } from '../view/annotate.js';
import type { RecentSignIn } from '../rules/recent-sign-in.js';
import { executeByGraphqlJs } from './graphql-js.js';
import { Introspection, introspectionCost } from './introspection.js';
import { MutationTransaction, type MutationTransactionParts } from './mutation-transaction.js';
import type { Checked, Decided, Executed, Price, Request, Values } from './request.js';

/**
 * `fitting` runs each operation in the fastest way whose result equals that of `shielded`, which puts every field
 * behind its rule.
 */
export type Execution = 'fitting' | 'shielded';

const isDecided = (decided: Decided | Executed): decided is Decided => 'plan' in decided;

/** A field behind its rule costs this many times as much as a compiled one. */
const shieldedCost = 10;

interface ExecutorParts extends MutationTransactionParts {
  readonly planParts: OperationPlanParts;
  readonly annotations: Annotations;
  readonly costMax: number;
  readonly execution: Execution;
  readonly recentSignIn: RecentSignIn;
}

/**
 * Runs operations: a query over the reading connection, a mutation in one transaction with its record. All rules are
 * decided before it begins. Allowed fields run on the plain schema, compiled. Refused fields of a query are pruned
 * first, and come back as null with an error. Where a rule has to look at rows, the shielded schema runs.
 */
export class Executor {
  private readonly plans = new WeakMap<OperationDefinitionNode, OperationPlan>();
  readonly introspection = new Introspection();
  private readonly mutations: MutationTransaction;

  constructor(private readonly parts: ExecutorParts) {
    this.mutations = new MutationTransaction(parts);
  }

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
    request.call.ran = request.document;
    const isMutation = request.operation.operation === OperationTypeNode.MUTATION;
    const result = await (isMutation ? this.mutations.run(request, decided) : this.query(request, decided));
    // New keys first, in every operation's result: docs/decisions/0047-requests-die-young.md.
    return { extensions: { cost }, ...result };
  }

  /** Everything that can be decided before the operation runs. */
  private decide(request: Request): Decided | Executed {
    const { call, schema, document, operation } = request;
    if (!schema.getRootType(operation.operation)) return { errors: [noSuchKind(request)] };
    if (call.only !== undefined && (operation.operation as string) !== call.only)
      return { errors: [asGraphQLError(badInput(`This runs a ${call.only}, and the document is none.`))] };
    if (call.isInspection && operation.operation === OperationTypeNode.MUTATION)
      return { errors: [asGraphQLError(onlyLooking())] };
    const definitions = operation.variableDefinitions ?? [];
    const { coerced, errors } = getVariableValues(schema, definitions, request.variables, { maxErrors: 10 });
    if (errors !== undefined) return { errors: errors.map(asInputFault) };
    try {
      const plan = this.planFor(document, operation, coerced);
      plan.checkArguments(coerced);
      const access = plan.accessOf(call.authority, coerced);
      call.requiredScopes = () => plan.requiredScopes(call.authority, coerced);
      const cost = this.price(request, plan, access, coerced);
      const isChange = operation.operation === OperationTypeNode.MUTATION && access.denied.size === 0;
      const { fields } = plan.selection;
      const refusal = isChange ? this.parts.recentSignIn.refusal(call.authority, fields) : undefined;
      if (refusal !== undefined) return { errors: [asGraphQLError(refusal)], extensions: { cost } };
      if (cost.requested > cost.max)
        return { errors: [asGraphQLError(tooComplex(cost))], extensions: { cost } };
      return { plan, access, cost, coerced, named: plan.namedBy(coerced) };
    } catch (error) {
      if (error instanceof BehalfError) return { errors: [asGraphQLError(error)] };
      // A required value is missing behind @skip or @include; validation leaves that to execution.
      if (error instanceof GraphQLError) return { errors: [asInputFault(error)] };
      throw error;
    }
  }

  /**
   * The decisions about a valid operation, which does not run. Without its variables, only those that need none.
   */
  check(request: Request): Checked {
    const { call, schema, document, operation, variables } = request;
    const definitions = operation.variableDefinitions ?? [];
    const { coerced = {}, errors = [] } = getVariableValues(schema, definitions, variables, {
      maxErrors: 10,
    });
    const plan = this.planFor(document, operation, coerced);
    const access = plan.accessOf(call.authority, coerced);
    const cost = this.price(request, plan, access, coerced);
    return {
      cost,
      refusals: [...access.denied.values()],
      variableFaults: errors.map(({ message }) => message),
    };
  }

  private price(
    { call, schema }: Request,
    { selection, cost }: OperationPlan,
    access: Access,
    coerced: Values,
  ): Price {
    const { fields, isIntrospective } = selection;
    const max = Math.min(this.parts.costMax, call.authority.costMax ?? this.parts.costMax);
    const dear = isIntrospective || looksAtEach({ selection }, access) ? shieldedCost : 1;
    const isMixed = isIntrospective && !isAllMeta(fields);
    const meta = isMixed ? introspectionCost(schema, fields, coerced, max / dear) : 0;
    return { requested: dear * (cost.of(coerced, access.denied) + meta), max };
  }

  /** The operation's plan, made once for each operation. */
  private planFor(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    coerced: Values,
  ): OperationPlan {
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
      return isAllMeta(plan.selection.fields)
        ? this.introspect({ ...request, schema }, plan, cost)
        : this.shielded({ ...request, schema });
    }
    if (this.parts.execution === 'shielded' || looksAtEach(plan, access)) return this.shielded(request);
    const operation = this.parts.contexts.reading(call, call.trail, 'plain');
    const { result, isExact } = await plan.run(access.denied, operation, request.variables);
    if (result.errors !== undefined) await operation.rows.settled();
    if (isPruned) {
      if (isExact && result.errors === undefined) {
        const merge = new Merge(access.denied, plan.selection, call.trail);
        const data = merge.fill(result.data) as ExecutionResult['data'];
        return { data, refused: merge.refused };
      }
      call.newTrail();
      return this.shielded(request);
    }
    if (isExact) return result;
    const again = this.parts.contexts.reading(call, call.newTrail(), 'plain');
    const exact = await plan.runExactly(again, request.variables);
    await again.rows.settled();
    return exact;
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
    const result = inAnswerOrder(await executeByGraphqlJs(request, operation));
    // graphql-js may answer with errors before all resolvers have ended. The record must hold their reads as well.
    if (result.errors !== undefined) await operation.rows.settled();
    return result;
  }
}

/** Whether every field has to run behind its rule. */
const looksAtEach = (
  { selection }: Pick<OperationPlan, 'selection'>,
  { looksAtRows, denied }: Access,
): boolean => looksAtRows || (denied.size > 0 && selection.isAbstract);

const isAllMeta = (fields: readonly Selected[]): boolean => fields.every(({ isMeta }) => isMeta);

/** Validation accepts a subscription even where the schema has none. */
const noSuchKind = ({ operation }: Request): GraphQLError =>
  new GraphQLError(`There is no ${operation.operation} here.`, {
    nodes: operation,
    extensions: { code: 'BAD_USER_INPUT' },
  });

const onlyLooking = (): BehalfError =>
  new BehalfError('FORBIDDEN', 'A person who looks through a task cannot change anything under it.', {
    layer: 'token',
    hint: 'Only its agent can. Choose yourself to make a change of your own.',
  });

const asInputFault = (error: GraphQLError): GraphQLError =>
  new GraphQLError(error.message, {
    ...(error.nodes && { nodes: error.nodes }),
    extensions: { code: 'BAD_USER_INPUT' },
  });
