import {
  isInputType,
  typeFromAST,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type ValueNode,
} from 'graphql';

export interface DeclaredVariable {
  readonly name: string;
  readonly type: GraphQLInputType;
  /** The default. */
  readonly fallback: ValueNode | undefined;
}

/** The variables of a valid operation. */
export const declaredVariables = (
  schema: GraphQLSchema,
  { variableDefinitions }: OperationDefinitionNode,
): DeclaredVariable[] =>
  (variableDefinitions ?? []).flatMap((definition) => {
    const type = typeFromAST(schema, definition.type);
    const [name, fallback] = [definition.variable.name.value, definition.defaultValue];
    return isInputType(type) ? [{ name, type, fallback }] : [];
  });
