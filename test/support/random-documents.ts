import fc from 'fast-check';
import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

/** Where random choices come from. */
export interface Draw {
  /** A whole number from 0 to `n - 1`. */
  below(n: number): number;
}

/** Without fast-check's liking for the first and the last. */
const evenly = (n: number): fc.Arbitrary<number> => fc.noBias(fc.nat({ max: n - 1 }));

/** Whatever is made by drawing, as an arbitrary. */
export const drawn = <T>(make: (draw: Draw) => T): fc.Arbitrary<T> =>
  fc.gen().map((generate) => make({ below: (n) => generate(evenly, n) }));

/** One document as it may be asked several times, each time with other variables. */
export interface RandomRequest {
  readonly query: string;
  readonly operationName: string | null;
  readonly variables: readonly Readonly<Record<string, unknown>>[];
}

/** Values to choose from, by coordinate (`Query.customer(id:)`, `OrderFilter.numbers`), else by name, else by type. */
export type Pools = Readonly<Record<string, readonly unknown[]>>;

/** How many sets of variables each document has. */
const variableSets = 2;

interface Sample {
  readonly literal: string;
  /** Undefined where a variable stands inside. */
  readonly json: unknown;
}

const chance = (draw: Draw, percent: number): boolean => draw.below(100) < percent;

function oneOf<T>(draw: Draw, values: readonly T[]): T {
  const value = values[draw.below(values.length)];
  if (value === undefined) throw new Error('There is nothing to choose from.');
  return value;
}

/** Response keys that mean something to JavaScript, to JSON or to promises. */
const oddKeys = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'toJSON', 'then', 'length'];

/** A random document that is valid for a view, but for what only its variables or its running can show. */
export function randomRequest(draw: Draw, view: GraphQLSchema, without: ReadonlySet<string>, pools: Pools): RandomRequest {
  const count = chance(draw, 8) ? 2 + draw.below(2) : 1;
  const writers = Array.from({ length: count }, (_, at) => new Writer(draw, view, without, pools, at));
  const isNamed = count > 1 || chance(draw, 30);
  const hasMutations = view.getMutationType() !== null && view.getMutationType() !== undefined;
  const keyword = hasMutations && chance(draw, 5) ? 'mutation' : 'query';
  const texts = writers.map((writer) => writer.operation(keyword, isNamed));
  const name = isNamed ? `Q${String(draw.below(count))}` : null;
  const isMisnamed = chance(draw, 3);
  const variables = Array.from({ length: variableSets }, (_, set) =>
    Object.assign({}, ...writers.map((writer) => writer.given(set)), chance(draw, 5) ? { unknown: 1 } : {}),
  ) as Record<string, unknown>[];
  return {
    query: texts.join('\n'),
    operationName: isMisnamed ? oneOf(draw, ['Other', '', null]) : count === 1 && chance(draw, 30) ? null : name,
    variables,
  };
}

interface Variable {
  readonly definition: string;
  readonly name: string;
  /** One for each set; undefined where it is left out. */
  readonly values: readonly unknown[];
}

/** Writes one operation with its fragments. */
class Writer {
  private readonly fragments: { readonly name: string; readonly on: string; readonly text: string }[] = [];
  private readonly variables: Variable[] = [];
  /** What a response key of a type stands for: the same everywhere, so that all that meets can merge. */
  private readonly keys = new Map<string, { readonly field: string; readonly call: string }>();
  private left = 0;

  constructor(
    private readonly draw: Draw,
    private readonly view: GraphQLSchema,
    private readonly without: ReadonlySet<string>,
    private readonly pools: Pools,
    private readonly at: number,
  ) {}

  operation(keyword: 'query' | 'mutation', isNamed: boolean): string {
    const root = keyword === 'query' ? this.view.getQueryType() : this.view.getMutationType();
    if (root === null || root === undefined) throw new Error(`The view has no ${keyword}.`);
    this.left = 6 + this.draw.below(chance(this.draw, 10) ? 40 : 16);
    const selection = this.selection(root, 7);
    const definitions = this.variables.map((variable) => variable.definition).join(', ');
    const name = isNamed ? `Q${String(this.at)}` : '';
    const isShort = keyword === 'query' && name === '' && definitions === '';
    const head = isShort ? '' : `${keyword} ${name}`;
    const texts = this.fragments.map((one) => `fragment ${one.name} on ${one.on} { ${one.text} }`);
    return [`${head}${definitions === '' ? '' : `(${definitions})`} { ${selection} }`, ...texts].join('\n');
  }

