import {
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type ArgumentNode,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type ValueNode,
} from 'graphql';
import type { Digest } from '../../audit/kept-value.js';
import type { SchemaPolicy } from '../schema/schema-policy.js';
import { fitting, Keeper, plainOf, useAt } from './redact-variables.js';

/**
 * The arguments that a document writes as literals, as JSON for the record: by their path, and kept by the same rules
 * as variables. Variables inside them appear by name. Null where every argument is a variable.
 */
export function literalsOf(
  schema: GraphQLSchema,
  policy: SchemaPolicy,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  digest: Digest,
): string | null {
  const found: { at: string; coordinate: string; value: ValueNode; type: Parameters<Keeper['keep']>[0] }[] =
    [];
  const info = new TypeInfo(schema);
  const path: string[] = [];
  visit(
    document,
    visitWithTypeInfo(info, {
      OperationDefinition: (node) => (node === operation ? undefined : false),
      FragmentDefinition: {
        enter: (node) => void path.push(`...${node.name.value}`),
        leave: () => void path.pop(),
      },
      Field: {
        enter: (node) => void path.push((node.alias ?? node.name).value),
        leave: () => void path.pop(),
      },
      Directive: () => false,
      Argument: (node: ArgumentNode) => {
        const [argument, parent, field] = [info.getArgument(), info.getParentType(), info.getFieldDef()];
        if (argument && parent && field && node.value.kind !== Kind.VARIABLE) {
          found.push({
            at: `${path.join('.')}(${argument.name}:)`,
            coordinate: `${parent.name}.${field.name}(${argument.name}:)`,
            value: node.value,
            type: argument.type,
          });
        }
        return false;
      },
    }),
  );
  if (found.length === 0) return null;
  return fitting(digest, (lengthMax) => {
    const keeper = new Keeper(policy, digest, lengthMax);
    return Object.fromEntries(
      found.map(({ at, coordinate, value, type }) => [
        at,
        keeper.keep(type, plainOf(value), useAt(policy, coordinate)),
      ]),
    );
  });
}
