import {
  getNamedType,
  isIntrospectionType,
  isNonNullType,
  isObjectType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { sessionScope, type Scope } from '../../authority/scope.js';
import type { PolicyFault } from './policy-fault.js';
import type { SchemaPolicy } from './schema-policy.js';

/**
 * Names the fields whose refusal cannot be answered with null. A field must be nullable unless every caller who reaches
 * its object holds its scope. A refused mutation does not begin, so its own fields may be non-null.
 */
export function untellableRefusals(schema: GraphQLSchema, policy: SchemaPolicy): PolicyFault[] {
  const held = heldAt(schema, policy);
  const mutations = schema.getMutationType()?.name;
  return objectTypes(schema).flatMap((type) => {
    const had = held.get(type.name);
    // No field leads to this type.
    if (had === undefined || type.name === mutations) return [];
    return Object.values(type.getFields())
      .filter((field) => isNonNullType(field.type) && !had.has(scopeOf(policy, type.name, field.name)))
      .map((field) => ({ kind: 'not nullable', coordinate: `${type.name}.${field.name}` }));
  });
}

const objectTypes = (schema: GraphQLSchema): GraphQLObjectType[] =>
  Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter((type) => !isIntrospectionType(type));

const scopeOf = (policy: SchemaPolicy, type: string, field: string): Scope =>
  policy.scopes.get(`${type}.${field}`) ?? '';

/**
 * The scopes that every caller who has reached an object of a type holds: for a row, its own scope; for any other type,
 * the scopes common to all ways to it.
 */
function heldAt(schema: GraphQLSchema, policy: SchemaPolicy): Map<string, Set<Scope>> {
  const held = new Map<string, Set<Scope>>();
  for (const root of [schema.getQueryType(), schema.getMutationType()]) {
    if (root !== null && root !== undefined) held.set(root.name, new Set([sessionScope]));
  }
  for (const row of policy.rows) held.set(row.type, new Set([sessionScope, row.scope]));
  const fixed = new Set(held.keys());
  // A set is made once and then only shrinks, so this ends.
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
