import { cutText } from '../core/cut-text.js';
import { badInput, type BehalfError } from '../core/errors.js';
import { isRecord } from './parameters.js';

/** The part of a JSON Schema that says which arguments there are. */
export interface InputSchema {
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
  readonly required?: readonly string[] | undefined;
}

type Input = Readonly<Record<string, unknown>>;
type Kind = 'string' | 'integer' | 'object' | 'array' | 'texts';

/** Characters of a name that an error repeats. */
const nameMax = 60;
const kinds: Readonly<Record<Kind, string>> = {
  string: 'a text',
  integer: 'a whole number',
  object: 'an object',
  array: 'a list',
  texts: 'a list of texts',
};

/** The first argument that is unknown, missing or null where it must not be; the rest is for `kindFault` or GraphQL. */
export function namesFault(tool: string, schema: InputSchema, input: Input): BehalfError | undefined {
  const { properties = {}, required = [] } = schema;
  const known = Object.keys(properties);
  const unknown = Object.keys(input).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const name = cutText(unknown, nameMax);
    return badInput(`${takes(tool, known)}: leave \`${name}\` out.`, name);
  }
  const missing = required.find((name) => (own(input, name) ?? null) === null);
  if (missing === undefined) return undefined;
  const kind = kindOf(own(properties, missing) ?? {});
  return badInput(
    `\`${missing}\` is missing: send it${kind === undefined ? '' : ` as ${kinds[kind]}`}.`,
    missing,
  );
}

/** A member by its name, which may be one that every object inherits. */
const own = (members: Input, name: string): unknown =>
  Object.hasOwn(members, name) ? members[name] : undefined;

/** Models write null for what they leave out, and GraphQL would take it in place of a default. */
export const withDefaults = ({ properties = {} }: InputSchema, input: Input): Input =>
  Object.fromEntries(
    Object.entries(input).filter(([name, value]) => value !== null || !hasDefault(own(properties, name))),
  );

const hasDefault = (schema: unknown): boolean => isRecord(schema) && 'default' in schema;

/** The first argument whose value is not of its kind. */
export function kindFault({ properties = {} }: InputSchema, input: Input): BehalfError | undefined {
  for (const [name, value] of Object.entries(input)) {
    const kind = kindOf(own(properties, name) ?? {});
    if (value === undefined || value === null || kind === undefined || isOf(kind, value)) continue;
    return badInput(`Send \`${name}\` as ${kinds[kind]}, not ${spoken(kind, value)}.`, name);
  }
  return undefined;
}

function kindOf(schema: unknown): Kind | undefined {
  const { type, items } = schema as { readonly type?: unknown; readonly items?: { readonly type?: unknown } };
  if (type === 'array' && items?.type === 'string') return 'texts';
  return typeof type === 'string' && type in kinds ? (type as Kind) : undefined;
}

function isOf(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case 'string':
      return typeof value === 'string';
    case 'integer':
      return Number.isSafeInteger(value);
    case 'object':
      return typeof value === 'object' && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'texts':
      return Array.isArray(value) && value.every((one) => typeof one === 'string');
  }
}

function spoken(kind: Kind, value: unknown): string {
  if (Array.isArray(value)) return kind === 'texts' ? 'of other values' : 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'boolean') return 'true or false';
  return kind === 'integer' ? 'a fraction' : 'a number';
}

function takes(tool: string, known: readonly string[]): string {
  if (known.length === 0) return `\`${tool}\` takes no arguments`;
  return `\`${tool}\` takes ${known.map((name) => `\`${name}\``).join(', ')} and nothing else`;
}