  given(set: number): Record<string, unknown> {
    return Object.fromEntries(
      this.variables.flatMap(({ name, values }) => (values[set] === undefined ? [] : [[name, values[set]]])),
    );
  }

  private selection(type: GraphQLObjectType, depth: number): string {
    const count = 1 + this.draw.below(4);
    return Array.from({ length: count }, () => this.part(type, depth)).join(' ');
  }

  private part(type: GraphQLObjectType, depth: number): string {
    this.left -= 1;
    const { draw } = this;
    const kind = draw.below(24);
    if (kind === 0) return chance(draw, 30) ? 't: __typename' : `__typename${this.directive()}`;
    if (depth > 0 && this.left > 0) {
      const on = chance(draw, 70) ? ` on ${type.name}` : '';
      if (kind === 1) return `...${on}${this.directive()} { ${this.selection(type, depth - 1)} }`;
      if (kind === 2) return `...${this.fragment(type, depth - 1)}${this.directive()}`;
    }
    return this.field(type, depth);
  }

  private fragment(type: GraphQLObjectType, depth: number): string {
    const known = this.fragments.filter((one) => one.on === type.name);
    if (known.length > 0 && chance(this.draw, 60)) return oneOf(this.draw, known).name;
    const text = this.selection(type, depth);
    const name = `F${String(this.at)}_${String(this.fragments.length)}`;
    this.fragments.push({ name, on: type.name, text });
    return name;
  }

  private directive(): string {
    if (!chance(this.draw, 5)) return '';
    const name = oneOf(this.draw, ['skip', 'include']);
    return ` @${name}(if: ${chance(this.draw, 40) ? oneOf(this.draw, ['true', 'false']) : this.condition()})`;
  }

  private condition(): string {
    const form = this.draw.below(3);
    const values = Array.from({ length: variableSets }, () => {
      const given = this.draw.below(8);
      return given < 6 ? given % 2 === 0 : given === 6 && form > 0 ? undefined : form === 2 ? null : true;
    });
    return this.declare(oneOf(this.draw, [['Boolean!'], ['Boolean! = true'], ['Boolean = false']][form] ?? []), values);
  }

  private declare(type: string, values: readonly unknown[]): string {
    const name = `v${String(this.at)}_${String(this.variables.length)}`;
    this.variables.push({ name, values, definition: `$${name}: ${type}` });
    return `$${name}`;
  }

  private field(type: GraphQLObjectType, depth: number): string {
    const { draw } = this;
    const all = Object.values(type.getFields()).filter((field) => !this.without.has(`${type.name}.${field.name}`));
    const isLeaf = (field: GraphQLField<unknown, unknown>): boolean => isLeafType(getNamedType(field.type));
    const isOut = depth <= 0 || this.left <= 0;
    const fit = isOut ? all.filter((field) => isLeaf(field) && field.args.length === 0) : all;
    if (fit.length === 0) return '__typename';
    const field = oneOf(draw, fit);
    const { key, call } = this.called(type, field);
    const alias = key === field.name ? '' : `${key}: `;
    const named = getNamedType(field.type);
    const inner = isObjectType(named) ? ` { ${this.selection(named, depth - 1)} }` : '';
    return `${alias}${call}${this.directive()}${inner}`;
  }

  private called(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>): { key: string; call: string } {
    const { draw } = this;
    const others = Object.keys(type.getFields());
    const wanted = !chance(draw, 15)
      ? field.name
      : oneOf(draw, [`${field.name}1`, `${field.name}2`, oneOf(draw, others), oneOf(draw, oddKeys)]);
    let key = wanted;
    for (let n = 3; (this.keys.get(`${type.name}.${key}`)?.field ?? field.name) !== field.name; n += 1) {
      key = `${field.name}${String(n)}`;
    }
    const known = this.keys.get(`${type.name}.${key}`);
    if (known !== undefined) return { key, call: known.call };
    const call = `${field.name}${this.arguments(type.name, field)}`;
    this.keys.set(`${type.name}.${key}`, { field: field.name, call });
    return { key, call };
  }

