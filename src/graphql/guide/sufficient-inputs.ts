import {
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  type ValueNode,
} from 'graphql';
import type { Scope } from '../../authority/scope.js';
import type { DeclaredVariable } from '../document/declared-variables.js';
import { usedInside } from '../schema/used-inputs.js';
import { allOf, always, anyOf, never, type Alternatives } from './alternatives.js';

/** The scopes that are enough for some value of an input, as a document writes it. */
export class SufficientInputs {
  constructor(
    private readonly scopes: ReadonlyMap<string, Scope>,
    private readonly variables: ReadonlyMap<string, DeclaredVariable>,
  ) {}

  /** Of the coordinate alone. */
  at(coordinate: string): Alternatives {
    const scope = this.scopes.get(coordinate);
    return scope === undefined ? always : [new Set([scope])];
  }

  /**
   * Of an argument or input field.
   * @param written undefined where the document leaves it out
   */
  member(
    member: GraphQLArgument | GraphQLInputField,
    coordinate: string,
    written: ValueNode | undefined,
  ): Alternatives {
    const { type, defaultValue } = member;
    if (written === undefined || this.mayBeLeftOut(written)) {
      if (defaultValue === undefined) return always;
      const used = usedInside(type, defaultValue).map((name) => this.at(name));
      return allOf([this.at(coordinate), ...used]);
    }
    return allOf([this.at(coordinate), this.value(type, written)]);
  }

  private value(type: GraphQLInputType, node: ValueNode): Alternatives {
    const inner = getNullableType(type);
    if (node.kind === Kind.NULL) return always;
    if (node.kind === Kind.VARIABLE) {
      const declared = this.variables.get(node.name.value)?.type;
      if (declared === undefined) return never;
      return this.anyValue(declared, isNonNullType(declared) || isNonNullType(type));
    }
    if (isListType(inner)) {
      const items = node.kind === Kind.LIST ? node.values : [node];
      return allOf(items.map((item) => this.value(inner.ofType, item)));
    }
    if (isEnumType(inner)) return node.kind === Kind.ENUM ? this.at(`${inner.name}.${node.value}`) : always;
    if (!isInputObjectType(inner) || node.kind !== Kind.OBJECT) return always;
    return allOf(
      Object.values(inner.getFields()).map((field) => {
        const written = node.fields.find(({ name }) => name.value === field.name)?.value;
        return this.member(field, `${inner.name}.${field.name}`, written);
      }),
    );
  }

  /** An optional variable without a default. */
  private mayBeLeftOut(node: ValueNode): boolean {
    if (node.kind !== Kind.VARIABLE) return false;
    const declared = this.variables.get(node.name.value);
    return declared !== undefined && !isNonNullType(declared.type) && declared.fallback === undefined;
  }

  /** Of the values that need least. */
  private anyValue(type: GraphQLInputType, isRequired: boolean, above: readonly string[] = []): Alternatives {
    const inner = getNullableType(type);
    if (!isRequired || isListType(inner)) return always;
    if (isEnumType(inner))
      return anyOf(inner.getValues().map(({ name }) => this.at(`${inner.name}.${name}`)));
    if (!isInputObjectType(inner)) return always;
    // A value that has to hold itself cannot be written.
    if (above.includes(inner.name)) return never;
    const fields = Object.values(inner.getFields()).map((field) => ({
      field,
      needs: (isGiven: boolean): Alternatives =>
        allOf([
          this.at(`${inner.name}.${field.name}`),
          this.anyValue(field.type, isGiven || isNonNullType(field.type), [...above, inner.name]),
        ]),
    }));
    if (inner.isOneOf) return anyOf(fields.map(({ needs }) => needs(true)));
    return allOf(
      fields
        .filter(({ field }) => isNonNullType(field.type) || field.defaultValue !== undefined)
        .map(({ needs }) => needs(false)),
    );
  }
}
