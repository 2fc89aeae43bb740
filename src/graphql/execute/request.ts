import type { DocumentNode, ExecutionResult, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import type { Access } from '../plan/access-rules.js';
import type { OperationPlan } from '../plan/operation-plan.js';
import type { Denied } from '../rules/rule-map.js';
import type { Refused } from '../plan/prune-and-merge.js';
import type { Call } from './call.js';

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

export type Values = Readonly<Record<string, unknown>>;

/** The cost of an operation, and the most that its caller may spend on one. */
export interface Price {
  readonly requested: number;
  readonly max: number;
}

/** The decisions about an operation that does not run. */
export interface Checked {
  readonly cost: Price;
  readonly refusals: readonly Denied[];
  readonly variableFaults: readonly string[];
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
