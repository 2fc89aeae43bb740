import {
  getNamedType,
  isIntrospectionType,
  isNonNullType,
  isObjectType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { sessionScope, type Scope } from '../../authority/scope.js';
import type { SchemaPolicy } from './schema-policy.js';

/**
 * Names the fields whose refusal could not be told as null. A field must be nullable unless whoever reached its
 * object holds its scope already. A refused mutation does not begin, so its own fields may be non-null.
 */
export function untellableRefusals(schema: GraphQLSchema, policy: SchemaPolicy): string[] {
  const held = heldAt(schema, policy);
  const mutations = schema.getMutationType()?.name;
  return objectTypes(schema).flatMap((type) => {
    const had = held.get(type.name);
    // Nobody reaches a type that no field leads to.
    if (had === undefined || type.name === mutations) return [];
    return Object.values(type.getFields())
      .filter((field) => isNonNullType(field.type) && !had.has(scopeOf(policy, type.name, field.name)))
      .map((field) => `${type.name}.${field.name} must be nullable: a caller may lack its scope`);
  });
}

const objectTypes = (schema: GraphQLSchema): GraphQLObjectType[] =>
  Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter((type) => !isIntrospectionType(type));

const scopeOf = (policy: SchemaPolicy, type: string, field: string): Scope =>
  policy.scopes.get(`${type}.${field}`) ?? '';

/**
 * For each object type the scopes that a caller surely holds who has reached one of its objects: a row's own
 * scope, and for any other type what all ways to it have in common.
 */
function heldAt(schema: GraphQLSchema, policy: SchemaPolicy): Map<string, Set<Scope>> {
  const held = new Map<string, Set<Scope>>();
  for (const root of [schema.getQueryType(), schema.getMutationType()]) {
    if (root !== null && root !== undefined) held.set(root.name, new Set([sessionScope]));
  }
  for (const row of policy.rows) held.set(row.type, new Set([sessionScope, row.scope]));
  const fixed = new Set(held.keys());
  // Sets are made once and then only shrink, so this ends.
  for (let changed = true; changed;) {
    changed = false;
    for (const type of objectTypes(schema)) {
      const mine = held.get(type.name);
      if (mine === undefined) continue;
      for (const field of Object.values(type.getFields())) {
        const target = getNamedType(field.type).name;
        if (fixed.has(target)) continue;
        const led = new Set([...mine, scopeOf(policy, type.name, field.name)]);
        const known = held.get(target);
        const common = new Set([...(known ?? led)].filter((scope) => led.has(scope)));
        if (common.size === known?.size) continue;
        held.set(target, common);
        changed = true;
      }
    }
  }
  return held;
}
