// databases: sqlite, mariadb
import fc from 'fast-check';
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  getNamedType,
  getVariableValues,
  isInputObjectType,
  isObjectType,
  Kind,
  parse,
  validate,
  type GraphQLError,
  type GraphQLSchema,
  type IntrospectionQuery,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedRoles } from '../../src/admin/shipped-roles.js';
import { coordinatesOf, type Coordinate } from '../support/coordinates.js';
import { argumentsOf, operationAt } from '../support/documents.js';
import { expectNoDifference, inventedFor, raw } from '../support/no-oracle.js';
import { scopedSdl } from '../support/scoped-sdl.js';
import { TestServer, type AgentFixture } from '../support/server.js';
import { volume } from '../support/volume.js';

const whole = buildSchema(scopedSdl);
const support = shippedRoles.find((role) => role.name === 'support-agent')?.scopes ?? [];

let server: TestServer;
let agent: AgentFixture;
/** What the caller sees, by its own introspection. */
let view: GraphQLSchema;
let hidden: Coordinate[];

beforeAll(async () => {
  server = await TestServer.start({ sdl: scopedSdl });
  const person = await server.person({
    scopes: [...server.app.scopes],
  });
  agent = await server.agent(person, { scopes: support });
  const { data } = await server.query(
    agent.token,
    getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true }),
  );
  view = buildClientSchema(data as IntrospectionQuery);
  const seen = new Set(coordinatesOf(view).map((one) => one.text));
  // An argument of a hidden field is asked for with its field.
  const isBeside = (one: Coordinate): boolean =>
    one.kind !== 'argument' || seen.has(`${one.type}.${one.member}`);
  hidden = coordinatesOf(whole).filter((one) => !seen.has(one.text) && isBeside(one));
});
afterAll(() => server.stop());

type Ask = (name: string) => readonly [query: string, variables?: object];

/** How a hidden coordinate can be asked for: by each of these with its name, or an invented one, put in. */
function waysTo(one: Coordinate): { readonly name: string; readonly asks: readonly Ask[] } {
  const owner = view.getType(one.type);
  if (owner === undefined) return { name: one.type, asks: waysToType(isObjectType(whole.getType(one.type))) };
  const field = isObjectType(owner) ? owner.getFields()[one.member] : undefined;
  switch (one.kind) {
    case 'field':
      return {
        name: one.member,
        asks: [
          (name) => [operationAt(view, one.type, name)],
          (name) => [operationAt(view, one.type, `a: ${name}(first: 1, x: {}) { id nodes { id } }`)],
          (name) => [
            `fragment F on ${one.type} { ...G } fragment G on ${one.type} { ${name} } { viewer { __typename } }`,
          ],
        ],
      };
    case 'argument': {
      if (field === undefined) throw new Error(`${one.text} is of no field that is seen`);
      const others = argumentsOf(one.type, field).slice(1, -1);
      const rest = others === '' ? '' : `, ${others}`;
      return {
        name: one.argument ?? '',
        asks: [(name) => [operationAt(view, one.type, `${one.member}(${name}: "x"${rest}) { __typename }`)]],
      };
    }
    case 'input':
      return {
        name: one.member,
        asks: waysToInput(
          one.type,
          (name) => `{ ${name}: "x" }`,
          (name) => ({ [name]: 'x' }),
        ),
      };
    case 'value':
      return {
        name: one.member,
        asks: [
          (name) => [`{ documents(filter: { classification: ${name} }) { totalCount } }`],
          (name) => [
            'query ($c: Classification) { documents(filter: { classification: $c }) { totalCount } }',
            { c: name },
          ],
        ],
      };
  }
}

const waysToType = (isObject: boolean): Ask[] => [
  (name) => [
    `{ __type(name: "${name}") { name kind fields { name } inputFields { name } enumValues { name } } }`,
  ],
  (name) => [
    'query ($name: String!) { ...F } fragment F on Query { __type(name: $name) { name } }',
    { name },
  ],
  (name) => [`query ($v: ${name}) { viewer { __typename } customers(filter: $v) { totalCount } }`],
  (name) => [
    isObject ? `{ viewer { ... on ${name} { id } } }` : `query ($v: [${name}!]!) { viewer { __typename } }`,
  ],
];

/** An input object stands behind an argument of some field: in the document, and in a variable. */
function waysToInput(
  typeName: string,
  literal: (name: string) => string,
  value: (name: string) => object,
): Ask[] {
  for (const type of Object.values(view.getTypeMap())) {
    for (const field of isObjectType(type) ? Object.values(type.getFields()) : []) {
      const arg = field.args.find((one) => getNamedType(one.type).name === typeName);
      if (arg === undefined || !isInputObjectType(getNamedType(arg.type))) continue;
      const at = (text: string): string =>
        operationAt(view, type.name, `${field.name}(${arg.name}: ${text}) { __typename }`);
      return [
        (name) => [at(literal(name))],
        (name) => [`query ($v: ${typeName}) ${at('$v')}`, { v: value(name) }],
      ];
    }
  }
  throw new Error(`No argument takes ${typeName}.`);
}

