import fc from 'fast-check';
import { execute, parse, validate, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { describe, expect, test } from 'vitest';
import { Trail } from '../src/audit/trail.js';
import { Authority } from '../src/authority/authority.js';
import { rightsOf } from '../src/authority/rights.js';
import type { Operation, Resolvers } from '../src/delegation/resolver-context.js';
import { readSchemaPolicy } from '../src/graphql/schema/schema-policy.js';
import { RuleMap } from '../src/graphql/rules/rule-map.js';
import { executableSchema } from '../src/graphql/schema/executable-schema.js';
import { shielded } from '../src/graphql/rules/shield.js';

const sdl = `
  directive @scope(name: String!, of: String) on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
  directive @plain on ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | INPUT_OBJECT
  directive @defineScope(name: String!, description: String!, peopleOnly: Boolean! = false) repeatable on SCHEMA
  schema
    @defineScope(name: "pets:read", description: "")
    @defineScope(name: "pets:weigh", description: "")
    @defineScope(name: "people:read", description: "") {
    query: Query
  }
  type Query {
    pets(filter: PetFilter): [Pet!] @scope(name: "pets:read")
    cat(name: String @scope(name: "pets:read", of: "Cat.name")): Cat @scope(name: "pets:read")
  }
  interface Pet { name: String @scope(name: "pets:read") }
  type Cat implements Pet {
    name: String @scope(name: "pets:read")
    weight: Int @scope(name: "pets:weigh")
    owner: Person @scope(name: "people:read")
    friends: [Cat!] @scope(name: "pets:read")
  }
  type Dog implements Pet {
    name: String @scope(name: "people:read")
  }
  union Being = Cat | Person
  type Person {
    name: String @scope(name: "people:read")
    loves: [Being!] @scope(name: "people:read")
  }
  input PetFilter {
    name: String @scope(name: "pets:read", of: "Cat.name")
    any: [PetFilter!]
    heavierThan: Int @scope(name: "pets:weigh", of: "Cat.weight")
  }
`;

const ada: object = { __typename: 'Person', name: 'Ada', loves: () => [tom, ada] };
const kit: object = { __typename: 'Cat', name: 'Kit', weight: 2, owner: null, friends: [] };
const tom: object = { __typename: 'Cat', name: 'Tom', weight: 5, owner: ada, friends: [kit, kit] };
const rex: object = { __typename: 'Dog', name: 'Rex' };
// Of all fields only these have resolvers of their own.
const resolvers: Resolvers = { Query: { pets: () => [tom, rex, kit], cat: () => tom } };

const scopes = ['pets:read', 'pets:weigh', 'people:read'];

function operationOf(held: readonly string[]): Operation {
  const person = { id: 'p', name: 'p', displayName: 'p' };
  const layer = {
    layer: 'person' as const,
    id: 'p',
    rights: rightsOf(held, new Map()),
    needsApproval: new Set<string>(),
  };
  const authority = new Authority({
    ...{ chain: { person, agents: [] }, task: undefined, tokenId: 't', expiresAt: Infinity, version: 1 },
    ...{ layers: [layer], tokenScopes: new Set(scopes), ceiling: new Set(scopes) },
  });
  return { authority, trail: new Trail() } as unknown as Operation;
}

const plain = (): GraphQLSchema => executableSchema(sdl, [resolvers]);
const guardOf = (schema: GraphQLSchema): RuleMap => new RuleMap(readSchemaPolicy(schema));

async function run(
  schema: GraphQLSchema,
  held: readonly string[],
  source: string,
  variableValues = {},
): Promise<ExecutionResult> {
  const document = parse(source);
  expect(validate(schema, document)).toEqual([]);
  return execute({ schema, document, contextValue: operationOf(held), variableValues });
}

const schema = plain();
const guarded = shielded(schema, guardOf(schema));
const codes = (result: ExecutionResult): unknown[] =>
  (result.errors ?? []).map((error) => [
    error.path?.join('.'),
    (error.originalError as { code?: string } | undefined)?.code,
  ]);

describe('what is refused', () => {
  test('a field without a resolver of its own is guarded as any other', async () => {
    const result = await run(guarded, ['pets:read'], '{ cat { name weight } }');
    expect(result.data).toEqual({ cat: { name: 'Tom', weight: null } });
    expect(codes(result)).toEqual([['cat.weight', 'FORBIDDEN']]);
  });

  test('a field below lists and beside others is refused in each place, and only there', async () => {
    const result = await run(guarded, ['pets:read'], '{ cat { friends { name weight } weight } }');
    expect(result.data).toEqual({
      cat: {
        friends: [
          { name: 'Kit', weight: null },
          { name: 'Kit', weight: null },
        ],
        weight: null,
      },
    });
    expect(codes(result).length).toBe(3);
  });

  test('an interface and a union hide no rule: the object type decides', async () => {
    const pets = await run(guarded, ['pets:read'], '{ pets { name ... on Cat { weight } } }');
    expect(pets.data).toEqual({
      pets: [{ name: 'Tom', weight: null }, { name: null }, { name: 'Kit', weight: null }],
    });
    const loves = '{ cat { owner { loves { ... on Cat { weight } ... on Person { name } } } } }';
    const beings = await run(guarded, ['pets:read', 'people:read'], loves);
    expect(beings.data).toEqual({ cat: { owner: { loves: [{ weight: null }, { name: 'Ada' }] } } });
  });

  test('an input is seen however it comes: written, nested, in a variable', async () => {
    const written = '{ pets(filter: { any: [{ name: "x" }, { heavierThan: 3 }] }) { name } }';
    expect(codes(await run(guarded, ['pets:read'], written))).toEqual([['pets', 'FORBIDDEN']]);
    const variable = 'query ($filter: PetFilter) { pets(filter: $filter) { name } }';
    const filter = { any: [{ any: [{ heavierThan: 3 }] }] };
    expect(codes(await run(guarded, ['pets:read'], variable, { filter }))).toEqual([['pets', 'FORBIDDEN']]);
    expect((await run(guarded, ['pets:read', 'people:read'], variable, {})).errors).toBeUndefined();
  });

  test('a type that comes up behind the rules is denied', async () => {
    const late = executableSchema(
      `${sdl} extend type Query { late: Late @scope(name: "pets:read") } type Late { name: String @scope(name: "pets:read") }`,
      [resolvers, { Query: { late: () => ({ name: 'leaked' }) } }],
    );
    const ruleMap = guardOf(late);
    const whole = late.getTypeMap();
    const known = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== 'Late'));
    let looks = 0;
    late.getTypeMap = () => ((looks += 1) === 1 ? known : whole);
    const result = await run(shielded(late, ruleMap), scopes, '{ late { name } }');
    expect(result.data).toEqual({ late: { name: null } });
    expect(codes(result)).toEqual([['late.name', 'FORBIDDEN']]);
    expect(result.errors?.[0]?.message).toBe('No rule allows this.');
  });

  test('a rule that cannot decide denies', async () => {
    const other = plain();
    const policy = readSchemaPolicy(other);
    const without = new Map([...policy.scopes].filter(([coordinate]) => coordinate !== 'Cat.weight'));
    const ruleMap = new RuleMap({ ...policy, ...{ rows: policy.rows, scopes: without } });
    const result = await run(shielded(other, ruleMap), scopes, '{ cat { name weight } }');
    expect(result.data).toEqual({ cat: { name: 'Tom', weight: null } });
    expect(result.errors).toHaveLength(1);
  });
});

