import {
  getNamedType,
  GraphQLDirective,
  GraphQLEnumType,
  GraphQLInputObjectType,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLUnionType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isScalarType,
  isUnionType,
  type GraphQLArgument,
  type GraphQLEnumValue,
  type GraphQLEnumValueConfig,
  type GraphQLField,
  type GraphQLFieldConfig,
  type GraphQLInputField,
  type GraphQLInputFieldConfig,
  type GraphQLNamedType,
  type GraphQLType,
} from 'graphql';
import type { Reachable } from './schema-index.js';

/** The description for a type or coordinate: the SDL's own, or an extended one. */
export type Describe = (at: string, description: string | null | undefined) => string | null | undefined;

/** Directives of the SDL that no caller sees. */
const ownDirectives = new Set([
  'scope',
  'plain',
  'rows',
  'personal',
  'cost',
  'defineScope',
  'defineDimension',
]);

const asWritten: Describe = (_at, description) => description;

/**
 * The reachable part of a schema, with the same resolvers. It is not validated again: the reachable part of a valid
 * schema is valid (test/views.test.ts).
 */
export const subschema = (
  whole: GraphQLSchema,
  reach: Reachable,
  describe: Describe = asWritten,
): GraphQLSchema => new Copy(whole, reach, describe).schema();

/** Copies reachable types one by one. The SDL's syntax nodes, with the scopes in them, are left out. */
class Copy {
  private readonly made = new Map<string, GraphQLNamedType>();

  constructor(
    private readonly whole: GraphQLSchema,
    private readonly reach: Reachable,
    private readonly describe: Describe,
  ) {}

  schema(): GraphQLSchema {
    const { whole, reach } = this;
    const root = (type: GraphQLObjectType | null | undefined): GraphQLObjectType | undefined =>
      type === null || type === undefined || !reach.types.has(type.name) ? undefined : this.named(type);
    return new GraphQLSchema({
      description: whole.description,
      query: root(whole.getQueryType()),
      mutation: root(whole.getMutationType()),
      subscription: root(whole.getSubscriptionType()),
      // Includes types that only an interface leads to.
      types: Object.values(whole.getTypeMap()).flatMap((type) =>
        reach.types.has(type.name) ? this.named(type) : [],
      ),
      directives: whole.getDirectives().flatMap((directive) => this.directive(directive)),
      assumeValid: true,
    });
  }

  private directive(directive: GraphQLDirective): GraphQLDirective[] {
    if (ownDirectives.has(directive.name)) return [];
    const isThere = ({ type }: GraphQLArgument): boolean => {
      const named = getNamedType(type);
      return isScalarType(named) || this.reach.types.has(named.name);
    };
    if (directive.args.some((arg) => isRequiredArgument(arg) && !isThere(arg))) return [];
    if (directive.args.every(({ type }) => isScalarType(getNamedType(type)))) return [directive];
    const args = directive.args
      .filter(isThere)
      .map((arg) => [arg.name, this.input(arg, `@${directive.name}(${arg.name}:)`)] as const);
    return [new GraphQLDirective({ ...directive.toConfig(), astNode: null, args: Object.fromEntries(args) })];
  }

  private named<T extends GraphQLNamedType>(type: T): T {
    const known = this.made.get(type.name);
    if (known !== undefined) return known as T;
    const made = this.copy(type);
    this.made.set(type.name, made);
    return made as T;
  }

  private copy(type: GraphQLNamedType): GraphQLNamedType {
    const { name, extensions } = type;
    const description = this.describe(name, type.description);
    if (isObjectType(type) || isInterfaceType(type)) {
      const common = {
        ...{ name, description, extensions },
        interfaces: () =>
          type.getInterfaces().flatMap((one) => (this.reach.types.has(one.name) ? this.named(one) : [])),
        fields: () => this.members(name, type.getFields(), (field, at) => this.field(field, at)),
      };
      return isObjectType(type)
        ? new GraphQLObjectType({ ...common, isTypeOf: type.isTypeOf })
        : new GraphQLInterfaceType({ ...common, resolveType: type.resolveType });
    }
    if (isUnionType(type)) {
      const { resolveType } = type;
      const types = () =>
        type.getTypes().flatMap((one) => (this.reach.types.has(one.name) ? this.named(one) : []));
      return new GraphQLUnionType({ name, description, extensions, resolveType, types });
    }
    if (isInputObjectType(type)) {
      const fields = () => this.members(name, type.getFields(), (field, at) => this.input(field, at));
      return new GraphQLInputObjectType({ name, description, extensions, isOneOf: type.isOneOf, fields });
    }
    if (isEnumType(type)) {
      const all = Object.fromEntries(type.getValues().map((value) => [value.name, value]));
      const values = this.members(name, all, (value, at) => this.value(value, at));
      return new GraphQLEnumType({ name, description, extensions, values });
    }
    return type;
  }

  /** The reachable members of a type. */
  private members<From extends { readonly name: string }, To>(
    owner: string,
    members: Readonly<Record<string, From>>,
    copy: (member: From, at: string) => To,
  ): Record<string, To> {
    const copies: Record<string, To> = {};
    for (const member of Object.values(members)) {
      const at = `${owner}.${member.name}`;
      if (this.reach.members.has(at)) copies[member.name] = copy(member, at);
    }
    return copies;
  }

  private field(field: GraphQLField<unknown, unknown>, at: string): GraphQLFieldConfig<unknown, unknown> {
    const args: Record<string, GraphQLInputFieldConfig> = {};
    for (const arg of field.args) {
      const coordinate = `${at}(${arg.name}:)`;
      if (this.reach.members.has(coordinate)) args[arg.name] = this.input(arg, coordinate);
    }
    return {
      description: this.describe(at, field.description),
      type: this.type(field.type),
      args,
      resolve: field.resolve,
      subscribe: field.subscribe,
      deprecationReason: field.deprecationReason,
      extensions: field.extensions,
    };
  }

  private input(input: GraphQLArgument | GraphQLInputField, at: string): GraphQLInputFieldConfig {
    return {
      description: this.describe(at, input.description),
      type: this.type(input.type),
      defaultValue: input.defaultValue,
      deprecationReason: input.deprecationReason,
      extensions: input.extensions,
    };
  }

  private value(value: GraphQLEnumValue, at: string): GraphQLEnumValueConfig {
    return {
      description: this.describe(at, value.description),
      value: value.value as unknown,
      deprecationReason: value.deprecationReason,
      extensions: value.extensions,
    };
  }

  private type<T extends GraphQLType>(type: T): T;
  private type(type: GraphQLType): GraphQLType {
    if (isNonNullType(type)) return new GraphQLNonNull(this.type(type.ofType));
    if (isListType(type)) return new GraphQLList(this.type(type.ofType));
    return this.named(type);
  }
}
