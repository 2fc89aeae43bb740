import {
  getNamedType,
  isInputType,
  isLeafType,
  isNonNullType,
  isObjectType,
  parseType,
  typeFromAST,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { chance, Inputs, oneOf, variableSets, type Draw, type Pools } from './random-values.js';

/** A document that may be sent several times, each time with other variables. */
export interface RandomRequest {
  readonly query: string;
  readonly operationName: string | null;
  readonly variables: readonly Readonly<Record<string, unknown>>[];
}

/** Response keys with a meaning in JavaScript, JSON or promises. */
const oddKeys = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'toJSON', 'then', 'length'];
/** Parts of keys that, joined, may equal the path of other keys. */
const joined = ['id', 'nodes', 'idx0', 'customer', 'orders', 'a'];

const introspection = '__type(name: "Customer") { name fields { name description } }';

/** A random document that is valid for a view, apart from faults that only its variables or its execution can show. */
export function randomRequest(
  draw: Draw,
  view: GraphQLSchema,
  whole: GraphQLSchema,
  without: ReadonlySet<string>,
  pools: Pools,
): RandomRequest {
  const count = chance(draw, 8) ? 2 + draw.below(2) : 1;
  const writers = Array.from({ length: count }, (_, at) => new Writer(draw, view, whole, without, pools, at));
  const isNamed = count > 1 || chance(draw, 30);
  const hasMutations = view.getMutationType() !== null && view.getMutationType() !== undefined;
  const keyword = hasMutations && chance(draw, 5) ? 'mutation' : 'query';
  const texts = writers.map((writer) => writer.operation(keyword, isNamed));
  const name = isNamed ? `Q${String(draw.below(count))}` : null;
  const isMisnamed = chance(draw, 3);
  const variables = Array.from({ length: variableSets }, (_, set) =>
    Object.fromEntries([
      ...writers.flatMap((writer) => Object.entries(writer.inputs.given(set))),
      ...(chance(draw, 5) ? [['unknown', 1] as const] : []),
    ]),
  );
  return {
    query: texts.join('\n'),
    operationName: isMisnamed
      ? oneOf(draw, ['Other', '', null])
      : count === 1 && chance(draw, 30)
        ? null
        : name,
    variables,
  };
}

function ofSchema(schema: GraphQLSchema, type: GraphQLInputType): GraphQLInputType {
  const found = typeFromAST(schema, parseType(String(type)));
  if (!isInputType(found)) throw new Error(`The schema has no ${String(type)}.`);
  return found;
}

/** Writes one operation with its fragments. */
class Writer {
  private readonly fragments: { readonly name: string; readonly on: string; readonly text: string }[] = [];
  readonly inputs: Inputs;
  /** The field behind each response key of a type: the same everywhere, so that all selections can merge. */
  private readonly keys = new Map<string, { readonly field: string; readonly call: string }>();
  private left = 0;

  constructor(
    private readonly draw: Draw,
    private readonly view: GraphQLSchema,
    whole: GraphQLSchema,
    private readonly without: ReadonlySet<string>,
    pools: Pools,
    private readonly at: number,
  ) {
    this.inputs = new Inputs(draw, pools, (type) => ofSchema(whole, type), at);
  }

  operation(keyword: 'query' | 'mutation', isNamed: boolean): string {
    const root = keyword === 'query' ? this.view.getQueryType() : this.view.getMutationType();
    if (root === null || root === undefined) throw new Error(`The view has no ${keyword}.`);
    this.left = 8 + this.draw.below(chance(this.draw, 10) ? 40 : 16);
    const selection = this.selection(root, 7);
    const { definitions } = this.inputs;
    const name = isNamed ? `Q${String(this.at)}` : '';
    const isShort = keyword === 'query' && name === '' && definitions === '';
    const head = isShort ? '' : `${keyword} ${name}`;
    const texts = this.fragments.map((one) => `fragment ${one.name} on ${one.on} { ${one.text} }`);
    return [`${head}${definitions === '' ? '' : `(${definitions})`} { ${selection} }`, ...texts].join('\n');
  }

  private selection(type: GraphQLObjectType, depth: number): string {
    const count = 1 + this.draw.below(4);
    return Array.from({ length: count }, () => this.part(type, depth)).join(' ');
  }

  private part(type: GraphQLObjectType, depth: number): string {
    this.left -= 1;
    const { draw } = this;
    const kind = draw.below(24);
    if (kind === 0 && type === this.view.getQueryType() && chance(draw, 10)) return introspection;
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

  private directive(percent = 5): string {
    if (!chance(this.draw, percent)) return '';
    const name = oneOf(this.draw, ['skip', 'include']);
    return ` @${name}(if: ${chance(this.draw, 40) ? oneOf(this.draw, ['true', 'false']) : this.inputs.condition()})`;
  }

  private field(type: GraphQLObjectType, depth: number): string {
    const { draw } = this;
    const all = Object.values(type.getFields()).filter(
      (field) => !this.without.has(`${type.name}.${field.name}`),
    );
    const isLeaf = (field: GraphQLField<unknown, unknown>): boolean => isLeafType(getNamedType(field.type));
    const isOut = depth <= 0 || this.left <= 0;
    const fit = isOut ? all.filter((field) => isLeaf(field) && field.args.length === 0) : all;
    if (fit.length === 0) return '__typename';
    // Lists lead to rows, objects to related rows, and inputs that the caller sees in part to hidden names.
    const lists = fit.filter((one) => one.args.some((arg) => arg.name === 'first'));
    const objects = fit.filter((one) => isObjectType(getNamedType(one.type)));
    const telling = fit.filter((one) => one.args.some((arg) => this.inputs.hides(arg.type)));
    const preferred = [lists, objects, telling, fit][draw.below(4)] ?? fit;
    const field = oneOf(draw, preferred.length > 0 ? preferred : fit);
    const { key, call } = this.called(type, field);
    const alias = key === field.name ? '' : `${key}: `;
    const named = getNamedType(field.type);
    const inner = isObjectType(named) ? ` { ${this.selection(named, depth - 1)} }` : '';
    // A caller must be allowed to name the values of a variable, also where it is never used.
    const directive = this.directive(call.includes('$') ? 30 : 5);
    return `${alias}${call}${directive}${inner}`;
  }

  private called(
    type: GraphQLObjectType,
    field: GraphQLField<unknown, unknown>,
  ): { key: string; call: string } {
    const { draw } = this;
    const others = Object.keys(type.getFields());
    const wanted = !chance(draw, 15)
      ? field.name
      : oneOf(draw, [
          `${field.name}1`,
          `${field.name}2`,
          oneOf(draw, others),
          oneOf(draw, oddKeys),
          `${oneOf(draw, joined)}_${oneOf(draw, joined)}`,
        ]);
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
      const hides = this.inputs.hides(arg.type);
      const isWanted = isNonNullType(arg.type) || chance(this.draw, arg.name === 'first' || hides ? 70 : 25);
      if (!isWanted) return [];
      const at = `${owner}.${field.name}(${arg.name}:)`;
      return [`${arg.name}: ${this.inputs.value(arg.type, at, arg.name, hides ? 60 : 30)}`];
    });
    return given.length === 0 ? '' : `(${given.join(', ')})`;
  }
}
