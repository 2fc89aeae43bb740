import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  isScalarType,
  isUnionType,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';
import type { Scope } from '../../authority/scope.js';

/** The types and members that a set of scopes reaches from the roots. */
export interface Reachable {
  readonly types: ReadonlySet<string>;
  /** Coordinates of fields, arguments, input fields and enum values. */
  readonly members: ReadonlySet<string>;
}

/** A coordinate with the named type of its value. */
interface Part {
  readonly coordinate: string;
  readonly scope: Scope | undefined;
  readonly type: string;
}
interface Input extends Part {
  readonly name: string;
  readonly isRequired: boolean;
}
interface Field extends Part {
  readonly name: string;
  readonly args: readonly Input[];
}
interface Composite {
  readonly fields: readonly Field[];
  readonly interfaces: readonly string[];
  /** For an interface: every type that implements it. */
  readonly implementations: readonly string[];
}
type Scopes = ReadonlyMap<string, Scope>;

/** A schema's shape and scopes, read once, so that what a set of scopes reaches is found quickly. */
export class SchemaIndex {
  readonly enums = new Map<string, readonly Omit<Part, 'type'>[]>();
  readonly inputs = new Map<string, readonly Input[]>();
  readonly composites = new Map<string, Composite>();
  readonly unions = new Map<string, readonly string[]>();
  readonly scalars = new Set<string>();
  readonly roots: readonly string[];

  constructor(
    readonly schema: GraphQLSchema,
    scopes: Scopes,
  ) {
    for (const type of Object.values(schema.getTypeMap()))
      if (!isIntrospectionType(type)) this.read(type, scopes);
    this.roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap(
      (root) => root?.name ?? [],
    );
  }

  reach(allows: (scope: Scope) => boolean): Reachable {
    return new Search(this, allows).reach();
  }

  private read(type: GraphQLNamedType, scopes: Scopes): void {
    const at = (coordinate: string) => ({ coordinate, scope: scopes.get(coordinate) });
    const input = (owner: string, one: GraphQLArgument | GraphQLInputField, isRequired: boolean): Input => ({
      ...at(owner),
      name: one.name,
      type: getNamedType(one.type).name,
      isRequired,
    });
    if (isScalarType(type)) this.scalars.add(type.name);
    if (isEnumType(type)) {
      this.enums.set(
        type.name,
        type.getValues().map(({ name }) => at(`${type.name}.${name}`)),
      );
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields());
      this.inputs.set(
        type.name,
        fields.map((field) => input(`${type.name}.${field.name}`, field, isRequiredInputField(field))),
      );
    }
    if (isUnionType(type)) {
      this.unions.set(
        type.name,
        type.getTypes().map(({ name }) => name),
      );
    }
    if (!isObjectType(type) && !isInterfaceType(type)) return;
    const fields = Object.values(type.getFields()).map((field) => ({
      ...at(`${type.name}.${field.name}`),
      name: field.name,
      type: getNamedType(field.type).name,
      args: field.args.map((arg) =>
        input(`${type.name}.${field.name}(${arg.name}:)`, arg, isRequiredArgument(arg)),
      ),
    }));
    const below = isInterfaceType(type)
      ? this.schema.getImplementations(type)
      : { objects: [], interfaces: [] };
    this.composites.set(type.name, {
      fields,
      interfaces: type.getInterfaces().map(({ name }) => name),
      implementations: [...below.objects, ...below.interfaces].map(({ name }) => name),
    });
  }
}

/** Finds what one set of scopes reaches. */
class Search {
  /** Types with at least one member left. */
  private readonly left: Set<string>;
  private readonly fields = new Set<string>();
  private heedsInterfaces = false;

