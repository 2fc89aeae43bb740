import {
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type ValueNode,
} from 'graphql';
import { kept, type Digest } from '../../audit/kept-value.js';
import { sha256 } from '../../core/digest.js';
import type { SchemaPolicy } from '../schema/schema-policy.js';
import { declaredVariables } from './variables.js';

const redacted = '[redacted]';
const depthMax = 20;
const tooDeep = '[too deep]';

/** How long a record's values may be together. */
const lengthMax = 65_536;
/** How long one may be before only its digest is kept; the second where they are too long together. */
const valueLengths = [1_000, 64];

/** The declared variables as JSON for the record, defaults too, personal values left out; null where there is no value. */
export type Redactor = (variables: Readonly<Record<string, unknown>>) => string | null;

/** What is personal in an operation's variables, and where the others are written to, worked out once. */
export function redactorOf(
  schema: GraphQLSchema,
  policy: SchemaPolicy,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  digest: Digest = sha256,
): Redactor {
  const variables = declaredVariables(schema, operation);
  if (variables.length === 0) return () => null;
  const uses = usesOf(schema, policy, document);
  return (given) =>
    fitting(digest, (lengthMax) => {
      const keeper = new Keeper(policy, digest, lengthMax);
      // Without a prototype `__proto__` is a name as any other.
      const shown = Object.create(null) as Record<string, unknown>;
      for (const { name, type, fallback } of variables) {
        // A variable may have the name of what every object has, such as `toString`.
        const isGiven = Object.hasOwn(given, name) && given[name] !== undefined;
        const value = isGiven ? given[name] : fallback && plainOf(fallback);
        if (value !== undefined) shown[name] = keeper.keep(type, value, uses.get(name) ?? nowhere);
      }
      return shown;
    });
}

/** The smallest text that tells the most: long values first become digests, and then the whole. */
export function fitting(digest: Digest, make: (valueLengthMax: number) => object): string | null {
  let text = '';
  for (const valueLength of valueLengths) {
    const shown = make(valueLength);
    if (Object.keys(shown).length === 0) return null;
    text = JSON.stringify(shown);
    if (text.length <= lengthMax) return text;
  }
  return JSON.stringify({ tooLong: text.length, digest: digest(text) });
}

/** Where a value is used: what may read it, and whether it is personal. */
interface Use {
  readonly targets: ReadonlySet<string>;
  readonly isPersonal: boolean;
}

const nowhere: Use = { targets: new Set(), isPersonal: false };

export const useAt = (policy: SchemaPolicy, coordinate: string): Use => ({
  targets: new Set(policy.values?.get(coordinate)),
  isPersonal: policy.personal.has(coordinate),
});

/** For each variable all places at which it stands: whoever reads it must be able to read at each of them. */
function usesOf(schema: GraphQLSchema, policy: SchemaPolicy, document: DocumentNode): Map<string, Use> {
  const found = new Map<string, Use>();
  const info = new TypeInfo(schema);
  const inputs: string[] = [];
  visit(
    document,
    visitWithTypeInfo(info, {
      ObjectField: {
        enter(node) {
          const parent = info.getParentInputType();
          const named = parent === undefined || parent === null ? undefined : getNamedType(parent);
          inputs.push(isInputObjectType(named) ? `${named.name}.${node.name.value}` : '');
        },
        leave() {
          inputs.pop();
        },
      },
      Variable(node) {
        const argument = info.getArgument();
        const at = `${info.getParentType()?.name ?? ''}.${info.getFieldDef()?.name ?? ''}(${argument?.name ?? ''}:)`;
        const around = [at, ...inputs].map((coordinate) => useAt(policy, coordinate));
        // The innermost says what it is; a value in an amount is part of that amount.
        const targets = around.findLast((use) => use.targets.size > 0)?.targets ?? [];
        const known = found.get(node.name.value) ?? nowhere;
        found.set(node.name.value, {
          targets: new Set([...known.targets, ...targets]),
          isPersonal: known.isPersonal || around.some((use) => use.isPersonal),
        });
      },
    }),
  );
  return found;
}

/** Makes of a value what a record keeps of it. */
export class Keeper {
  constructor(
    private readonly policy: SchemaPolicy,
    private readonly digest: Digest,
    private readonly lengthMax: number,
  ) {}

  keep(type: GraphQLInputType, value: unknown, { targets, isPersonal }: Use, depth = 0): unknown {
    if (isPersonal) return redacted;
    if (depth > depthMax) return tooDeep;
    if (value === null) return null;
    if (targets.size > 0) return this.marked([...targets], this.plain(type, value, depth));
    const bare = getNullableType(type);
    if (isListType(bare)) {
      return itemsOf(value).map((item) => this.keep(bare.ofType, item, nowhere, depth + 1));
    }
    if (!isInputObjectType(bare)) return this.marked([], leaf(value));
    return this.fields(bare, value, (inner, one, at) =>
      this.keep(inner, one, useAt(this.policy, at), depth + 1),
    );
  }

  /** A value whose parts are all read by the same. */
  private plain(type: GraphQLInputType, value: unknown, depth: number): unknown {
    if (depth > depthMax) return tooDeep;
    const bare = getNullableType(type);
    if (isListType(bare)) return itemsOf(value).map((item) => this.plain(bare.ofType, item, depth + 1));
    if (!isInputObjectType(bare)) return leaf(value);
    return this.fields(bare, value, (inner, one, at) =>
      this.policy.personal.has(at) ? redacted : this.plain(inner, one, depth + 1),
    );
  }

  private fields(
    type: {
      readonly name: string;
      getFields(): Readonly<Record<string, { readonly type: GraphQLInputType }>>;
    },
    value: unknown,
    keep: (type: GraphQLInputType, value: unknown, coordinate: string) => unknown,
  ): unknown {
    if (value === null) return null;
    if (isVariable(value)) return value;
    if (typeof value !== 'object') return redacted;
    const fields = type.getFields();
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => {
        const field = fields[name];
        return [name, field === undefined ? redacted : keep(field.type, inner, `${type.name}.${name}`)];
      }),
    );
  }

  private marked(targets: readonly string[], value: unknown): unknown {
    if (isVariable(value)) return value;
    return kept(targets, value, this.lengthMax, this.digest);
  }
}

/** A single value stands for a list of one (GraphQL, Input Coercion of lists). */
const itemsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** What is no scalar where one belongs is not looked at. */
const leaf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !isVariable(value) ? redacted : value;

/** A variable in a document's arguments; its value stands among the variables. */
class VariableName {
  constructor(readonly $variable: string) {}
}
const isVariable = (value: unknown): value is VariableName => value instanceof VariableName;

/** What a literal says, as a variable would say it. */
export function plainOf(node: ValueNode): unknown {
  switch (node.kind) {
    case Kind.VARIABLE:
      return new VariableName(node.name.value);
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return String(Number(node.value)) === node.value ? Number(node.value) : node.value;
    case Kind.LIST:
      return node.values.map(plainOf);
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map((field) => [field.name.value, plainOf(field.value)]));
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value;
  }
}
