import {
  getNullableType,
  isInputObjectType,
  isListType,
  type GraphQLArgument,
  type GraphQLInputType,
} from 'graphql';

/**
 * The coordinates of the arguments and input fields that a field's coerced arguments really use. Working on
 * values, it sees what came through variables as well as what stands in the document.
 */
export function usedInputs(
  coordinate: string,
  args: readonly GraphQLArgument[],
  values: Readonly<Record<string, unknown>>,
): string[] {
  return args.flatMap((arg) =>
    values[arg.name] === undefined
      ? []
      : [`${coordinate}(${arg.name}:)`, ...insideOf(arg.type, values[arg.name])],
  );
}

function insideOf(type: GraphQLInputType, value: unknown): string[] {
  const bare = getNullableType(type);
  if (value === null || value === undefined) return [];
  if (isListType(bare)) {
    const inner = bare.ofType;
    return (Array.isArray(value) ? value : [value]).flatMap((item) => insideOf(inner, item));
  }
  if (!isInputObjectType(bare)) return [];
  const given = value as Readonly<Record<string, unknown>>;
  return Object.values(bare.getFields()).flatMap((field) =>
    given[field.name] === undefined
      ? []
      : [`${bare.name}.${field.name}`, ...insideOf(field.type, given[field.name])],
  );
}
