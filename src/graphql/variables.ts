import {
  isInputType,
  typeFromAST,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';

export interface DeclaredVariable {
  readonly name: string;
  readonly type: GraphQLInputType;
}

/** The variables of a valid operation. */
export const declaredVariables = (
  schema: GraphQLSchema,
  { variableDefinitions }: OperationDefinitionNode,
): DeclaredVariable[] =>
  (variableDefinitions ?? []).flatMap((definition) => {
    const type = typeFromAST(schema, definition.type);
    return isInputType(type) ? [{ name: definition.variable.name.value, type }] : [];
  });
