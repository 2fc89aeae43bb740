import {
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  type GraphQLArgument,
  type GraphQLInputType,
} from 'graphql';

/**
 * The coordinates of the arguments, input fields and enum values that a field's coerced arguments use. It works on
 * values, so it sees variables as well as literals.
 */
export function usedInputs(
  coordinate: string,
  args: readonly GraphQLArgument[],
  values: Readonly<Record<string, unknown>>,
): string[] {
  return args.flatMap((arg) =>
    !isGiven(values, arg.name)
      ? []
      : [`${coordinate}(${arg.name}:)`, ...usedInside(arg.type, values[arg.name])],
  );
}

/** The coordinates that a coerced value of a type uses. */
export function usedInside(type: GraphQLInputType, value: unknown): string[] {
  const bare = getNullableType(type);
  if (value === null || value === undefined) return [];
  if (isListType(bare)) {
    const inner = bare.ofType;
    return (Array.isArray(value) ? value : [value]).flatMap((item) => usedInside(inner, item));
  }
  if (isEnumType(bare)) {
    const used = bare.getValues().find((one) => one.value === value);
    return used === undefined ? [] : [`${bare.name}.${used.name}`];
  }
  if (!isInputObjectType(bare)) return [];
  const given = value as Readonly<Record<string, unknown>>;
  return Object.values(bare.getFields()).flatMap((field) =>
    !isGiven(given, field.name)
      ? []
      : [`${bare.name}.${field.name}`, ...usedInside(field.type, given[field.name])],
  );
}

/** A name may be one that every object inherits. */
const isGiven = (values: Readonly<Record<string, unknown>>, name: string): boolean =>
  Object.hasOwn(values, name) && values[name] !== undefined;
