import {
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredInputField,
  typeFromAST,
  valueFromAST,
  Kind,
  type GraphQLInputType,
  type GraphQLNamedInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';

/** JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Of an object whose members are variables. */
export interface VariablesSchema extends JsonSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, JsonSchema>>;
}

/** Of the forms that `format` takes, the server reads one: no leap seconds, no more than microseconds, no year below 1000. */
const momentPattern = '^[1-9]\\d{3}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:[0-5]\\d(\\.\\d{1,6})?(Z|[+-]\\d{2}:\\d{2})$';

/** The schema of each scalar; a scalar of a company's own takes any value. */
const scalars: Readonly<Record<string, JsonSchema>> = {
  ID: { type: 'string' },
  String: { type: 'string' },
  Int: { type: 'integer', minimum: -2_147_483_648, maximum: 2_147_483_647 },
  Float: { type: 'number' },
  Boolean: { type: 'boolean' },
  DateTime: { type: 'string', format: 'date-time', pattern: momentPattern },
  Date: { type: 'string', format: 'date', pattern: '^(?!0000)' },
  Decimal: { type: 'string', pattern: '^-?\\d{1,35}(\\.\\d{1,30})?$' },
  BigInt: { type: 'string', pattern: '^-?\\d{1,20}$' },
};

/** Texts about variables, by their names. */
type Descriptions = ReadonlyMap<string, string>;

/**
 * The variables of an operation as a JSON Schema, with the descriptions, enums and formats of the schema. An optional
 * variable is one that may be left out; that it may be null as well is not written, as a model reads each word.
 */
export function variablesSchema(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  descriptions: Descriptions,
): VariablesSchema {
  const types = new NamedTypes();
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const { variable, type: node, defaultValue } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    // No request can give it.
    if (name === '__proto__') continue;
    const type = typeFromAST(schema, node) as GraphQLInputType;
    const description = descriptions.get(name);
    properties[name] = {
      ...types.of(type),
      ...(description === undefined ? {} : { description }),
      ...(defaultValue === undefined || defaultValue.kind === Kind.NULL
        ? {}
        : { default: valueFromAST(defaultValue, type) }),
    };
    if (isNonNullType(type) && defaultValue === undefined) required.push(name);
  }
  return {
    type: 'object',
    properties,
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
    ...types.definitions(),
  };
}

/** Input objects and enums are written once, because an input object may hold itself. */
class NamedTypes {
  private readonly made = new Map<string, JsonSchema | undefined>();

  of(type: GraphQLInputType): JsonSchema {
    const inner = getNullableType(type);
    return isListType(inner) ? { type: 'array', items: this.of(inner.ofType) } : this.named(inner);
  }

  definitions(): JsonSchema {
    return this.made.size === 0 ? {} : { $defs: Object.fromEntries(this.made) };
  }

  private named(type: GraphQLNamedInputType): JsonSchema {
    if (isEnumType(type)) return { type: 'string', enum: type.getValues().map(({ name }) => name) };
    if (!isInputObjectType(type)) return scalars[type.name] ?? {};
    if (!this.made.has(type.name)) {
      this.made.set(type.name, undefined);
      const fields = Object.values(type.getFields());
      const required = fields.filter(isRequiredInputField).map(({ name }) => name);
      this.made.set(type.name, {
        type: 'object',
        properties: Object.fromEntries(
          fields.map((field) => [
            field.name,
            { ...this.of(field.type), ...(field.description ? { description: field.description } : {}) },
          ]),
        ),
        ...(required.length === 0 ? {} : { required }),
        ...(type.isOneOf ? { minProperties: 1, maxProperties: 1 } : {}),
        additionalProperties: false,
      });
    }
    return { $ref: `#/$defs/${type.name}` };
  }
}
