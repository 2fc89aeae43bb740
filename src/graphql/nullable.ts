import { isIntrospectionType, isNonNullType, isObjectType, type GraphQLSchema } from 'graphql';
import { sessionScope } from '../authority/scope.js';
import type { Coverage } from './coverage.js';

/**
 * Names the fields whose refusal could not be told as null: a root query, or a field of a row type that needs
 * more than the type's own scope, must be nullable. A refused mutation does not begin, so it may be non-null.
 */
export function unrefusable(schema: GraphQLSchema, coverage: Coverage): string[] {
  const own = new Map(coverage.rows.map((row) => [row.type, row.scope]));
  const queries = schema.getQueryType()?.name;
  return Object.values(schema.getTypeMap()).flatMap((type) => {
    if (!isObjectType(type) || isIntrospectionType(type)) return [];
    const ownScope = type.name === queries ? sessionScope : own.get(type.name);
    if (ownScope === undefined) return [];
    return Object.values(type.getFields())
      .filter((field) => {
        const scope = coverage.scopes.get(`${type.name}.${field.name}`);
        return isNonNullType(field.type) && scope !== ownScope && scope !== sessionScope;
      })
      .map((field) => `${type.name}.${field.name} must be nullable: a caller may lack its scope`);
  });
}
