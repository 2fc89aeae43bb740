import {
  getDirectiveValues,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  type ConstDirectiveNode,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql';
import { isScopeName, sessionScope, type Scope, type ScopeDefinition } from '../../authority/scope.js';
import type { Dimension, DimensionSource } from '../../delegation/schema-catalog.js';
import type { RowDeclaration } from '../../store/bounded/row-types.js';
import { policyFaultText, type PolicyFault } from './policy-fault.js';
import { usedInside } from './used-inputs.js';

/** The SDL's declarations about authority: the one source for rules, row boundaries, views and docs. */
export interface SchemaPolicy {
  /** The scope of each coordinate (`Order.total`, `Query.orders(filter:)`, `OrderFilter.status`, `Enum.VALUE`). */
  readonly scopes: ReadonlyMap<string, Scope>;
  /** The scopes of mutations and of values that they write. */
  readonly changing: ReadonlySet<Scope>;
  /** Arguments and inputs that do not select by a field. */
  readonly plain: ReadonlySet<string>;
  /** The fields that an argument or input field writes to, or looks at. */
  readonly values?: ReadonlyMap<string, readonly string[]>;
  /** Coordinates whose values are personal data. */
  readonly personal: ReadonlySet<string>;
  /** Fields that count for more than one in an operation's cost, by `@cost` or by the kind of the field. */
  readonly costs: ReadonlyMap<string, FieldCost>;
  readonly rows: readonly RowDeclaration[];
  readonly definitions: ReadonlyMap<Scope, ScopeDefinition>;
  readonly dimensions: ReadonlyMap<string, Dimension>;
}

/** The weight of one field, and how many objects it gives where no argument says so. */
export interface FieldCost {
  readonly weight: number;
  readonly size: number;
  /** True where weight counts for each year, and size for each bucket, of a period in the arguments. */
  readonly span: boolean;
}

/** A dimension as the SDL writes it. */
interface DimensionNames {
  readonly name: string;
  readonly description: string;
  readonly values?: string;
  readonly number?: string;
}

interface Annotated {
  readonly astNode?: { readonly directives?: readonly ConstDirectiveNode[] | undefined } | null | undefined;
}

/** A page has its conditions, its order and its part of a statement. */
const pageWeight = 20;
/** A row that another row names, loaded in a batch. */
const rowWeight = 3;

/** Reads the directives. Throws an error that names every coordinate without a declaration. */
export function readSchemaPolicy(schema: GraphQLSchema): SchemaPolicy {
  const { policy, faults } = checkSchemaPolicy(schema);
  if (faults.length > 0)
    throw new Error(`The schema is not covered:\n- ${faults.map(policyFaultText).join('\n- ')}`);
  return policy;
}

/** As `readSchemaPolicy`, with the faults beside what could be read, in the order of their texts. */
export function checkSchemaPolicy(schema: GraphQLSchema): {
  readonly policy: SchemaPolicy;
  readonly faults: readonly PolicyFault[];
} {
  const reader = new Reader(schema);
  reader.read();
  return { policy: reader, faults: reader.faults.sort(byText) };
}

const byText = (a: PolicyFault, b: PolicyFault): number => (policyFaultText(a) < policyFaultText(b) ? -1 : 1);

class Reader implements SchemaPolicy {
  readonly scopes = new Map<string, Scope>();
  readonly changing = new Set<Scope>();
  readonly plain = new Set<string>();
  readonly values = new Map<string, readonly string[]>();
  readonly personal = new Set<string>();
  readonly costs = new Map<string, FieldCost>();
  readonly rows: RowDeclaration[] = [];
  readonly definitions = new Map<Scope, ScopeDefinition>();
  readonly dimensions = new Map<string, Dimension>();
  readonly faults: PolicyFault[] = [];
  /** Coordinates with a `@plain` of their own, not by their type. */
  private readonly saidPlain = new Set<string>();
  private readonly named = new Map<string, DimensionNames>();
  private readonly looksAt = new Map<string, string>();
  private readonly defaults = new Map<string, readonly string[]>();

  constructor(private readonly schema: GraphQLSchema) {}

  read(): void {
    this.readDefinitions();
    for (const type of Object.values(this.schema.getTypeMap())) {
      if (isIntrospectionType(type) || type.name === 'Bound') continue;
      if (isObjectType(type) || isInterfaceType(type)) {
        if (isObjectType(type)) this.readRows(type);
        for (const field of Object.values(type.getFields())) {
          const coordinate = `${type.name}.${field.name}`;
          if (!this.readScope(coordinate, field)) this.faults.push({ kind: 'no scope', coordinate });
          if (type === this.schema.getMutationType()) this.noteChanging(coordinate);
          this.readCost(coordinate, field);
          for (const arg of field.args) this.readInput(`${coordinate}(${arg.name}:)`, arg, false);
        }
      } else if (isInputObjectType(type)) {
        const plain = this.value('plain', type) !== undefined;
        for (const field of Object.values(type.getFields())) {
          this.readInput(`${type.name}.${field.name}`, field, plain);
        }
      } else if (isEnumType(type)) {
        for (const value of type.getValues()) this.readScope(`${type.name}.${value.name}`, value);
      }
    }
    this.priceReads();
    this.checkLooks();
    this.checkValues();
    this.checkDefaults();
    for (const { name, description, values, number } of this.named.values()) {
      // Without the domain installed there is no row, and so nothing to name.
      if (values === undefined || !this.rows.some((row) => row.bounds.has(name))) continue;
      const source = this.sourceOf(name, values, number);
      if (source === undefined) this.fault(`dimension ${name}`, `has values that are none: ${values}`);
      this.dimensions.set(name, { description, source });
    }
  }

  /** The source of a dimension's values: `Type.field` of rows that have the dimension, or an enum. */
  private sourceOf(dimension: string, values: string, number?: string): DimensionSource | undefined {
    const [type = '', column] = values.split('.');
    if (column === undefined) {
      const words = this.schema.getType(type);
      if (!isEnumType(words)) return undefined;
      return { kind: 'words', words: words.getValues().map(({ name }) => name.toLowerCase()) };
    }
    const isBounded = this.rows.some((row) => row.type === type && row.bounds.has(dimension));
    if (!isBounded || !this.scopes.has(values)) return undefined;
    if (number === undefined) return { kind: 'rows', type, column, number };
    const [numbered, numberColumn = ''] = number.split('.');
    const scope = this.scopes.get(number);
    if (numbered !== type || scope === undefined) return undefined;
    return { kind: 'rows', type, column, number: { column: numberColumn, scope } };
  }

  private readCost(coordinate: string, field: Annotated): void {
    const cost = this.value('cost', field) as unknown as FieldCost | undefined;
    if (cost === undefined) return;
    if (cost.weight < 1 || cost.size < 1) this.fault(coordinate, 'must cost at least 1');
    this.costs.set(coordinate, cost);
  }

  /** A looked-up field costs more than a column of its row, unless the SDL says otherwise. */
  private priceReads(): void {
    const rowTypes = new Set(this.rows.map(({ type }) => type));
    for (const type of Object.values(this.schema.getTypeMap())) {
      if (!isObjectType(type) || isIntrospectionType(type)) continue;
      for (const field of Object.values(type.getFields())) {
        const coordinate = `${type.name}.${field.name}`;
        if (this.costs.has(coordinate)) continue;
        const isPage = field.args.some((arg) => arg.name === 'first');
        const isRow = rowTypes.has(type.name) && rowTypes.has(getNamedType(field.type).name);
        if (isPage || isRow)
          this.costs.set(coordinate, { weight: isPage ? pageWeight : rowWeight, size: 1, span: false });
      }
    }
  }

  private readDefinitions(): void {
    const nodes = [this.schema.astNode, ...this.schema.extensionASTNodes];
    for (const directive of nodes.flatMap((node) => node?.directives ?? [])) {
      const node = { astNode: { directives: [directive] } };
      const scope = this.value('defineScope', node) as unknown as ScopeDefinition | undefined;
      if (scope !== undefined) {
        if (!isScopeName(scope.name)) this.fault(`scope ${scope.name}`, 'is not written resource:action');
        if (this.definitions.has(scope.name)) this.fault(`scope ${scope.name}`, 'is defined twice');
        this.definitions.set(scope.name, scope);
      }
      const dimension = this.value('defineDimension', node) as unknown as DimensionNames | undefined;
      if (dimension === undefined) continue;
      this.named.set(dimension.name, dimension);
      this.dimensions.set(dimension.name, { description: dimension.description, source: undefined });
    }
  }

  private readRows(type: Annotated & { readonly name: string }): void {
    const declared = this.value('rows', type) as unknown as
      { scope: string; bounds: { dimension: string; path: string }[]; unbounded: string[] } | undefined;
    if (declared === undefined) return;
    const bounds = new Map(declared.bounds.map((bound) => [bound.dimension, bound.path]));
    const coordinate = type.name;
    const undecided = [...this.dimensions.keys()].filter(
      (dimension) => bounds.has(dimension) === declared.unbounded.includes(dimension),
    );
    if (undecided.length > 0) this.faults.push({ kind: 'undecided', coordinate, dimensions: undecided });
    for (const dimension of [...bounds.keys(), ...declared.unbounded])
      if (!this.dimensions.has(dimension))
        this.faults.push({ kind: 'unknown dimension', coordinate, dimension });
    this.checkScope(type.name, declared.scope);
    this.rows.push({ type: type.name, scope: declared.scope, bounds });
  }

  private readInput(coordinate: string, input: GraphQLArgument | GraphQLInputField, plain: boolean): void {
    const scoped = this.readScope(coordinate, input);
    const isPlain = plain || this.value('plain', input) !== undefined;
    const named = getNamedType(input.type);
    this.defaults.set(coordinate, usedInside(input.type, input.defaultValue));
    if (isPlain) this.plain.add(coordinate);
    if (this.value('plain', input) !== undefined) this.saidPlain.add(coordinate);
    const writes = this.value('writes', input);
    if (writes !== undefined) this.values.set(coordinate, writes.fields as readonly string[]);
    if (scoped && !this.looksAt.has(coordinate)) this.noteChanging(coordinate);
    if (scoped && isPlain) this.fault(coordinate, 'is both @scope and @plain');
    if (scoped && input.defaultValue !== undefined) this.fault(coordinate, 'has a default and a @scope');
    if (!scoped && !isPlain && !isInputObjectType(named)) this.faults.push({ kind: 'no scope', coordinate });
    // A value to be written has the scope of writing, and the readers of its field.
    if (scoped && !this.looksAt.has(coordinate) && writes === undefined)
      this.fault(coordinate, 'does not say which field it is of');
  }

  private noteChanging(coordinate: string): void {
    const scope = this.scopes.get(coordinate);
    if (scope !== undefined && scope !== sessionScope) this.changing.add(scope);
  }

  private readScope(coordinate: string, node: Annotated): boolean {
    if (this.value('personal', node) !== undefined) this.personal.add(coordinate);
    const scope = this.value('scope', node);
    if (scope === undefined) return false;
    this.checkScope(coordinate, String(scope.name));
    this.scopes.set(coordinate, String(scope.name));
    if (typeof scope.of === 'string') {
      this.looksAt.set(coordinate, scope.of);
      this.values.set(coordinate, [scope.of]);
    }
    return true;
  }

  private checkScope(coordinate: string, scope: string): void {
    if (!this.definitions.has(scope)) this.faults.push({ kind: 'undefined scope', coordinate, scope });
  }

  private checkLooks(): void {
    for (const [coordinate, field] of this.looksAt) {
      if (!this.scopes.has(field)) this.fault(coordinate, `looks at ${field}, which does not exist`);
      else if (this.scopes.get(field) !== this.scopes.get(coordinate)) {
        this.fault(coordinate, `looks at ${field}, which has another scope`);
      }
    }
  }

  /** A value written to a field has the readers of that field; records rely on it. */
  private checkValues(): void {
    const rowTypes = new Set(this.rows.map(({ type }) => type));
    for (const [coordinate, targets] of this.values) {
      if (this.looksAt.has(coordinate)) continue;
      for (const target of targets) {
        if (!this.scopes.has(target) || !rowTypes.has(target.split('.')[0] ?? ''))
          this.fault(coordinate, `writes to ${target}, which is no field of a row`);
      }
    }
    if (this.schema.getDirective('writes') === null || this.schema.getDirective('writes') === undefined)
      return;
    for (const field of Object.values(this.schema.getMutationType()?.getFields() ?? {})) {
      for (const arg of field.args)
        this.checkSaid(`Mutation.${field.name}(${arg.name}:)`, arg.type, new Set());
    }
  }

  /** Each value of a mutation declares what it is, itself or by the input that holds it. */
  private checkSaid(coordinate: string, type: GraphQLInputType, above: ReadonlySet<string>): void {
    if (this.values.has(coordinate)) return;
    const named = getNamedType(type);
    if (isInputObjectType(named)) {
      if (above.has(named.name)) return;
      for (const field of Object.values(named.getFields()))
        this.checkSaid(`${named.name}.${field.name}`, field.type, new Set([...above, named.name]));
    } else if (!this.saidPlain.has(coordinate)) {
      this.fault(coordinate, 'does not say what its value is: @writes(fields:), or @plain for all to see');
    }
  }

  /** A default applies to callers who never named it. It would show a caller without the scope that it exists. */
  private checkDefaults(): void {
    for (const [coordinate, used] of this.defaults) {
      for (const scoped of used.filter((one) => this.scopes.has(one))) {
        this.fault(coordinate, `has a default that uses ${scoped}, which has a @scope`);
      }
    }
  }

  private fault(coordinate: string, message: string): void {
    this.faults.push({ kind: 'other', coordinate, message });
  }

  private value(directive: string, node: Annotated): Record<string, unknown> | undefined {
    const definition = this.schema.getDirective(directive);
    if (
      definition === null ||
      definition === undefined ||
      node.astNode === null ||
      node.astNode === undefined
    ) {
      return undefined;
    }
    return getDirectiveValues(definition, node.astNode);
  }
}
