import {
  buildSchema,
  isObjectType,
  isScalarType,
  type GraphQLFieldResolver,
  type GraphQLSchema,
} from 'graphql';
import type { Resolvers } from '../delegation/operation.js';
import { scalars } from './scalars.js';

/** The SDL with its resolvers. A resolver without a field in the SDL is a mistake and refuses the start. */
export function executableSchema(sdl: string, resolvers: readonly Resolvers[]): GraphQLSchema {
  const schema = buildSchema(sdl);
  for (const [name, functions] of Object.entries(scalars)) {
    const type = schema.getType(name);
    if (isScalarType(type)) Object.assign(type, functions);
  }
  for (const byType of resolvers) {
    for (const [typeName, byField] of Object.entries(byType)) {
      const type = schema.getType(typeName);
      if (!isObjectType(type))
        throw new Error(`A resolver is given for ${typeName}, which is no object type.`);
      for (const [fieldName, resolve] of Object.entries(byField)) {
        const field = type.getFields()[fieldName];
        if (field === undefined)
          throw new Error(`A resolver is given for ${typeName}.${fieldName}, which does not exist.`);
        field.resolve = resolve as unknown as GraphQLFieldResolver<unknown, unknown>;
      }
    }
  }
  return schema;
}
