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
import { declaredVariables } from './declared-variables.js';

const redacted = '[redacted]';
const depthMax = 20;
const tooDeep = '[too deep]';

/** The longest JSON of a record's values, in characters. */
const lengthMax = 65_536;
/**
 * The longest value that is kept whole, in characters; longer ones become digests. The second limit applies where all
 * values together are too long with the first.
 */
const valueLengths = [1_000, 64];

/**
 * The declared variables, defaults included, as JSON for the record, without personal values. Null where no variable
 * has a value.
 */
export type Redactor = (variables: Readonly<Record<string, unknown>>) => string | null;

/** Works out once, for an operation, which variables are personal and which fields the others are written to. */
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
      // Without a prototype, `__proto__` is an ordinary name.
      const shown = Object.create(null) as Record<string, unknown>;
      for (const { name, type, fallback } of variables) {
        // A variable may be named like a property that every object inherits, such as `toString`.
        const isGiven = Object.hasOwn(given, name) && given[name] !== undefined;
        const value = isGiven ? given[name] : fallback && plainOf(fallback);
        if (value !== undefined) shown[name] = keeper.keep(type, value, uses.get(name) ?? nowhere);
      }
      return shown;
    });
}

/** The JSON with the most detail that fits: long values become digests first, then the whole becomes one digest. */
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

/** Where a value is used: the fields whose readers may read it, and whether it is personal. */
interface Use {
  readonly targets: ReadonlySet<string>;
  readonly isPersonal: boolean;
}

const nowhere: Use = { targets: new Set(), isPersonal: false };

export const useAt = (policy: SchemaPolicy, coordinate: string): Use => ({
  targets: new Set(policy.values?.get(coordinate)),
  isPersonal: policy.personal.has(coordinate),
});

/** For each variable, every field it is written to: a reader of the value must be allowed to read all of them. */
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
        // The innermost declaration counts: a value inside an amount belongs to that amount.
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

/** Turns a value into the form that a record keeps. */
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

  /** A value whose parts all have the same readers. */
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

/** A single value is coerced to a list of one (GraphQL, Input Coercion of lists). */
const itemsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** An object in the place of a scalar is invalid input: nothing of it is kept. */
const leaf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !isVariable(value) ? redacted : value;

/** Refers to a variable inside a document's arguments; the record keeps its value among the variables. */
class VariableName {
  constructor(readonly $variable: string) {}
}
const isVariable = (value: unknown): value is VariableName => value instanceof VariableName;

/** A literal as a plain value, as a variable would carry it. */
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
