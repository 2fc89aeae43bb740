import { buildSchema } from 'graphql';
import { describe, expect, test } from 'vitest';
import { policyFaultText } from '../src/graphql/schema/policy-fault.js';
import { readSchemaPolicy, type SchemaPolicy } from '../src/graphql/schema/schema-policy.js';
import { untellableRefusals } from '../src/graphql/schema/tellable-refusals.js';
import { readSdl } from '../src/graphql/schema/sdl.js';
import { Views } from '../src/graphql/view/views.js';
import { coordinatesOf, visibleTo } from './support/coordinates.js';

const head = `
  directive @scope(name: String!, of: String) on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
  directive @plain on ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | INPUT_OBJECT
  directive @rows(scope: String!, bounds: [Bound!]! = [], unbounded: [String!]! = []) on OBJECT
  input Bound { dimension: String! path: String! }
  directive @personal on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION
  directive @defineScope(name: String!, description: String!, peopleOnly: Boolean! = false) repeatable on SCHEMA
  directive @defineDimension(name: String!, description: String!, values: String, number: String) repeatable on SCHEMA
  schema
    @defineScope(name: "pets:read", description: "Read pets.")
    @defineScope(name: "pets:weigh", description: "Weigh pets.", peopleOnly: true)
    @defineDimension(name: "house", description: "Where it lives.") {
    query: Query
    mutation: Mutation
  }
`;

const whole = `${head}
  type Query {
    pets(filter: PetFilter, first: Int @plain): [Pet!] @scope(name: "pets:read")
  }
  type Mutation {
    weigh(input: WeighInput!, note: String @plain @personal): Pet! @scope(name: "pets:weigh")
  }
  type Pet @rows(scope: "pets:read", bounds: [{ dimension: "house", path: "house.name" }]) {
    name: String! @scope(name: "pets:read") @personal
    weight: Int @scope(name: "pets:weigh")
    kind: Kind @scope(name: "pets:read")
  }
  enum Kind { CAT SECRET @scope(name: "pets:weigh") }
  input PetFilter {
    name: String @scope(name: "pets:read", of: "Pet.name")
    lighterThan: Int @scope(name: "pets:weigh", of: "Pet.weight")
    not: PetFilter
  }
  input WeighInput @plain { pet: ID! weight: Int! }
`;

const read = (sdl: string): SchemaPolicy => readSchemaPolicy(buildSchema(sdl));

function faultsOf(sdl: string): string[] {
  try {
    read(sdl);
    return [];
  } catch (error) {
    return (error instanceof Error ? error.message : '').split('\n- ').slice(1);
  }
}

describe('what the SDL says is read', () => {
  const policy = read(whole);

  test('the scope of each field, argument, input field and enum value', () => {
    expect(Object.fromEntries(policy.scopes)).toEqual({
      'Query.pets': 'pets:read',
      'Mutation.weigh': 'pets:weigh',
      'Pet.name': 'pets:read',
      'Pet.weight': 'pets:weigh',
      'Pet.kind': 'pets:read',
      'Kind.SECRET': 'pets:weigh',
      'PetFilter.name': 'pets:read',
      'PetFilter.lighterThan': 'pets:weigh',
    });
  });

  test('what selects by no field, and what is personal', () => {
    expect([...policy.plain].sort()).toEqual([
      'Mutation.weigh(note:)',
      'Query.pets(first:)',
      'WeighInput.pet',
      'WeighInput.weight',
    ]);
    expect([...policy.personal].sort()).toEqual(['Mutation.weigh(note:)', 'Pet.name']);
  });

  test('row types with their boundaries, scopes and dimensions', () => {
    expect(policy.rows).toEqual([
      { type: 'Pet', scope: 'pets:read', bounds: new Map([['house', 'house.name']]) },
    ]);
    expect([...policy.definitions.values()].map((one) => [one.name, one.peopleOnly])).toEqual([
      ['pets:read', false],
      ['pets:weigh', true],
    ]);
    expect([...policy.dimensions.keys()]).toEqual(['house']);
  });
});

