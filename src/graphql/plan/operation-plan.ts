import {
  execute,
  isNonNullType,
  Kind,
  type DocumentNode,
  type ExecutionResult,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import type { Digest } from '../../audit/kept-value.js';
import type { Authority } from '../../authority/authority.js';
import { isIssuable } from '../../authority/explain.js';
import { sessionScope, type Scope } from '../../authority/scope.js';
import { Lru } from '../../core/lru.js';
import { AccessRules, usesVariables, type Access } from './access-rules.js';
import { inAnswerOrder } from './answer-order.js';
import type { ColumnSelections } from '../schema/column-selections.js';
import { compilable, type Compilable } from './compilable.js';
import { compile, type Compiled, type CompiledOperations } from './compiled-operations.js';
import { Cost } from './cost.js';
import type { SchemaPolicy } from '../schema/schema-policy.js';
import { withoutDenied } from './prune-and-merge.js';
import type { Denied, RuleMap } from '../rules/rule-map.js';
import { literalsOf } from '../document/literals.js';
import { redactorOf, type Redactor } from '../document/redact-variables.js';
import { argumentsOf, each, selectionOf, type Selected, type Selection } from './selection.js';
import { usedInside } from '../schema/used-inputs.js';
import { declaredVariables, type DeclaredVariable } from '../document/declared-variables.js';

type Values = Readonly<Record<string, unknown>>;

export interface OperationPlanParts {
  /** The whole schema, without rules. */
  readonly plain: GraphQLSchema;
  readonly policy: SchemaPolicy;
  readonly ruleMap: RuleMap;
  readonly columnSelections: ColumnSelections;
  readonly compiled: CompiledOperations;
  readonly pageSizeMax: number;
  /** Makes digests of values that a record does not show. */
  readonly digest: Digest;
}

/** One operation of a valid document, with everything that is worked out once for it. */
export class OperationPlan {
  readonly selection: Selection;
  readonly cost: Cost;
  readonly redact: Redactor;
  /** The arguments that the document writes as literals, as the record keeps them. */
  readonly literals: string | null;
  private readonly rules: AccessRules;
  /** Fields with an argument that may turn out null although it must not be. */
  private readonly varying: readonly Selected[];
  /** Variables whose value may name a coordinate that has a scope. */
  private readonly scopedVariables: readonly DeclaredVariable[];
  private runs = this.noRuns();
  /** Compiled code is large, so only cached documents are compiled. */
  private isKept = false;

  constructor(
    private readonly parts: OperationPlanParts,
    readonly document: DocumentNode,
    readonly operation: OperationDefinitionNode,
    variables: Values,
  ) {
    const { plain, ruleMap, policy, pageSizeMax, digest } = parts;
    this.selection = selectionOf(plain, fragmentsOf(document), operation, variables);
    this.cost = new Cost(this.selection.fields, policy.costs, pageSizeMax);
    this.redact = redactorOf(plain, policy, document, operation, digest);
    this.literals = literalsOf(plain, policy, document, operation, digest);
    this.rules = new AccessRules(ruleMap, this.selection);
    this.scopedVariables = declaredVariables(plain, operation).filter(({ type }) =>
      ruleMap.isScopedInput(type),
    );
    this.varying = [...each(this.selection.fields)].filter((field) => mayLackValue(field, operation));
  }

  /** Allows compiling until `letGo`. */
  keep(): void {
    this.isKept = true;
  }

  letGo(): void {
    this.isKept = false;
    for (const run of this.runs.values()) this.parts.compiled.delete(run);
    this.runs = this.noRuns();
  }

  private noRuns(): Lru<string, Runnable> {
    return new Lru(runsMax, (run) => {
      this.parts.compiled.delete(run);
    });
  }

  /** Throws a GraphQLError for a null variable in a non-null argument; validation does not find it. */
  checkArguments(variables: Values): void {
    for (const field of this.varying) argumentsOf(field, variables);
  }

  /** Coordinates of input fields and enum values in the variables, including those that only a skipped field uses. */
  namedBy(variables: Values): string[] {
    return this.scopedVariables.flatMap(({ name, type }) => usedInside(type, variables[name]));
  }

  accessOf(authority: Authority, variables: Values): Access {
    return this.rules.of(authority, variables);
  }

  /** The scopes of a new token for this operation: all that it uses and that a token of this chain would have. */
  requiredScopes(authority: Authority, variables: Values): Scope[] {
    const used = [...this.rules.scopes(variables)];
    return used.filter((scope) => scope !== sessionScope && isIssuable(authority, scope));
  }

  /** As `run`, but never compiled, so that errors are exact. */
  async runExactly(contextValue: unknown, variableValues: Values): Promise<ExecutionResult> {
    const { document, operation } = this;
    const operationName = operation.name?.value;
    return inAnswerOrder(
      await execute({ schema: this.parts.plain, document, operationName, variableValues, contextValue }),
    );
  }

  /** Runs the allowed fields on the schema without rules. The caller must pass every denied field. */
  run(denied: ReadonlyMap<Selected, Denied>, contextValue: unknown, variables: Values): Promise<RunResult> {
    const key = [...denied.keys()].map((selected) => selected.number).join(' ');
    let run = this.runs.get(key);
    if (run === undefined) {
      run = new Runnable(this.parts, this.operation, this.selection, () =>
        denied.size === 0 ? this.document : withoutDenied(this.document, denied),
      );
      this.runs.set(key, run);
    }
    return run.run(contextValue, variables, this.isKept);
  }
}

interface RunResult {
  readonly result: ExecutionResult;
  /** False where the errors are not exact: run again by `runExactly`. */
  readonly isExact: boolean;
}

/** Different sets of denied fields; each has a document of its own. */
const runsMax = 32;

/** An operation whose compiled code was evicted is compiled again after this many runs. */
const runsBetween = 100;

/** A document, compiled when that pays. */
class Runnable {
  private document: DocumentNode | undefined;
  /** Undefined until it was checked. */
  private compilable: Compilable | 'never' | undefined;
  private runsToWait = 0;

  constructor(
    private readonly parts: OperationPlanParts,
    private readonly operation: OperationDefinitionNode,
    private readonly selection: Selection,
    private readonly make: () => DocumentNode,
  ) {}

  async run(contextValue: unknown, variableValues: Values, mayCompile: boolean): Promise<RunResult> {
    const document = (this.document ??= this.make());
    const compiled = this.compiledFor(document, variableValues, mayCompile);
    if (compiled !== undefined) {
      const result = await compiled(contextValue, variableValues);
      if (result.errors === undefined) return { result, isExact: true };
      return { result, isExact: false };
    }
    const { plain: schema } = this.parts;
    const operationName = this.operation.name?.value;
    const result = await execute({ schema, document, operationName, variableValues, contextValue });
    return { result: inAnswerOrder(result), isExact: true };
  }

  private compiledFor(document: DocumentNode, variables: Values, mayCompile: boolean): Compiled | undefined {
    const compiled = this.parts.compiled.get(this) ?? (mayCompile ? this.compile(document) : undefined);
    if (compiled === undefined || this.compilable === undefined || this.compilable === 'never')
      return undefined;
    return this.compilable.needed.every((name) => Object.hasOwn(variables, name)) ? compiled : undefined;
  }

  private compile(document: DocumentNode): Compiled | undefined {
    this.compilable ??= compilable(this.selection, this.operation, document) ?? 'never';
    if (this.compilable === 'never') return undefined;
    this.runsToWait -= 1;
    if (this.runsToWait > 0) return undefined;
    this.runsToWait = runsBetween;
    const { plain, columnSelections } = this.parts;
    const compiled = compile(plain, document, this.operation.name?.value, columnSelections);
    if (compiled === undefined) this.compilable = 'never';
    else this.parts.compiled.set(this, compiled, this.selection.size);
    return compiled;
  }
}

export const fragmentsOf = (document: DocumentNode): ReadonlyMap<string, FragmentDefinitionNode> =>
  new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );

/** Validation accepts a nullable variable in a non-null position where there is a default. */
function mayLackValue(selected: Selected, operation: OperationDefinitionNode): boolean {
  if (!usesVariables(selected)) return false;
  const nullable = new Set(
    (operation.variableDefinitions ?? [])
      .filter((definition) => definition.type.kind !== Kind.NON_NULL_TYPE)
      .map((definition) => definition.variable.name.value),
  );
  return (selected.nodes[0]?.arguments ?? []).some(({ name, value }) => {
    if (value.kind !== Kind.VARIABLE) return value.kind === Kind.OBJECT || value.kind === Kind.LIST;
    const argument = selected.field.args.find((arg) => arg.name === name.value);
    return nullable.has(value.name.value) && isNonNullType(argument?.type);
  });
}
