import { filterSchema, pruneSchema } from '@graphql-tools/utils';
import type { GraphQLSchema } from 'graphql';
import type { Scope } from '../authority/scope.js';
import { sha256 } from '../core/digest.js';
import type { Coverage } from './coverage.js';

/** The part of the schema that a ceiling can reach. What it cannot reach is as if it did not exist. */
export interface View {
  readonly key: string;
  readonly schema: GraphQLSchema;
}

const ownDirectives = new Set(['scope', 'plain', 'rows', 'personal', 'defineScope', 'defineDimension']);

export const ceilingKey = (ceiling: ReadonlySet<Scope>): string => sha256([...ceiling].sort().join(' '));

/** Leaves what the ceiling reaches; validation, suggestions, messages and introspection all come from it. */
export function viewOf(schema: GraphQLSchema, coverage: Coverage, ceiling: ReadonlySet<Scope>): View {
  const reaches = (coordinate: string): boolean => {
    const scope = coverage.scopes.get(coordinate);
    return scope === undefined || ceiling.has(scope);
  };
  const inside = (type: string | undefined, name: string | undefined): boolean =>
    reaches(`${type ?? ''}.${name ?? ''}`);
  const filtered = filterSchema({
    schema,
    typeFilter: () => true,
    // The library takes the fields of the root types by another filter than those of other types.
    rootFieldFilter: inside,
    fieldFilter: inside,
    argumentFilter: (type, field, arg) => reaches(`${type ?? ''}.${field ?? ''}(${arg ?? ''}:)`),
    inputObjectFieldFilter: inside,
    enumValueFilter: inside,
    directiveFilter: (name) => !ownDirectives.has(name),
  });
  return {
    key: ceilingKey(ceiling),
    schema: pruneSchema(filtered, { skipUnimplementedInterfacesPruning: true }),
  };
}
