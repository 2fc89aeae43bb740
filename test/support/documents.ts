import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

/** Values for arguments by their coordinate, such as `Query.customer(id:)`; JSON. */
export type Values = Readonly<Record<string, unknown>>;

const byName: Readonly<Record<string, string>> = {
  from: '"2024-01-01T00:00:00.000Z"',
  to: '"2026-01-01T00:00:00.000Z"',
  first: '2',
  bucket: 'YEAR',
  currency: '"EUR"',
  errorCode: '"INTERNAL"',
  // Every mutation refuses it, but only after authorization.
  idempotencyKey: '""',
};

const byScalar: Readonly<Record<string, string>> = {
  Boolean: 'true',
  Int: '1',
  Float: '1',
  String: '"nothing"',
  ID: '"01ARZ3NDEKTSV4RRFFQ69G5FAV"',
  DateTime: '"2026-01-01T00:00:00.000Z"',
  Decimal: '"1.00"',
};

/** A value of this type as a literal; an input object has its required fields only. */
export function literalOf(type: GraphQLInputType): string {
  const bare = getNullableType(type);
  if (isListType(bare)) return `[${literalOf(bare.ofType)}]`;
  if (isEnumType(bare)) return bare.getValues()[0]?.name ?? '';
  if (isInputObjectType(bare)) {
    const required = Object.values(bare.getFields()).filter((field) => isNonNullType(field.type));
    return `{ ${required.map((field) => `${field.name}: ${byName[field.name] ?? literalOf(field.type)}`).join(', ')} }`;
  }
  return byScalar[bare.name] ?? '"nothing"';
}

function argument(owner: string, arg: GraphQLArgument, values: Values): string {
  const given = values[`${owner}(${arg.name}:)`];
  if (given !== undefined) return `${arg.name}: ${JSON.stringify(given)}`;
  return `${arg.name}: ${byName[arg.name] ?? literalOf(arg.type)}`;
}

/** The required arguments of a field, and a small page. */
export function argumentsOf(
  type: string,
  field: GraphQLField<unknown, unknown>,
  values: Values = {},
): string {
  const owner = `${type}.${field.name}`;
  const needed = field.args.filter((arg) => isNonNullType(arg.type) || arg.name === 'first');
  return needed.length === 0 ? '' : `(${needed.map((arg) => argument(owner, arg, values)).join(', ')})`;
}

const needsArguments = (field: GraphQLField<unknown, unknown>): boolean =>
  field.args.some((arg) => isNonNullType(arg.type));

/** Every field of a type, `depth` steps deep; no row below a row of its own type. */
export function selectAll(type: GraphQLObjectType, depth: number, above: readonly string[] = []): string {
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (needsArguments(field)) return [];
    const named = getNamedType(field.type);
    if (isLeafType(named)) return [field.name];
    if (!isObjectType(named)) return [];
    const call = `${field.name}${argumentsOf(type.name, field)}`;
    const isRepeated = depth === 0 || above.includes(named.name) || type.name.endsWith('Edge');
    return [`${call} { ${isRepeated ? '__typename' : selectAll(named, depth - 1, [...above, type.name])} }`];
  });
  return ['__typename', ...fields].join(' ');
}

/** An operation that reaches a type in the fewest steps, with this selection there. */
export function operationAt(schema: GraphQLSchema, typeName: string, selection: string): string {
  const roots = [schema.getQueryType(), schema.getMutationType()].filter(
    (root) => root !== null && root !== undefined,
  );
  for (const root of roots) {
    const ways = new Map([[root.name, (inner: string): string => inner]]);
    for (const [name, way] of ways) {
      const keyword = root.name === 'Mutation' ? 'mutation ' : '';
      if (name === typeName) return `${keyword}{ ${way(selection)} }`;
      const type = schema.getType(name);
      for (const field of isObjectType(type) ? Object.values(type.getFields()) : []) {
        const next = getNamedType(field.type).name;
        const call = `${field.name}${argumentsOf(name, field)}`;
        if (!ways.has(next)) ways.set(next, (inner) => way(`${call} { ${inner} }`));
      }
    }
  }
  throw new Error(`There is no way to ${typeName}.`);
}

/** For an enum each value, for any other type one value. */
function literalsOf(type: GraphQLInputType, name: string): string[] {
  const named = getNamedType(type);
  return isEnumType(named) ? named.getValues().map((value) => value.name) : [byName[name] ?? literalOf(type)];
}

/** One selection that uses an input. */
export interface Use {
  readonly owner: string;
  readonly selection: string;
}

/** One selection for each optional argument, each field of an input object, and each value of an enum. */
export function usesOfInputs(view: GraphQLSchema): Use[] {
  return Object.values(view.getTypeMap()).flatMap((type) => {
    if (!isObjectType(type) || type.name.startsWith('__') || type.name === 'Mutation') return [];
    return Object.values(type.getFields()).flatMap((field) =>
      field.args.flatMap((arg): Use[] => {
        const named = getNamedType(arg.type);
        const others = argumentsOf(type.name, { ...field, args: field.args.filter((one) => one !== arg) });
        const rest = others === '' ? '' : `, ${others.slice(1, -1)}`;
        const call = (value: string): Use => ({
          owner: type.name,
          selection: `${field.name}(${arg.name}: ${value}${rest}) { __typename }`,
        });
        const isTried = isNonNullType(arg.type) || arg.name === 'after';
        if (!isInputObjectType(named)) return isTried ? [] : literalsOf(arg.type, arg.name).map(call);
        return Object.values(named.getFields()).flatMap((one) =>
          literalsOf(one.type, one.name).map((value) => call(`{ ${one.name}: ${value} }`)),
        );
      }),
    );
  });
}

/** Operations with few enough aliases in each document. */
export function* operationsOf(view: GraphQLSchema, uses: readonly Use[]): Generator<string> {
  for (const owner of new Set(uses.map((use) => use.owner))) {
    const mine = uses.filter((use) => use.owner === owner).map((use) => use.selection);
    for (let at = 0; at < mine.length; at += 40) {
      const aliased = mine.slice(at, at + 40).map((selection, index) => `a${String(index)}: ${selection}`);
      yield operationAt(view, owner, aliased.join(' '));
    }
  }
}
