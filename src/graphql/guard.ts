import type { GraphQLArgument } from 'graphql';
import type { Decision } from '../authority/authority.js';
import { refusalError } from '../authority/explain.js';
import type { BehalfError } from '../core/errors.js';
import type { Operation } from '../delegation/operation.js';
import { placeOf } from '../store/place.js';
import type { Coverage } from './coverage.js';
import { usedInputs } from './used-inputs.js';

/** Decides coordinates of one operation, and notes each refusal in its trail. */
export class Guard {
  private readonly rowScopes: ReadonlyMap<string, string>;

  constructor(private readonly coverage: Coverage) {
    this.rowScopes = new Map(coverage.rows.map((row) => [row.type, row.scope]));
  }

  /** The field itself, the inputs that it uses, and, where its scope is not its row's own, the row's place. */
  field(
    operation: Operation,
    typeName: string,
    fieldName: string,
    parent: unknown,
    args: readonly GraphQLArgument[],
    values: Readonly<Record<string, unknown>>,
  ): BehalfError | undefined {
    const coordinate = `${typeName}.${fieldName}`;
    return (
      this.coordinate(operation, coordinate, this.placed(typeName, parent)) ??
      this.inputs(operation, coordinate, args, values)
    );
  }

  /** A coordinate without a scope is one that selects by no field; one that is not known is refused. */
  coordinate(operation: Operation, coordinate: string, at?: Placed): BehalfError | undefined {
    const scope = this.coverage.scopes.get(coordinate);
    if (scope === undefined) {
      throw new Error(`${coordinate} has no scope, which the start should have refused.`);
    }
    const { authority } = operation;
    const decision: Decision =
      at === undefined || at.ownScope === scope
        ? authority.decide(scope)
        : authority.decideAt(scope, at.place ?? unknownPlace);
    if (decision.allow) return undefined;
    const { reason, layer } = decision;
    operation.trail.refused({ coordinate, scope, outcome: 'deny', reason, layer });
    return refusalError(authority, decision);
  }

  private inputs(
    operation: Operation,
    coordinate: string,
    args: readonly GraphQLArgument[],
    values: Readonly<Record<string, unknown>>,
  ): BehalfError | undefined {
    for (const used of usedInputs(coordinate, args, values)) {
      const refusal = this.coverage.scopes.has(used) ? this.coordinate(operation, used) : undefined;
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  private placed(typeName: string, parent: unknown): Placed | undefined {
    const ownScope = this.rowScopes.get(typeName);
    if (ownScope === undefined || parent === null || typeof parent !== 'object') return undefined;
    return { ownScope, place: placeOf(parent) };
  }
}

interface Placed {
  /** The scope by which the row came. */
  readonly ownScope: string;
  readonly place: ReturnType<typeof placeOf>;
}

/** A row that did not come through `Rows` is inside no boundary at all. */
const unknownPlace: ReadonlyMap<string, string | null> = new Map([['unknown', null]]);
