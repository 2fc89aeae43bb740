import {
  buildSchema,
  isObjectType,
  isScalarType,
  type GraphQLFieldResolver,
  type GraphQLSchema,
} from 'graphql';
import type { Operation, Resolver, Resolvers } from '../../delegation/resolver-context.js';
import type { Page } from '../../store/bounded/page.js';
import { ColumnSelections } from './column-selections.js';
import { scalars } from './scalars.js';

/** As `withResolvers`, from the SDL. */
export const executableSchema = (sdl: string, resolvers: readonly Resolvers[]): GraphQLSchema =>
  withResolvers(buildSchema(sdl), resolvers);

/**
 * Gives a new schema its scalars and resolvers. Throws for a resolver whose field is missing in the SDL, so that the
 * start is refused.
 */
export function withResolvers(
  schema: GraphQLSchema,
  resolvers: readonly Resolvers[],
  columnSelections = new ColumnSelections([]),
): GraphQLSchema {
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
        field.resolve = asResolver(resolve, columnSelections);
        if (resolve.before !== undefined) field.extensions = { ...field.extensions, before: resolve.before };
      }
    }
  }
  countPages(schema);
  return schema;
}

const asResolver =
  (resolve: Resolver, columnSelections: ColumnSelections): GraphQLFieldResolver<unknown, unknown> =>
  (parent, args, operation, info) =>
    resolve(parent as never, args as never, operation as Operation, columnSelections.at(info));

/**
 * A page counts its rows only on request. Compiled documents do not call functions on values, so the field needs a
 * resolver.
 */
function countPages(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    const field = type.getFields().totalCount;
    if (field === undefined || field.resolve !== undefined) continue;
    field.resolve = (page) => (page as Pick<Page<unknown>, 'totalCount'>).totalCount();
  }
}