/** What is to come of an answer where some scopes are missing: null in place of each refused field. */
function without(value: unknown, held: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, held));
  if (value === null || typeof value !== 'object') return value;
  const { __typename: type = 'Query' } = value as { __typename?: string };
  const { scopes: needed } = readSchemaPolicy(schema);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const scope = needed.get(`${type}.${name}`);
      return [name, scope === undefined || held.includes(scope) ? without(inner, held) : null];
    }),
  );
}

const selection: fc.Arbitrary<string> = fc.letrec<{ cat: string; person: string }>((tie) => {
  const some = (fields: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
    fc
      .array(fc.oneof({ depthSize: 'small' }, ...fields), { maxLength: 4 })
      .map((chosen) => `{ __typename ${[...new Set(chosen)].join(' ')} }`);
  return {
    cat: some([
      fc.constantFrom('name', 'weight'),
      tie('cat').map((inner) => `friends ${inner}`),
      tie('person').map((inner) => `owner ${inner}`),
    ]),
    person: some([
      fc.constant('name'),
      tie('cat').map((inner) => `loves { ... on Cat ${inner} ... on Person { __typename name } }`),
    ]),
  };
}).cat;

test('shielded is plain execution with null in place of what is refused, whatever is asked', async () => {
  await fc.assert(
    fc.asyncProperty(selection, fc.subarray(scopes), async (asked, held) => {
      const source = `{ cat ${asked} }`;
      const whole = await run(schema, held, source);
      const allowed = await run(guarded, scopes, source);
      expect(allowed).toEqual(whole);
      const part = await run(guarded, held, source);
      expect(JSON.parse(JSON.stringify(part.data))).toEqual(
        without(JSON.parse(JSON.stringify(whole.data)), held),
      );
      for (const [, code] of codes(part) as [string, string][]) expect(code).toBe('FORBIDDEN');
    }),
    { numRuns: 200 },
  );
});
