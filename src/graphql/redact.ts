import {
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql';
import { sha256 } from '../core/digest.js';
import type { Coverage } from './coverage.js';
import { declaredVariables } from './variables.js';

const redacted = '[redacted]';
const lengthMax = 8_192;
const depthMax = 20;
const tooDeep = '[too deep]';

/** The declared variables as JSON for the record, personal values left out; null where none were given. */
export type Redactor = (variables: Readonly<Record<string, unknown>>) => string | null;

/** What is personal in an operation's variables, worked out once. */
export function redactorOf(
  schema: GraphQLSchema,
  coverage: Coverage,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Redactor {
  const variables = declaredVariables(schema, operation);
  if (variables.length === 0) return () => null;
  const personal = personalVariables(schema, coverage, document);
  const declared = variables.map(({ name, type }) => ({ name, type: personal.has(name) ? undefined : type }));
  return (variables) => {
    const shown: Record<string, unknown> = {};
    for (const { name, type } of declared) {
      if (variables[name] === undefined) continue;
      shown[name] = type === undefined ? redacted : redactValue(coverage, type, variables[name]);
    }
    if (Object.keys(shown).length === 0) return null;
    const text = JSON.stringify(shown);
    return text.length <= lengthMax ? text : JSON.stringify({ tooLong: text.length, digest: sha256(text) });
  };
}

/** Variables that stand where the SDL marks an argument or input field as personal. */
function personalVariables(schema: GraphQLSchema, coverage: Coverage, document: DocumentNode): Set<string> {
  const found = new Set<string>();
  const info = new TypeInfo(schema);
  const marked = (): boolean => {
    const argument = info.getArgument();
    const parent = info.getParentType();
    const field = info.getFieldDef();
    const at = `${parent?.name ?? ''}.${field?.name ?? ''}(${argument?.name ?? ''}:)`;
    return argument !== null && argument !== undefined && coverage.personal.has(at);
  };
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
        if (marked() || inputs.some((input) => coverage.personal.has(input))) found.add(node.name.value);
      },
    }),
  );
  return found;
}

function redactValue(coverage: Coverage, type: GraphQLInputType, value: unknown, depth = 0): unknown {
  if (depth > depthMax) return tooDeep;
  const bare = getNullableType(type);
  if (isListType(bare)) {
    const inner = bare.ofType;
    // A single value stands for a list of one (GraphQL, Input Coercion of lists).
    return Array.isArray(value)
      ? value.map((item) => redactValue(coverage, inner, item, depth + 1))
      : redactValue(coverage, inner, value, depth + 1);
  }
  if (!isInputObjectType(bare)) return typeof value === 'object' && value !== null ? redacted : value;
  if (value === null || typeof value !== 'object') return redacted;
  const fields = bare.getFields();
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const field = fields[name];
      return [
        name,
        field === undefined || coverage.personal.has(`${bare.name}.${name}`)
          ? redacted
          : redactValue(coverage, field.type, inner, depth + 1),
      ];
    }),
  );
}
