import {
  Kind,
  OperationTypeNode,
  visit,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import type { Scope } from '../../authority/scope.js';
import { declaredVariables } from '../document/declared-variables.js';
import { fragmentsOf } from '../plan/operation-plan.js';
import { selectionOf, type Selected } from '../plan/selection.js';
import { allOf, always, anyOf, never, type Alternatives } from './alternatives.js';
import { SufficientInputs } from './sufficient-inputs.js';

/** Conditions of `@skip` and `@include` that are looked at in all combinations. */
const conditionsMax = 4;

/**
 * The scopes that are enough for some call of a valid operation, its variables chosen well. A query has to give a leaf.
 * A mutation is refused whole for any scope that it lacks.
 */
export function sufficientScopes(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  scopes: ReadonlyMap<string, Scope>,
): Alternatives {
  const variables = declaredVariables(schema, operation).map((one) => [one.name, one] as const);
  const fields = new SufficientFields(new SufficientInputs(scopes, new Map(variables)));
  const isMutation = operation.operation === OperationTypeNode.MUTATION;
  const fragments = fragmentsOf(document);
  return anyOf(
    combinations(conditionsIn(document)).map((values) => {
      const { fields: roots } = selectionOf(schema, fragments, operation, values);
      if (roots.length === 0) return never;
      return isMutation
        ? allOf(roots.map((root) => fields.all(root)))
        : anyOf(roots.map((root) => fields.some(root)));
    }),
  );
}

class SufficientFields {
  constructor(private readonly inputs: SufficientInputs) {}

  /** For a leaf at or below a field. */
  some(selected: Selected): Alternatives {
    const isLeaf = selected.nodes.every(({ selectionSet }) => selectionSet === undefined);
    const below = isLeaf ? always : anyOf(selected.children.map((child) => this.some(child)));
    return allOf([this.own(selected), below]);
  }

  /** For a field with all below. */
  all(selected: Selected): Alternatives {
    return allOf([this.own(selected), ...selected.children.map((child) => this.all(child))]);
  }

  private own({ coordinate, field, isMeta, nodes }: Selected): Alternatives {
    if (isMeta) return always;
    const written = new Map(nodes[0]?.arguments?.map(({ name, value }) => [name.value, value]));
    return allOf([
      this.inputs.at(coordinate),
      ...field.args.map((arg) =>
        this.inputs.member(arg, `${coordinate}(${arg.name}:)`, written.get(arg.name)),
      ),
    ]);
  }
}

/** Names of the variables that decide what `@skip` and `@include` leave out. */
function conditionsIn(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    Directive: ({ arguments: given = [] }) => {
      for (const { value } of given) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return [...names];
}

/** All combinations of values; of many conditions, those in which all are alike or one differs. */
function combinations(names: readonly string[]): readonly Readonly<Record<string, boolean>>[] {
  const valuesFor = (isTrue: (at: number) => boolean): Readonly<Record<string, boolean>> =>
    Object.fromEntries(names.map((name, at) => [name, isTrue(at)]));
  if (names.length <= conditionsMax)
    return Array.from({ length: 2 ** names.length }, (_, bits) =>
      valuesFor((at) => ((bits >> at) & 1) === 1),
    );
  return [-1, ...names.keys()].flatMap((odd) => [
    valuesFor((at) => at === odd),
    valuesFor((at) => at !== odd),
  ]);
}
