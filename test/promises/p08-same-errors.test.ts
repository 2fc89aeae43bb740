// databases: sqlite, mariadb
import fc from 'fast-check';
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isObjectType,
  parseValue,
  valueFromASTUntyped,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLObjectType,
  type GraphQLSchema,
  type IntrospectionQuery,
} from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedRoles } from '../../src/admin/shipped-roles.js';
import { coordinatesOf, visibleTo } from '../support/coordinates.js';
import { argumentsOf, literalOf, operationAt } from '../support/documents.js';
import { inventedFor, raw, without, withoutSuggestions, type Raw } from '../support/no-oracle.js';
import { scopedSdl } from '../support/scoped-sdl.js';
import { TestServer, type AgentFixture } from '../support/server.js';
import { partsOf } from '../support/without-hidden.js';
import { volume } from '../support/volume.js';

const support = shippedRoles.find((role) => role.name === 'support-agent')?.scopes ?? [];
const whole = buildSchema(scopedSdl);

let server: TestServer;
/** The same database behind a server in which what is hidden from the caller never was. */
let lacking: TestServer;
let agent: AgentFixture;
let places: Place[];
/** Those in which something of their own is hidden. */
let pointed: Place[];
/** Names of the whole schema that the caller sees nowhere. */
let hidden: Names;
/** By type, or by field for its arguments: what is hidden there. */
let hiddenIn: ReadonlyMap<string, readonly string[]>;

beforeAll(async () => {
  server = await TestServer.start({ sdl: scopedSdl });
  const person = await server.person({
    scopes: [...server.app.scopes],
  });
  const spend = { operationsMax: 1_000_000, rowsMax: 100_000_000 };
  agent = await server.agent(person, { scopes: support }, { scopes: support, ...spend });
  lacking = await server.replica(partsOf(scopedSdl, visibleTo(whole, new Set(support))));
  const { data } = await lacking.query(
    agent.token,
    getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true }),
  );
  const view = buildClientSchema(data as IntrospectionQuery);
  hidden = hiddenNames(view);
  hiddenIn = hiddenByOwner(view);
  places = placesOf(view);
  pointed = places.filter((place) => ownNames(place).length > 0);
});
afterAll(async () => {
  await lacking.stop();
  await server.stop();
});

type Kind = 'member' | 'type' | 'directive';
type Names = Readonly<Record<Kind, readonly string[]>>;

/** A valid document of the caller with a gap where one of its names stood. */
interface Place {
  readonly what: string;
  readonly kind: Kind;
  /** Where the name belongs: a type, or a field that has arguments. */
  readonly of?: string;
  /** With a name, and a value such as the one of the hidden name has. */
  readonly ask: (name: string, hidden: string) => readonly [query: string, variables?: object];
}

const ownNames = ({ of }: Place): readonly string[] => (of === undefined ? [] : (hiddenIn.get(of) ?? []));

function hiddenByOwner(view: GraphQLSchema): Map<string, string[]> {
  const seen = new Set(coordinatesOf(view).map((one) => one.text));
  const byOwner = new Map<string, string[]>();
  for (const one of coordinatesOf(whole)) {
    if (seen.has(one.text)) continue;
    const owner = one.argument === undefined ? one.type : `${one.type}.${one.member}`;
    byOwner.set(owner, [...(byOwner.get(owner) ?? []), one.argument ?? one.member]);
  }
  return byOwner;
}

function hiddenNames(view: GraphQLSchema): Names {
  const membersOf = (schema: GraphQLSchema): string[] =>
    coordinatesOf(schema).flatMap((one) => [
      one.member,
      ...(one.argument === undefined ? [] : [one.argument]),
    ]);
  const seen = new Set(membersOf(view));
  const directives = new Set(view.getDirectives().map(({ name }) => name));
  return {
    member: [...new Set(membersOf(whole))].filter((name) => !seen.has(name)),
    type: Object.keys(whole.getTypeMap()).filter((name) => view.getType(name) === undefined),
    directive: whole.getDirectives().flatMap(({ name }) => (directives.has(name) ? [] : [name])),
  };
}

const objectTypes = (view: GraphQLSchema): GraphQLObjectType[] =>
  Object.values(view.getTypeMap()).filter(
    (type) => isObjectType(type) && !type.name.startsWith('__'),
  ) as GraphQLObjectType[];

/** An operation that makes a selection on a type of the caller's. */
type Select = (type: string, selection: string) => string;

/** As `operationAt`; the ways are looked for once. */
function selecting(view: GraphQLSchema): Select {
  const gap = '__gap';
  const ways = new Map(objectTypes(view).map(({ name }) => [name, operationAt(view, name, gap)]));
  return (type, selection) => (ways.get(type) ?? '').replace(gap, () => selection);
}

function placesOf(view: GraphQLSchema): Place[] {
  const select = selecting(view);
  const types = objectTypes(view);
  return [
    ...types.flatMap((type) => [
      ...atFields(select, type),
      ...Object.values(type.getFields()).flatMap((field) => atArguments(select, type, field)),
    ]),
    ...atTypes(select, types),
    ...atDirectives(select, types),
  ];
}

