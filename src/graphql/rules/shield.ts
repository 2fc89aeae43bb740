import { createRequire } from 'node:module';
import { isIntrospectionType, isObjectType, type GraphQLResolveInfo, type GraphQLSchema } from 'graphql';
import type * as Middleware from 'graphql-middleware';
import type * as Shield from 'graphql-shield';
import { BehalfError } from '../../core/errors.js';
import type { Operation } from '../../delegation/resolver-context.js';
import type { RuleMap } from './rule-map.js';

const require = createRequire(import.meta.url);
// The ES modules of graphql-shield do not load on Node 24; its CommonJS build does.
const { rule, shield, deny } = require('graphql-shield') as typeof Shield;
const { applyMiddleware } = require('graphql-middleware') as typeof Middleware;

/**
 * Puts every field of every object type behind a rule made from its `@scope`. A field without a rule is denied. The
 * rules look at arguments and parents, so none is cached.
 */
export function shielded(schema: GraphQLSchema, ruleMap: RuleMap): GraphQLSchema {
  const tree: Record<string, Record<string, ReturnType<ReturnType<typeof rule>>>> = {};
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || isIntrospectionType(type)) continue;
    tree[type.name] = Object.fromEntries(
      Object.values(type.getFields()).map((field) => [
        field.name,
        rule(`${type.name}.${field.name}`, { cache: 'no_cache' })(
          (
            parent: unknown,
            args: Record<string, unknown>,
            operation: Operation,
            info: GraphQLResolveInfo,
          ) => {
            const definition = info.parentType.getFields()[info.fieldName];
            return (
              ruleMap.field(operation, type.name, field.name, parent, definition?.args ?? [], args) ?? true
            );
          },
        ),
      ]),
    );
  }
  const middleware = shield(tree as Shield.IRules, {
    fallbackRule: deny,
    fallbackError: new BehalfError('FORBIDDEN', 'No rule allows this.'),
    allowExternalErrors: true,
  });
  return applyMiddleware(schema, middleware);
}
