import { readFileSync } from 'node:fs';
import {
  buildSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isIntrospectionType,
  isObjectType,
  isScalarType,
  Kind,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import { readSdl } from '../../src/graphql/schema/sdl.js';

/** A coordinate that a caller can name: a field, an argument, an input field or an enum value. */
export interface Coordinate {
  readonly text: string;
  readonly kind: 'field' | 'argument' | 'input' | 'value';
  readonly type: string;
  /** The field, the input field or the value. */
  readonly member: string;
  /** The argument's name. */
  readonly argument?: string;
  /** The scope in the SDL's own `@scope`, read from its syntax. */
  readonly scope: string | undefined;
  /** The named type of the coordinate; undefined for an enum value. */
  readonly leadsTo: string | undefined;
}

interface Node {
  readonly directives?: readonly {
    readonly name: { readonly value: string };
    readonly arguments?: readonly { readonly name: { value: string }; readonly value: unknown }[];
  }[];
}

function scopeOf(node: unknown): string | undefined {
  const directive = (node as Node | null | undefined)?.directives?.find(({ name }) => name.value === 'scope');
  const value = directive?.arguments?.find(({ name }) => name.value === 'name')?.value;
  const said = value as { kind: Kind; value: string } | undefined;
  return said?.kind === Kind.STRING ? said.value : undefined;
}

/** The SDL as it ships, without resolvers. */
export const wholeSchema = (): GraphQLSchema => buildSchema(readSdl());

const isOurs = (type: GraphQLNamedType): boolean =>
  !isIntrospectionType(type) && !isScalarType(type) && type.name !== 'Bound';

/** Every coordinate of a schema. The scopes are known only where the schema was built from the SDL. */
export function coordinatesOf(schema: GraphQLSchema): Coordinate[] {
  return Object.values(schema.getTypeMap()).filter(isOurs).flatMap(membersOf);
}

function membersOf(type: GraphQLNamedType): Coordinate[] {
  const at = { type: type.name };
  if (isEnumType(type)) {
    return type.getValues().map(({ name, astNode }) => ({
      ...at,
      ...{ text: `${type.name}.${name}`, kind: 'value', member: name },
      ...{ scope: scopeOf(astNode), leadsTo: undefined },
    }));
  }
  if (isInputObjectType(type)) {
    return Object.values(type.getFields()).map(({ name, astNode, type: inner }) => ({
      ...at,
      ...{ text: `${type.name}.${name}`, kind: 'input', member: name },
      ...{ scope: scopeOf(astNode), leadsTo: getNamedType(inner).name },
    }));
  }
  if (!isObjectType(type)) throw new Error(`The tests do not know yet what ${type.name} is.`);
  return Object.values(type.getFields()).flatMap((field): Coordinate[] => [
    {
      ...at,
      ...{ text: `${type.name}.${field.name}`, kind: 'field', member: field.name },
      ...{ scope: scopeOf(field.astNode), leadsTo: getNamedType(field.type).name },
    },
    ...field.args.map((argument): Coordinate => ({
      ...at,
      ...{ text: `${type.name}.${field.name}(${argument.name}:)`, kind: 'argument', member: field.name },
      ...{ argument: argument.name, scope: scopeOf(argument.astNode) },
      leadsTo: getNamedType(argument.type).name,
    })),
  ]);
}

/**
 * The coordinates that a caller with these scopes must see, derived from the SDL alone: those with a scope it holds, as
 * far as the roots lead to them, without types that have nothing left.
 */
export function visibleTo(schema: GraphQLSchema, scopes: ReadonlySet<string>): Set<string> {
  const holds = (one: Coordinate): boolean =>
    one.scope === undefined || one.scope === 'session:read' || scopes.has(one.scope);
  const allOf = coordinatesOf(schema);
  let left = allOf.filter(holds);
  for (let before = -1; before !== left.length;) {
    before = left.length;
    const fields = new Set(left.filter((one) => one.kind === 'field').map((one) => one.text));
    const types = new Set(left.map((one) => one.type));
    const known = new Set(allOf.map((one) => one.type));
    left = left.filter(
      (one) =>
        (one.leadsTo === undefined || !known.has(one.leadsTo) || types.has(one.leadsTo)) &&
        (one.kind !== 'argument' || fields.has(`${one.type}.${one.member}`)),
    );
  }
  const reached = new Set(['Query', 'Mutation']);
  for (let before = -1; before !== reached.size;) {
    before = reached.size;
    for (const one of left) if (reached.has(one.type) && one.leadsTo !== undefined) reached.add(one.leadsTo);
  }
  return new Set(left.filter((one) => reached.has(one.type)).map((one) => one.text));
}

/** `docs/roles.md` read back: role to scopes. */
export function rolesTable(): Map<string, Set<string>> {
  const lines = readFileSync(new URL('../../docs/roles.md', import.meta.url), 'utf8').split('\n');
  const cells = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', ''));
  const start = lines.findIndex((line) => cells(line)[0] === 'scope' && cells(line).length > 3);
  const [, ...roles] = cells(lines[start] ?? '');
  const table = new Map(roles.map((role) => [role, new Set<string>()]));
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    const [scope = '', ...held] = cells(line);
    held.forEach((cell, at) => {
      if (cell === 'yes') table.get(roles[at] ?? '')?.add(scope);
    });
  }
  return table;
}