/** What somebody who knows no more than the caller's introspection would expect to be told. */
function expectedOf(
  query: string,
  variables: Readonly<Record<string, unknown>> = {},
): readonly GraphQLError[] {
  const document = parse(query);
  const errors = validate(view, document);
  if (errors.length > 0) return errors;
  const operation = document.definitions.find((one) => one.kind === Kind.OPERATION_DEFINITION);
  return getVariableValues(view, operation?.variableDefinitions ?? [], variables).errors ?? [];
}

test('what is hidden cannot be told from what does not exist, however it is asked for', async () => {
  expect(hidden.length).toBeGreaterThan(200);

  const some = fc.constantFrom(...(['field', 'argument', 'input', 'value'] as const)).chain((kind) => {
    // Half of them where the type itself is seen: there is the difference to look for.
    const ofKind = hidden.filter((one) => one.kind === kind);
    const beside = ofKind.filter((one) => view.getType(one.type) !== undefined);
    expect(beside.length, kind).toBeGreaterThan(0);
    return fc.oneof(fc.constantFrom(...ofKind), fc.constantFrom(...beside));
  });
  await fc.assert(
    fc.asyncProperty(some, fc.nat(), async (one, pick) => {
      const { name, asks } = waysTo(one);
      const ask = asks[pick % asks.length] ?? asks[0];
      if (ask === undefined) throw new Error('no way');
      const answer = await expectNoDifference(server, agent.token, ask, name, inventedFor(name));
      const [query, variables] = ask(name);
      const errors = expectedOf(query, variables as Record<string, unknown> | undefined);
      const told = JSON.parse(answer.text) as { errors?: { message: string; extensions: object }[] };
      // Suggestions included: all of it follows from the caller's own schema.
      expect(told.errors?.map((error) => error.message) ?? []).toEqual(errors.map((error) => error.message));
      for (const { extensions } of told.errors ?? []) {
        expect(extensions).toEqual({ code: 'BAD_USER_INPUT', operationId: '<operation>' });
      }
    }),
    { numRuns: volume(150) },
  );
});

describe('each kind once, by name', () => {
  const table: readonly (readonly [what: string, ask: Ask, name: string])[] = [
    ['a query', (name) => [`{ ${name} { totalCount } }`], 'payments'],
    ['a query beside a near name that is seen', (name) => [`{ ${name} { totalCount } }`], 'refunds'],
    ['a field', (name) => [`{ customers { nodes { ${name} { amount } } } }`], 'creditLimit'],
    [
      'a mutation',
      (name) => [`mutation { ${name}(paymentId: "x", idempotencyKey: "k") { refund { id } } }`],
      'issueRefund',
    ],
    [
      'a mutation of another domain',
      (name) => [`mutation { ${name}(idempotencyKey: "k") { stopped } }`],
      'stopEverything',
    ],
    ['a type', (name) => [`{ __type(name: "${name}") { name fields { name } } }`], 'Refund'],
    ['a type in a fragment', (name) => [`{ customers { nodes { ... on ${name} { id } } } }`], 'AuditRecord'],
    ['an input type', (name) => [`query ($f: ${name}) { viewer { __typename } }`], 'RefundFilter'],
  ];

  test.each(table)('%s', async (_what, ask, name) => {
    expect(coordinatesOf(whole).some((one) => one.member === name || one.type === name)).toBe(true);
    await expectNoDifference(server, agent.token, ask, name, inventedFor(name));
  });
});

test('introspection, also by fragments, names nothing that is hidden', async () => {
  const query = `{ ...All } fragment All on Query { __schema { types { ...T } directives { name } } }
    fragment T on __Type {
      name description
      fields(includeDeprecated: true) { name description args { name description } }
      inputFields { name description } enumValues { name description } possibleTypes { name }
    }`;
  const { status, text } = await raw(server, agent.token, query);
  expect(status).toBe(200);
  const types = new Set(hidden.map((one) => one.type).filter((type) => view.getType(type) === undefined));
  expect(types.size).toBeGreaterThan(60);
  for (const type of types) expect(text).not.toMatch(new RegExp(`\\b${type}\\b`));
  for (const scope of ['refunds:', 'payments:', 'users:', 'stock:', 'customers:read_credit']) {
    expect(text, scope).not.toContain(scope);
  }
  for (const name of ['scope', 'rows', 'plain', 'personal', 'defineScope']) {
    expect(text).not.toContain(`{"name":"${name}"}`);
  }
});

test('what is asked of oneself names no scope above the ceiling', async () => {
  const { data } = await server.query(
    agent.token,
    '{ viewer { scopes requestableScopes boundaries { scope } } }',
  );
  expect(data.viewer.scopes).toEqual([...support, 'session:read'].sort());
  expect(data.viewer.requestableScopes).toEqual([]);
  expect((data.viewer.boundaries as { scope: string }[]).map((one) => one.scope)).toEqual(data.viewer.scopes);
});