describe('what is not covered is named', () => {
  const table: readonly (readonly [from: string, to: string, faults: readonly string[]])[] = [
    [
      'weight: Int @scope(name: "pets:weigh")',
      'weight: Int',
      ['Pet.weight has no @scope', 'PetFilter.lighterThan looks at Pet.weight, which does not exist'],
    ],
    ['first: Int @plain', 'first: Int', ['Query.pets(first:) has no @scope']],
    [
      'input WeighInput @plain',
      'input WeighInput',
      ['WeighInput.pet has no @scope', 'WeighInput.weight has no @scope'],
    ],
    ['scope: "pets:read", bounds', 'scope: "pets:see", bounds', ['Pet names an undefined scope: pets:see']],
    [
      'bounds: [{ dimension: "house", path: "house.name" }]',
      '',
      ['Pet must either bound or name as unbounded: house'],
    ],
    [
      'path: "house.name" }]',
      'path: "house.name" }], unbounded: ["house"]',
      ['Pet must either bound or name as unbounded: house'],
    ],
    [
      'dimension: "house"',
      'dimension: "home"',
      ['Pet must either bound or name as unbounded: house', 'Pet names an unknown dimension: home'],
    ],
    [
      'SECRET @scope(name: "pets:weigh")',
      'SECRET @scope(name: "pets:hide")',
      ['Kind.SECRET names an undefined scope: pets:hide'],
    ],
    [
      'lighterThan: Int @scope(name: "pets:weigh"',
      'lighterThan: Int @scope(name: "pets:read"',
      ['PetFilter.lighterThan looks at Pet.weight, which has another scope'],
    ],
    ...['House.name', 'Pet.age', 'Mouse'].map((values): [string, string, string[]] => [
      'description: "Where it lives."',
      `description: "Where it lives." values: "${values}"`,
      [`dimension house has values that are none: ${values}`],
    ]),
    [
      'description: "Where it lives."',
      'description: "Where it lives." values: "Pet.name" number: "Pet.age"',
      ['dimension house has values that are none: Pet.name'],
    ],
  ];

  test.each(table)('%s → %s', (from, to, faults) => {
    expect(whole).toContain(from);
    expect(faultsOf(whole.replace(from, to))).toEqual(faults);
  });

  test('fields that may be refused and may not be null', () => {
    const unable = (sdl: string): string[] =>
      untellableRefusals(buildSchema(sdl), read(sdl)).map(policyFaultText);
    expect(unable(whole)).toEqual([]);
    expect(unable(whole.replace('weight: Int @', 'weight: Int! @'))).toEqual([
      'Pet.weight must be nullable: a caller may lack its scope',
    ]);
    expect(unable(whole.replace('): [Pet!] @', '): [Pet!]! @'))).toEqual([
      'Query.pets must be nullable: a caller may lack its scope',
    ]);
  });
});

describe('a view has what its ceiling reaches and nothing else', () => {
  const texts = (sdl: string, ceiling: readonly string[]): string[] => {
    const schema = buildSchema(sdl);
    return coordinatesOf(new Views(schema, readSchemaPolicy(schema)).of(new Set(ceiling)).schema).map(
      (one) => one.text,
    );
  };

  test('fields of root types, arguments, input fields, enum values and what only they lead to', () => {
    expect(texts(whole, ['pets:read']).sort()).toEqual([
      'Kind.CAT',
      'Pet.kind',
      'Pet.name',
      'PetFilter.name',
      'PetFilter.not',
      'Query.pets',
      'Query.pets(filter:)',
      'Query.pets(first:)',
    ]);
  });

  test('it is the one worked out from the SDL by itself, for every scope alone and all but one', () => {
    const schema = buildSchema(readSdl());
    const policy = readSchemaPolicy(schema);
    const views = new Views(schema, policy);
    const all = [...policy.definitions.keys()];
    for (const scope of all) {
      for (const ceiling of [new Set([scope, 'session:read']), new Set(all.filter((one) => one !== scope))]) {
        const view = coordinatesOf(views.of(new Set([...ceiling, 'session:read'])).schema);
        expect(view.map((one) => one.text).sort(), scope).toEqual([...visibleTo(schema, ceiling)].sort());
      }
    }
  });
});