  private arguments(owner: string, field: GraphQLField<unknown, unknown>): string {
    const given = field.args.flatMap((arg) => {
      const isWanted = isNonNullType(arg.type) || chance(this.draw, arg.name === 'first' ? 70 : 25);
      if (!isWanted) return [];
      const at = `${owner}.${field.name}(${arg.name}:)`;
      return [`${arg.name}: ${this.value(arg.type, at, arg.name, 30)}`];
    });
    return given.length === 0 ? '' : `(${given.join(', ')})`;
  }

  /** A literal, or so many times of a hundred a variable. */
  private value(type: GraphQLInputType, at: string, name: string, percent: number): string {
    return chance(this.draw, percent) ? this.variable(type, at, name) : this.sample(type, at, name, percent).literal;
  }

  private variable(type: GraphQLInputType, at: string, name: string): string {
    const { draw } = this;
    const sample = (): unknown => this.sample(type, at, name, 0).json;
    const needs = isNonNullType(type);
    const hasDefault = chance(draw, 30);
    const base = String(getNullableType(type));
    const isStrict = needs ? !(hasDefault && chance(draw, 50)) : chance(draw, 15);
    const absent = (): unknown => (isStrict && !hasDefault && !chance(draw, 3) ? sample() : undefined);
    const nothing = (): unknown => ((isStrict || needs) && !chance(draw, 5) ? sample() : null);
    const values = Array.from({ length: variableSets }, () => {
      const how = draw.below(20);
      if (how < 14) return sample();
      if (how < 17) return absent();
      return how < 19 || !chance(draw, 30) ? nothing() : oneOf<unknown>(draw, [true, 1.5, 'wrong', {}, [[]]]);
    });
    const said = hasDefault ? ` = ${this.some(getNullableType(type), at, name).literal}` : '';
    return this.declare(`${base}${isStrict ? '!' : ''}${said}`, values);
  }

  /** Never null. */
  private some(type: GraphQLInputType, at: string, name: string): Sample {
    for (;;) {
      const sample = this.sample(type, at, name, 0);
      if (sample.json !== null) return sample;
    }
  }

  private sample(type: GraphQLInputType, at: string, name: string, percent: number): Sample {
    const { draw } = this;
    if (!isNonNullType(type) && chance(draw, 4)) return { literal: 'null', json: null };
    const bare = getNullableType(type);
    if (isListType(bare)) {
      const items = Array.from({ length: draw.below(3) }, () => this.sample(bare.ofType, at, name, 0));
      const [only] = items;
      // A single value stands for a list of one (GraphQL, Input Coercion of lists).
      if (only !== undefined && items.length === 1 && chance(draw, 30)) return only;
      return { literal: `[${items.map((item) => item.literal).join(', ')}]`, json: items.map((item) => item.json) };
    }
    if (isEnumType(bare)) {
      const value = oneOf(draw, bare.getValues()).name;
      return { literal: value, json: value };
    }
    if (isInputObjectType(bare)) {
      const fields = Object.values(bare.getFields());
      const chosen = bare.isOneOf
        ? [oneOf(draw, fields)]
        : fields.filter((field) => isNonNullType(field.type) || draw.below(fields.length) < 2);
      const given = chosen.map((field) => {
        const inner = `${bare.name}.${field.name}`;
        const isVariable = !bare.isOneOf && chance(draw, percent);
        if (isVariable) return { name: field.name, literal: this.variable(field.type, inner, field.name), json: null };
        const must = bare.isOneOf || isNonNullType(field.type);
        const sample = must ? this.some(field.type, inner, field.name) : this.sample(field.type, inner, field.name, percent);
        return { name: field.name, ...sample };
      });
      return {
        literal: `{${given.map((one) => `${one.name}: ${one.literal}`).join(', ')}}`,
        json: Object.fromEntries(given.map((one) => [one.name, one.json])),
      };
    }
    const pool = this.pools[at] ?? this.pools[name] ?? this.pools[bare.name] ?? ['nothing'];
    const json = oneOf(draw, pool);
    return { literal: JSON.stringify(json), json };
  }
}
