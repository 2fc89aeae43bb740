import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLOutputType,
} from 'graphql';
import type { RecordedDecision } from '../../audit/trail.js';
import type { Authority } from '../../authority/authority.js';
import type { Decision } from '../../authority/decision.js';
import type { Boundaries, DimensionValues } from '../../authority/boundary.js';
import { refusalError } from '../../authority/explain.js';
import type { Scope } from '../../authority/scope.js';
import { areWithin } from '../../authority/within.js';
import type { BehalfError } from '../../core/errors.js';
import type { Operation } from '../../delegation/resolver-context.js';
import { dimensionValuesOf } from '../../store/bounded/dimension-values.js';
import type { SchemaPolicy } from '../schema/schema-policy.js';
import { usedInputs } from '../schema/used-inputs.js';

type Values = Readonly<Record<string, unknown>>;

/** A refusal, for the record and for the caller. */
export interface Denied {
  readonly decision: RecordedDecision;
  readonly error: BehalfError;
}

/** The one rule map: decides coordinates for an authority, before an operation runs or row by row. */
export class RuleMap {
  private readonly rowScopes: ReadonlyMap<string, Scope>;
  private readonly rowDimensions: ReadonlyMap<string, readonly string[]>;
  private readonly inputs = new Map<string, ReadonlySet<string>>();

  constructor(private readonly policy: SchemaPolicy) {
    this.rowScopes = new Map(policy.rows.map((row) => [row.type, row.scope]));
    this.rowDimensions = new Map(policy.rows.map((row) => [row.type, [...row.bounds.keys()]]));
  }

  /**
   * Decides the field itself and the inputs that it uses; where its scope differs from its row's scope, the row's
   * dimension values as well. A refusal is noted in the trail.
   */
  field(
    operation: Operation,
    typeName: string,
    fieldName: string,
    parent: unknown,
    args: readonly GraphQLArgument[],
    values: Values,
  ): BehalfError | undefined {
    const coordinate = `${typeName}.${fieldName}`;
    const denied =
      this.denies(operation.authority, coordinate, this.rowState(typeName, parent)) ??
      this.deniesInputs(operation.authority, coordinate, args, values);
    if (denied === undefined) return undefined;
    operation.trail.refused(denied.decision);
    return denied.error;
  }

  /** Throws for a coordinate that has no scope. */
  denies(authority: Authority, coordinate: string, at?: RowState): Denied | undefined {
    const scope = this.scopeOf(coordinate);
    const decision: Decision =
      at === undefined || at.ownScope === scope
        ? authority.decide(scope)
        : decideAtEach(authority, scope, at.values);
    if (decision.allow) return undefined;
    const { reason, layer } = decision;
    return {
      decision: { coordinate, scope, outcome: 'deny', reason, layer },
      error: refusalError(authority, decision),
    };
  }

  /** The first refused input among those that these values use. An input without a scope selects by no field. */
  deniesInputs(
    authority: Authority,
    coordinate: string,
    args: readonly GraphQLArgument[],
    values: Values,
  ): Denied | undefined {
    if (args.length === 0) return undefined;
    for (const used of usedInputs(coordinate, args, values)) {
      const denied = this.policy.scopes.has(used) ? this.denies(authority, used) : undefined;
      if (denied !== undefined) return denied;
    }
    return undefined;
  }

  /** The scopes of a field and of the inputs that these values use. */
  scopesOf(coordinate: string, args: readonly GraphQLArgument[], values: Values): Scope[] {
    const inputs = args.length === 0 ? [] : usedInputs(coordinate, args, values);
    return [this.scopeOf(coordinate), ...inputs.flatMap((used) => this.policy.scopes.get(used) ?? [])];
  }

  /**
   * True where an allowed field may still be refused on some rows: its scope has a narrower boundary than the scope by
   * which the rows come.
   */
  looksAtRows(authority: Authority, typeName: string, coordinate: string): boolean {
    const ownScope = this.rowScopes.get(typeName);
    const scope = this.scopeOf(coordinate);
    if (ownScope === undefined || scope === ownScope) return false;
    const dimensions = this.rowDimensions.get(typeName) ?? [];
    const along = (boundaries: Boundaries): Boundaries =>
      boundaries
        .filter((boundary) => dimensions.every((dimension) => boundary.has(dimension)))
        .map((boundary) => new Map([...boundary].filter(([dimension]) => dimensions.includes(dimension))));
    return !areWithin(along(authority.boundaries(ownScope)), along(authority.boundaries(scope)));
  }

  /** Whether a field may give an enum value outside the ceiling; only the caller's own view can answer that. */
  mayGiveHidden({ ceiling }: Authority, type: GraphQLOutputType): boolean {
    const named = getNamedType(type);
    if (!isEnumType(named)) return false;
    return named.getValues().some((value) => {
      const scope = this.policy.scopes.get(`${named.name}.${value.name}`);
      return scope !== undefined && !ceiling.has(scope);
    });
  }

  /** Arguments of a field that have a scope or hold an input that has one, so that their values matter. */
  scopedInputs(coordinate: string, args: readonly GraphQLArgument[]): ReadonlySet<string> {
    const known = this.inputs.get(coordinate);
    if (known !== undefined) return known;
    const scoped = args.filter(
      (arg) => this.policy.scopes.has(`${coordinate}(${arg.name}:)`) || this.isScopedInput(arg.type),
    );
    const found = new Set(scoped.map((arg) => arg.name));
    this.inputs.set(coordinate, found);
    return found;
  }

  /** Whether a value of this type may name a coordinate that has a scope. */
  isScopedInput(type: GraphQLInputType, seen = new Set<string>()): boolean {
    const named = getNamedType(type);
    if (seen.has(named.name)) return false;
    seen.add(named.name);
    const { scopes } = this.policy;
    if (isEnumType(named))
      return named.getValues().some((value) => scopes.has(`${named.name}.${value.name}`));
    if (!isInputObjectType(named)) return false;
    return Object.values(named.getFields()).some(
      (field) => scopes.has(`${named.name}.${field.name}`) || this.isScopedInput(field.type, seen),
    );
  }

  private scopeOf(coordinate: string): Scope {
    const scope = this.policy.scopes.get(coordinate);
    if (scope === undefined) {
      throw new Error(`${coordinate} has no scope, which the start should have refused.`);
    }
    return scope;
  }

  private rowState(typeName: string, parent: unknown): RowState | undefined {
    const ownScope = this.rowScopes.get(typeName);
    if (ownScope === undefined || parent === null || typeof parent !== 'object') return undefined;
    return { ownScope, values: dimensionValuesOf(parent) ?? [unknownValues] };
  }
}

interface RowState {
  /** The scope that let the caller reach the row. */
  readonly ownScope: string;
  readonly values: readonly DimensionValues[];
}

/** A row that did not come through `Rows` is inside no boundary. */
const unknownValues: DimensionValues = new Map([['unknown', null]]);

/** A row given in an earlier state must be inside the boundary both then and now. */
function decideAtEach(authority: Authority, scope: Scope, values: readonly DimensionValues[]): Decision {
  const outside = values.find((one) => !authority.decideAt(scope, one).allow);
  return outside === undefined ? authority.decide(scope) : authority.decideAt(scope, outside);
}