function atFields(select: Select, type: GraphQLObjectType): Place[] {
  const at = (what: string, selection: (name: string) => string): Place => ({
    what: `${what} on ${type.name}`,
    kind: 'member',
    of: type.name,
    ask: (name) => [select(type.name, selection(name))],
  });
  return [
    at('a field', (name) => name),
    at('an aliased field beside others', (name) => `__typename a: ${name} b: __typename`),
    at('a field with a selection', (name) => `${name} { id }`),
    at('a field with arguments', (name) => `${name}(first: 1, filter: {}) { nodes { id } }`),
    at('a field in an inline fragment', (name) => `... on ${type.name} @include(if: true) { ${name} }`),
    {
      ...at('a field in a fragment', (name) => name),
      ask: (name) => [`${select(type.name, '...F')} fragment F on ${type.name} { __typename ${name} }`],
    },
  ];
}

/** A call of a field with its required arguments, but for one, and these. */
function callOf(
  type: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  besides: GraphQLArgument | undefined,
  text: string,
  directive = '',
): string {
  const others = argumentsOf(type.name, {
    ...field,
    args: field.args.filter((one) => one !== besides),
  }).slice(1, -1);
  const selection = isObjectType(getNamedType(field.type)) ? ' { __typename }' : '';
  return `${field.name}(${[others, text].filter((one) => one !== '').join(', ')})${directive}${selection}`;
}

function atArguments(
  select: Select,
  type: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
): Place[] {
  const asked = (text: string, arg?: GraphQLArgument, directive?: string): string =>
    select(type.name, callOf(type, field, arg, text, directive));
  const on = `${type.name}.${field.name}`;
  return [
    { what: `an argument of ${on}`, kind: 'member', of: on, ask: (name) => [asked(`${name}: "x"`)] },
    {
      what: `an argument of ${on} with a variable`,
      kind: 'member',
      of: on,
      ask: (name) => [withVariable(asked(`${name}: $v`), '$v: String = "x"'), { v: 'x' }],
    },
    ...field.args.flatMap((arg) =>
      atValues(on, arg, (text, directive) => asked(`${arg.name}: ${text}`, arg, directive)),
    ),
  ];
}

const withVariable = (operation: string, definition: string): string =>
  operation.startsWith('mutation')
    ? operation.replace('mutation', `mutation (${definition})`)
    : `query (${definition}) ${operation}`;

/** Gaps inside what an argument is given: in the document, in a variable's default and in the variables' JSON. */
function atValues(
  on: string,
  arg: GraphQLArgument,
  asked: (text: string, directive?: string) => string,
): Place[] {
  const gaps = gapsOf(arg);
  return gaps.flatMap(({ of, literal, json }): Place[] => {
    const at = `something of ${of} below ${on}(${arg.name}:)`;
    const common = { kind: 'member', of } as const;
    return [
      { what: at, ...common, ask: (name) => [asked(literal(name))] },
      {
        what: `${at} in a default`,
        ...common,
        ask: (name) => [withVariable(asked('$v'), `$v: ${String(arg.type)} = ${literal(name)}`)],
      },
      {
        what: `${at} in a variable`,
        ...common,
        ask: (name, hidden) => [
          withVariable(asked('$v'), `$v: ${String(arg.type)}`),
          { v: json(name, hidden) },
        ],
      },
      {
        what: `${at} in a variable of a field that is left out`,
        ...common,
        ask: (name, hidden) => [
          withVariable(asked('$v', ' @skip(if: $no)'), `$v: ${String(arg.type)}, $no: Boolean!`),
          { v: json(name, hidden), no: true },
        ],
      },
    ];
  });
}

interface Gap {
  /** The enum or input object. */
  readonly of: string;
  readonly literal: (name: string) => string;
  readonly json: (name: string, hidden: string) => unknown;
}

function gapsOf(input: GraphQLArgument | GraphQLInputField, depth = 0): Gap[] {
  const type = getNamedType(input.type);
  if (isEnumType(type)) return [{ of: type.name, literal: (name) => name, json: (name) => name }];
  if (!isInputObjectType(type) || depth > 2) return [];
  const inner = Object.values(type.getFields()).flatMap((field) =>
    gapsOf(field, depth + 1).map(({ of, literal, json }) => ({
      of,
      literal: (name: string) => `{ ${field.name}: ${literal(name)} }`,
      json: (name: string, hidden: string) => ({ [field.name]: json(name, hidden) }),
    })),
  );
  return [
    {
      of: type.name,
      literal: (name) => `{ ${name}: "x" }`,
      json: (name, hidden) => ({ [name]: valueOf(type.name, hidden) }),
    },
    ...inner,
  ];
}

/** What the whole schema would take there, so that nothing but the name can be at fault. */
function valueOf(input: string, name: string): unknown {
  const type = whole.getType(input);
  const field = isInputObjectType(type) ? type.getFields()[name] : undefined;
  return field === undefined ? 'x' : valueFromASTUntyped(parseValue(literalOf(field.type)));
}

