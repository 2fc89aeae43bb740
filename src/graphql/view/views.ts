import type { GraphQLSchema } from 'graphql';
import type { Scope } from '../../authority/scope.js';
import { sha256 } from '../../core/digest.js';
import type { SchemaPolicy } from '../schema/schema-policy.js';
import { SchemaIndex, type Reachable } from './schema-index.js';
import { subschema, type Describe } from './subschema.js';

/** The part of the schema that a ceiling reaches. The rest looks as if it did not exist. */
export interface View {
  readonly key: string;
  readonly schema: GraphQLSchema;
}

export const ceilingKey = (ceiling: ReadonlySet<Scope>): string => sha256([...ceiling].sort().join(' '));

/** Makes views. Validation, suggestions, messages and introspection all come from them. */
export class Views {
  private readonly index: SchemaIndex;

  constructor(
    private readonly schema: GraphQLSchema,
    readonly policy: SchemaPolicy,
  ) {
    this.index = new SchemaIndex(schema, policy.scopes);
  }

  of(ceiling: ReadonlySet<Scope>): View {
    return { key: ceilingKey(ceiling), schema: subschema(this.schema, this.reach(ceiling)) };
  }

  /** As `of`, with other descriptions. */
  described(ceiling: ReadonlySet<Scope>, describe: Describe): GraphQLSchema {
    return subschema(this.schema, this.reach(ceiling), describe);
  }

  /** The types and coordinates that these scopes alone reach. */
  reach(scopes: ReadonlySet<Scope>): Reachable {
    return this.index.reach((scope) => scopes.has(scope));
  }
}