  constructor(
    private readonly index: SchemaIndex,
    private readonly allows: (scope: Scope) => boolean,
  ) {
    this.left = new Set(index.scalars);
    for (const [name, values] of index.enums)
      if (values.some((value) => this.has(value))) this.left.add(name);
    this.growInputs();
    for (const [name, { fields }] of index.composites) {
      this.left.add(name);
      for (const field of fields) if (this.has(field)) this.fields.add(field.coordinate);
    }
    for (const name of index.unions.keys()) this.left.add(name);
    // A type that is gone does not limit the interfaces that it implements, so such types go first.
    this.shrinkOutputs();
    this.heedsInterfaces = true;
    this.shrinkOutputs();
  }

  reach(): Reachable {
    const { index, left } = this;
    const types = new Set(index.roots.filter((root) => left.has(root)));
    const members = new Set<string>();
    const lead = (part: Part): void => {
      members.add(part.coordinate);
      types.add(part.type);
    };
    // Types added during the loop are visited too.
    for (const name of types) {
      for (const value of index.enums.get(name) ?? []) if (this.has(value)) members.add(value.coordinate);
      for (const field of index.inputs.get(name) ?? []) if (this.isUsable(field)) lead(field);
      for (const member of index.unions.get(name) ?? []) if (left.has(member)) types.add(member);
      const composite = index.composites.get(name);
      for (const other of [...(composite?.interfaces ?? []), ...(composite?.implementations ?? [])]) {
        if (left.has(other)) types.add(other);
      }
      for (const field of composite?.fields ?? []) {
        if (!this.fields.has(field.coordinate)) continue;
        lead(field);
        for (const arg of field.args) if (this.hasArgument(name, field, arg)) lead(arg);
      }
    }
    return { types, members };
  }

  private has({ scope }: { readonly scope: Scope | undefined }): boolean {
    return scope === undefined || this.allows(scope);
  }

  private isUsable(input: Input): boolean {
    return this.has(input) && this.left.has(input.type);
  }

  /** An input object exists as soon as a caller can write a valid, non-empty one. Built up from nothing. */
  private growInputs(): void {
    for (let before = -1; before !== this.left.size;) {
      before = this.left.size;
      for (const [name, fields] of this.index.inputs) {
        const isWhole = fields.every((field) => !field.isRequired || this.isUsable(field));
        if (isWhole && fields.some((field) => this.isUsable(field))) this.left.add(name);
      }
    }
  }

  /** An output type exists as long as one of its fields does. Taken away until nothing changes. */
  private shrinkOutputs(): void {
    const { composites, unions } = this.index;
    for (let changed = true; changed;) {
      changed = false;
      for (const [name, { fields }] of composites) {
        const lost = fields.filter((one) => this.fields.has(one.coordinate) && !this.isSelectable(name, one));
        for (const field of lost) this.fields.delete(field.coordinate);
        const isGone = this.left.has(name) && !fields.some((field) => this.fields.has(field.coordinate));
        if (isGone) this.left.delete(name);
        changed ||= isGone || lost.length > 0;
      }
      for (const [name, members] of unions) {
        if (!members.some((member) => this.left.has(member))) changed = this.left.delete(name) || changed;
      }
    }
  }

  /** An interface keeps only fields that every remaining implementation has. */
  private isSelectable(owner: string, field: Field): boolean {
    return (
      this.left.has(field.type) &&
      field.args.every((arg) => !arg.isRequired || this.hasArgument(owner, field, arg)) &&
      this.implementations(owner).every((name) => this.fields.has(`${name}.${field.name}`))
    );
  }

  private hasArgument(owner: string, field: Field, arg: Input): boolean {
    return (
      this.isUsable(arg) &&
      this.implementations(owner).every((name) => {
        const theirs = this.index.composites.get(name)?.fields.find((one) => one.name === field.name);
        const same = theirs?.args.find((one) => one.name === arg.name);
        return same !== undefined && this.isUsable(same);
      })
    );
  }

  private implementations(owner: string): readonly string[] {
    if (!this.heedsInterfaces) return [];
    return (this.index.composites.get(owner)?.implementations ?? []).filter((name) => this.left.has(name));
  }
}
