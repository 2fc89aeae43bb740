import fc from 'fast-check';
import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  type GraphQLEnumValue,
  type GraphQLInputField,
  type GraphQLInputType,
} from 'graphql';

/** The source of random choices. */
export interface Draw {
  /** A whole number from 0 to `n - 1`. */
  below(n: number): number;
}

/** Without fast-check's preference for the first and the last. */
const evenly = (n: number): fc.Arbitrary<number> => fc.noBias(fc.nat({ max: n - 1 }));

/** A value made by random choices, as an arbitrary. */
export const drawn = <T>(make: (draw: Draw) => T): fc.Arbitrary<T> =>
  fc.gen().map((generate) => make({ below: (n) => generate(evenly, n) }));

/** Values to choose from, by coordinate (`Query.customer(id:)`, `OrderFilter.numbers`), else by name, else by type. */
export type Pools = Readonly<Record<string, readonly unknown[]>>;

/** How many sets of variables each document has. */
export const variableSets = 5;

interface Sample {
  readonly literal: string;
  /** Undefined where it contains a variable. */
  readonly json: unknown;
}

export const chance = (draw: Draw, percent: number): boolean => draw.below(100) < percent;

export function oneOf<T>(draw: Draw, values: readonly T[]): T {
  const value = values[draw.below(values.length)];
  if (value === undefined) throw new Error('There is nothing to choose from.');
  return value;
}

interface Variable {
  readonly definition: string;
  readonly name: string;
  /** One for each set; undefined where it is left out. */
  readonly values: readonly unknown[];
}

/** Writes the argument values of one operation, and declares the variables among them. */
export class Inputs {
  private readonly variables: Variable[] = [];

  constructor(
    private readonly draw: Draw,
    private readonly pools: Pools,
    /** A type of the caller's view as in the whole schema, hidden parts included. */
    private readonly whole: (type: GraphQLInputType) => GraphQLInputType,
    /** The index of the operation in the document. */
    private readonly at: number,
  ) {}

  get definitions(): string {
    return this.variables.map((variable) => variable.definition).join(', ');
  }

  /** The variables of one set. */
  given(set: number): Record<string, unknown> {
    return Object.fromEntries(
      this.variables.flatMap(({ name, values }) => (values[set] === undefined ? [] : [[name, values[set]]])),
    );
  }

  /** Of `@skip` or `@include`. */
  condition(): string {
    const form = this.draw.below(3);
    const values = Array.from({ length: variableSets }, () => {
      const given = this.draw.below(8);
      return given < 6 ? given % 2 === 0 : given === 6 && form > 0 ? undefined : form === 2 ? null : true;
    });
    return this.declare(
      oneOf(this.draw, [['Boolean!'], ['Boolean! = true'], ['Boolean = false']][form] ?? []),
      values,
    );
  }

  private declare(type: string, values: readonly unknown[]): string {
    const name = `v${String(this.at)}_${String(this.variables.length)}`;
    this.variables.push({ name, values, definition: `$${name}: ${type}` });
    return `$${name}`;
  }

  /** A literal, or with this chance a variable. */
  value(type: GraphQLInputType, at: string, name: string, percent: number): string {
    return chance(this.draw, percent)
      ? this.variable(type, at, name)
      : this.sample(type, at, name, percent).literal;
  }

  private variable(type: GraphQLInputType, at: string, name: string): string {
    const { draw } = this;
    const hides = this.hides(type);
    const sample = (): unknown =>
      hides && chance(draw, 30) ? this.beyond(type, at, name) : this.sample(type, at, name, 0).json;
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

  /** Whether a part of this type is hidden from the caller. */
  hides(type: GraphQLInputType): boolean {
    return this.hidden(type).length > 0;
  }

  private hidden(type: GraphQLInputType): readonly (GraphQLEnumValue | GraphQLInputField)[] {
    const [own, whole] = [getNamedType(type), getNamedType(this.whole(type))];
    if (isEnumType(own) && isEnumType(whole))
      return whole.getValues().filter((value) => own.getValue(value.name) === undefined);
    if (!isInputObjectType(own) || !isInputObjectType(whole)) return [];
    const seen = own.getFields();
    return Object.values(whole.getFields()).filter((field) => seen[field.name] === undefined);
  }

  /** A value that names a hidden part. */
  private beyond(type: GraphQLInputType, at: string, name: string): unknown {
    const bare = getNullableType(type);
    if (isListType(bare)) return [this.beyond(bare.ofType, at, name)];
    const hidden = oneOf(this.draw, this.hidden(bare));
    if (!('type' in hidden)) return hidden.name;
    const { json } = this.sample(bare, at, name, 0);
    const inner = this.some(hidden.type, `${bare.name}.${hidden.name}`, hidden.name);
    return { ...(json as object | null), [hidden.name]: inner.json };
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
      return {
        literal: `[${items.map((item) => item.literal).join(', ')}]`,
        json: items.map((item) => item.json),
      };
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
        if (isVariable)
          return { name: field.name, literal: this.variable(field.type, inner, field.name), json: null };
        const must = bare.isOneOf || isNonNullType(field.type);
        const sample = must
          ? this.some(field.type, inner, field.name)
          : this.sample(field.type, inner, field.name, percent);
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