function atTypes(select: Select, types: readonly GraphQLObjectType[]): Place[] {
  const place = (what: string, ask: Place['ask']): Place => ({ what, kind: 'type', ask });
  return [
    ...types.flatMap(({ name: type }) => [
      place(`a condition on ${type}`, (name) => [select(type, `... on ${name} { id }`)]),
      place(`a fragment on ${type}`, (name) => [
        `${select(type, '...F')} fragment F on ${name} { __typename }`,
      ]),
    ]),
    place('the type of a variable', (name) => [`query ($v: ${name}) { viewer { __typename } }`]),
    place('the type of a variable in use', (name) => [
      `query ($v: [${name}!]!) { customers(filter: $v) { totalCount } }`,
      { v: [{ id: 'x' }] },
    ]),
    place('introspection', (name) => [
      `{ __type(name: "${name}") { kind description fields { name } enumValues { name } inputFields { name } } }`,
    ]),
    place('introspection with a variable', (name) => [
      'query ($n: String!) { ...F } fragment F on Query { a: __type(name: $n) { name possibleTypes { name } } }',
      { n: name },
    ]),
  ];
}

const atDirectives = (select: Select, types: readonly GraphQLObjectType[]): Place[] => [
  ...types.map(({ name: type }): Place => ({
    what: `a directive on a field of ${type}`,
    kind: 'directive',
    ask: (name) => [select(type, `__typename @${name}(name: "x")`)],
  })),
  {
    what: 'a directive on the operation',
    kind: 'directive',
    ask: (name) => [`query Q @${name} { viewer { __typename } }`],
  },
  {
    what: 'an argument of a directive',
    kind: 'member',
    ask: (name) => [`{ viewer @skip(${name}: true) { __typename } }`],
  },
];

interface Mutated {
  readonly place: Place;
  readonly name: string;
  readonly against: Control;
}

/**
 * What the answer for a hidden name is held against: that of a server in which it never was, the same for a name
 * one letter off, which a suggestion would lead to the hidden one, and that for a name that nothing ever had.
 */
type Control = 'never was' | 'near' | 'invented';

const against = fc.constantFrom<Control>('never was', 'never was', 'near', 'invented');

/** Half of them name what is hidden in that very place, the others any hidden name of the kind. */
const some = fc
  .record({ pick: fc.nat(), at: fc.nat(), isOwn: fc.boolean(), against })
  .map((drawn): Mutated => {
    const from = drawn.isOwn ? pointed : places;
    const place = from[drawn.at % from.length];
    if (place === undefined) throw new Error('There are no places.');
    const names = drawn.isOwn ? ownNames(place) : hidden[place.kind];
    return { place, name: names[drawn.pick % names.length] ?? '', against: drawn.against };
  });

async function expectNoDifference({ place, name, against }: Mutated): Promise<void> {
  const what = `${place.what}, ${against}: ${place.ask(name, name)[0]}`;
  const ask = (of: TestServer, asked: string): Promise<Raw> =>
    raw(of, agent.token, ...place.ask(asked, name));
  if (against === 'invented') {
    const invented = inventedFor(name);
    const [here, there] = await Promise.all([ask(server, name), ask(server, invented)]);
    // A name that is also a word of the message cannot be put back.
    if (there.text.includes(name)) return;
    expect(withoutSuggestions(without(here, name)), what).toEqual(
      withoutSuggestions(without(there, invented)),
    );
    return;
  }
  const asked = against === 'near' ? `${name.slice(0, -1)}${name.endsWith('z') ? 'y' : 'z'}` : name;
  const [here, there] = await Promise.all([ask(server, asked), ask(lacking, asked)]);
  expect(here, what).toEqual(there);
}

test('a document that is known to be valid hides as much as one that is new, in variables of fields that are left out too', async () => {
  const inVariables = pointed.filter(({ what }) => what.includes('in a variable'));
  expect(inVariables.length).toBeGreaterThan(6);
  for (const place of inVariables) {
    for (const name of ownNames(place)) {
      // From the second time on that a document is asked it is known.
      for (let time = 0; time < 3; time += 1) await expectNoDifference({ place, name, against: 'never was' });
      await expectNoDifference({ place, name, against: 'near' });
    }
  }
});

const batches = volume(100);
const batchSize = 50;
const documents = batches * batchSize;

test(`${documents.toLocaleString('en')} documents have byte-equal answers whether a name in them is hidden or does not exist`, async () => {
  expect(places.length).toBeGreaterThan(1_000);
  expect(pointed.length).toBeGreaterThan(50);
  for (const [kind, least] of [
    ['member', 100],
    ['type', 60],
    ['directive', 5],
  ] as const) {
    expect(hidden[kind].length, kind).toBeGreaterThan(least);
  }
  let asked = 0;
  const batch = fc.array(some, { minLength: batchSize, maxLength: batchSize });
  await fc.assert(
    fc.asyncProperty(batch, async (mutated) => {
      await Promise.all(mutated.map(expectNoDifference));
      asked += mutated.length;
    }),
    { numRuns: batches, endOnFailure: true },
  );
  expect(asked).toBe(documents);
}, 120_000);
