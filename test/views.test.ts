import fc from 'fast-check';
import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  parse,
  printSchema,
  validate,
  validateSchema,
  type GraphQLSchema,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { shippedRoles } from '../src/admin/shipped-roles.js';
import { Annotations, nothingHeld, type ScopeStateOf } from '../src/graphql/view/annotate.js';
import { readSchemaPolicy } from '../src/graphql/schema/schema-policy.js';
import { readSdl } from '../src/graphql/schema/sdl.js';
import { Views } from '../src/graphql/view/views.js';

const head = `
  directive @scope(name: String!, of: String) on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
  directive @plain on ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | INPUT_OBJECT
  directive @rows(scope: String!, bounds: [Bound!]! = [], unbounded: [String!]! = []) on OBJECT
  input Bound { dimension: String! path: String! }
  directive @personal on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION
  directive @defineScope(name: String!, description: String!, peopleOnly: Boolean! = false) repeatable on SCHEMA
  directive @defineDimension(name: String!, description: String!) repeatable on SCHEMA
  directive @shown(as: Size = LARGE, of: Sort) on FIELD
  schema
    @defineScope(name: "session:read", description: "Ask.")
    @defineScope(name: "pets:read", description: "Read pets.")
    @defineScope(name: "pets:weigh", description: "Weigh pets.")
    @defineScope(name: "dogs:read", description: "Read dogs.")
    @defineScope(name: "people:read", description: "Read people.") {
    query: Query
    mutation: Mutation
  }
`;

/** What no shipped type has: interfaces, unions, inputs of nothing but hidden fields, defaults, deprecation. */
const pets = `${head}
  type Query {
    me: String @scope(name: "session:read")
    pets(orderBy: PetSort, filter: PetFilter, only: [Kind!] = [CAT] @plain): [Pet] @scope(name: "pets:read")
    being: Being @scope(name: "session:read")
    dogs(by: Weight!): [Dog] @scope(name: "pets:read")
    sized(size: Size = LARGE @plain): String @scope(name: "session:read") @deprecated(reason: "Ask for pets.")
    old(sort: Sort @plain @deprecated): String @scope(name: "people:read") @deprecated
  }
  type Mutation {
    weigh(input: WeighInput!): Cat @scope(name: "pets:weigh")
  }
  interface Named { name(short: Boolean @plain): String @scope(name: "session:read") }
  interface Pet implements Named {
    name(short: Boolean @plain): String @scope(name: "pets:read")
    weight: Int @scope(name: "pets:read")
    mother: Pet @scope(name: "pets:read")
  }
  type Cat implements Pet & Named {
    name(short: Boolean @plain, loud: Boolean @plain): String @scope(name: "pets:read")
    weight: Int @scope(name: "pets:weigh")
    mother: Cat @scope(name: "pets:read")
    kind: Kind @scope(name: "pets:read")
  }
  type Dog implements Pet & Named {
    name(short: Boolean @plain): String @scope(name: "dogs:read")
    weight: Int @scope(name: "dogs:read")
    mother: Dog @scope(name: "dogs:read")
  }
  type Person { name: String @scope(name: "people:read") }
  union Being = Person | Dog
  enum Kind { CAT LION @scope(name: "pets:weigh") }
  enum Size { SMALL LARGE }
  enum Sort { UP @scope(name: "people:read") DOWN @scope(name: "people:read") }
  input PetSort @oneOf {
    weight: Size @scope(name: "pets:weigh", of: "Cat.weight")
    again: PetSort
  }
  input PetFilter { not: PetFilter, kind: Kind @plain, weight: Weight }
  input Weight { above: Int @scope(name: "pets:weigh", of: "Cat.weight"), not: [Weight!] }
  input WeighInput @plain { cat: ID! weight: Int! }
`;

const everyScope = ['session:read', 'pets:read', 'pets:weigh', 'dogs:read', 'people:read'];
const viewsOf = (sdl: string): Views => {
  const schema = buildSchema(sdl);
  return new Views(schema, readSchemaPolicy(schema));
};
const ofPets = viewsOf(pets);
const seenBy = (...scopes: string[]): GraphQLSchema => ofPets.of(new Set(['session:read', ...scopes])).schema;
const typesOf = (schema: GraphQLSchema): string[] =>
  Object.keys(schema.getTypeMap()).filter(
    (name) => !name.startsWith('__') && !/^(String|Int|ID|Boolean)$/.test(name),
  );
const membersOf = (schema: GraphQLSchema, name: string): string[] => {
  const type = schema.getType(name);
  if (isEnumType(type)) return type.getValues().map((value) => value.name);
  return isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)
    ? Object.keys(type.getFields())
    : [];
};
const argsOf = (schema: GraphQLSchema, name: string): string[] => {
  const field = schema.getQueryType()?.getFields()[name];
  return field?.args.map((arg) => arg.name) ?? [];
};

describe('what is out of reach is gone', () => {
  test('a ceiling of nothing sees what everybody sees, and no type besides', () => {
    const view = seenBy();
    expect(membersOf(view, 'Query')).toEqual(['me', 'sized']);
    expect(typesOf(view)).toEqual(['Query', 'Size']);
    expect(view.getMutationType()).toBeUndefined();
  });

  test('input objects and enums of which nothing is left, and what cannot be called without them', () => {
    const view = seenBy('pets:read');
    expect(argsOf(view, 'pets')).toEqual(['filter', 'only']);
    expect(membersOf(view, 'PetFilter')).toEqual(['not', 'kind']);
    expect(membersOf(view, 'Query')).not.toContain('dogs');
    expect(membersOf(view, 'Kind')).toEqual(['CAT']);
    for (const gone of ['PetSort', 'Weight', 'Sort', 'WeighInput', 'Dog', 'Being']) {
      expect(view.getType(gone), gone).toBeUndefined();
    }
    expect(membersOf(seenBy('pets:weigh', 'pets:read', 'dogs:read'), 'Query')).toContain('dogs');
  });

  test('an interface keeps what all that are left of its types have', () => {
    const cats = seenBy('pets:read');
    expect(membersOf(cats, 'Pet')).toEqual(['name', 'mother']);
    expect(membersOf(cats, 'Cat')).toEqual(['name', 'mother', 'kind']);
    const fewer = seenBy('pets:read', 'people:read', 'pets:weigh');
    expect(membersOf(fewer, 'Pet')).toEqual(['name', 'weight', 'mother']);
    expect(membersOf(seenBy('pets:read', 'dogs:read'), 'Pet')).toEqual(['name', 'mother']);
  });

  test('a union keeps the types that are left, and goes with the last', () => {
    const members = (...scopes: string[]) => /union Being = (.*)/.exec(printSchema(seenBy(...scopes)))?.[1];
    expect(members('people:read', 'dogs:read')).toBe('Person | Dog');
    expect(members('people:read')).toBe('Person');
    expect(members('pets:read')).toBeUndefined();
  });

  test('nothing is left of the directives that say so, nor of the syntax that they stood in', () => {
    const view = seenBy('pets:read');
    const names = view.getDirectives().map(({ name }) => name);
    expect(names.sort()).toEqual(['deprecated', 'include', 'oneOf', 'shown', 'skip', 'specifiedBy']);
    expect(view.getDirective('shown')?.args.map((arg) => arg.name)).toEqual(['as']);
    expect(view.getQueryType()?.astNode).toBeUndefined();
    expect(view.getQueryType()?.getFields().pets?.astNode).toBeUndefined();
  });
});

test('what is left stays as it was: defaults, deprecation, @oneOf', () => {
  const sdl = printSchema(seenBy('pets:read', 'pets:weigh', 'people:read'));
  expect(sdl).toContain('sized(size: Size = LARGE): String @deprecated(reason: "Ask for pets.")');
  expect(sdl).toContain('only: [Kind!] = [CAT]');
  expect(sdl).toContain('input PetSort @oneOf {');
  expect(sdl).toContain('old(sort: Sort @deprecated): String @deprecated');
});

test('a default that uses what has a scope keeps the server from starting', () => {
  const faulty = (from: string, to: string): (() => unknown) => {
    expect(pets).toContain(from);
    return () => readSchemaPolicy(buildSchema(pets.replace(from, to)));
  };
  expect(faulty('[Kind!] = [CAT]', '[Kind!] = [CAT, LION]')).toThrow(
    'Query.pets(only:) has a default that uses Kind.LION, which has a @scope',
  );
  expect(faulty('filter: PetFilter,', 'filter: PetFilter = { weight: { not: [{ above: 1 }] } },')).toThrow(
    'Query.pets(filter:) has a default that uses Weight.above, which has a @scope',
  );
});

test.each([
  ['every kind of type', ofPets, everyScope],
  ['the schema that ships', viewsOf(readSdl()), undefined],
])('every view of %s is a valid schema of nothing but what is reached', (_what, views, scopes) => {
  const all = scopes ?? [...views.policy.definitions.keys()];
  fc.assert(
    fc.property(fc.subarray(all), fc.subarray(all), (ceiling, held) => {
      const within = new Set([...ceiling, 'session:read']);
      const { schema } = views.of(within);
      // Checked anew: the view itself counts as checked.
      const sdl = printSchema(schema);
      expect(validateSchema(buildSchema(sdl, { assumeValidSDL: true }))).toEqual([]);
      for (const scope of all) if (!within.has(scope)) expect(sdl).not.toContain(scope);
      const stateOf: ScopeStateOf = (scope) => (held.includes(scope) ? 'held' : 'missing');
      const marked = new Annotations(views).sdl(within, stateOf);
      // Marks are all that is added.
      expect(printSchema(withoutDescriptions(marked))).toBe(printSchema(withoutDescriptions(sdl)));
      for (const scope of all) if (!within.has(scope)) expect(marked).not.toContain(scope);
    }),
    { numRuns: 60 },
  );
});

const withoutDescriptions = (sdl: string): GraphQLSchema => buildSchema(sdl.replaceAll(/"""[^]*?"""/g, ''));

describe('marks', () => {
  const annotations = new Annotations(ofPets);
  const told = (held: readonly string[], at: RegExp): string => {
    const stateOf: ScopeStateOf = (scope) => (held.includes(scope) ? 'held' : 'missing');
    return at.exec(annotations.sdl(new Set(everyScope), stateOf))?.[1] ?? '';
  };

  test('each coordinate names the scope that it lacks, and a usable one nothing', () => {
    const held = ['session:read', 'pets:read'];
    const weight = /type Cat [^}]*"""\n? *([^"]*?)\s*"""\s*weight: Int/;
    expect(told(held, weight)).toBe('Requestable: needs `pets:weigh`, not held now.');
    expect(told([...held, 'pets:weigh'], /type Cat ([^}]*)weight: Int/)).not.toContain('Requestable');
    expect(told(held, /"""\s*([^"]*?)\s*"""\s*LION/)).toBe('Requestable: needs `pets:weigh`, not held now.');
  });

  test('a type to which nothing leads now says so, and an argument of which nothing can be used', () => {
    const inside = 'Requestable: only with scopes not held now.';
    expect(told(['session:read'], /"""\s*([^"]*?)\s*"""\s*type Cat/)).toBe(inside);
    expect(told(['session:read', 'pets:read'], /"""\s*([^"]*?)\s*"""\s*orderBy: PetSort/)).toBe(inside);
    expect(told(['session:read', 'pets:read'], /"""\s*([^"]*?)\s*"""\s*type Cat/)).toBe('');
  });

  test('what needs a person’s approval does not say that it can be requested', () => {
    const stateOf: ScopeStateOf = (scope) => (scope === 'pets:weigh' ? 'needs_approval' : 'held');
    const sdl = annotations.sdl(new Set(everyScope), stateOf);
    expect(sdl).toContain(
      "Not usable: `pets:weigh` needs a person's approval, which cannot be asked for yet.",
    );
    expect(sdl).not.toContain('needs `pets:weigh`');
  });

  test('a description stays, and its mark has a line of its own', () => {
    const views = viewsOf(readSdl());
    const sdl = new Annotations(views).sdl(new Set(['session:read', 'customers:read']), nothingHeld);
    expect(sdl).toMatch(/One customer; [^\n]*\n +Requestable: needs `customers:read`, not held now\.\n/);
  });

  test('where everything is held, or nothing is asked, nothing is made', () => {
    const few = new Annotations(ofPets);
    expect(few.kept.size).toBe(0);
    for (let count = 0; count < 60; count += 1) {
      few.sdl(new Set(['session:read', `pets:${'x'.repeat(count)}`]), nothingHeld);
    }
    expect(few.kept.size).toBe(50);
  });
});

test('no description of the schema that ships names what its reader cannot reach', () => {
  const views = viewsOf(readSdl());
  const scopes = [...views.policy.definitions.keys()];
  const whole = namesOf(views.of(new Set(scopes)).schema);
  const ceilings = [...shippedRoles.map((role) => role.scopes), ...scopes.map((one) => [one])];
  const faults = new Set<string>();
  for (const ceiling of ceilings) {
    const { schema } = views.of(new Set([...ceiling, 'session:read']));
    const names = namesOf(schema);
    for (const text of printSchema(schema).match(/"""[^]*?"""/g) ?? []) {
      const code = [...text.matchAll(/`([^`]*)`/g)].flatMap(
        ([, inside = '']) => inside.match(/\w+(:\w+)?/g) ?? [],
      );
      const types = text.match(/\b[A-Z][a-z]+[A-Z]\w+/g) ?? [];
      for (const name of [...code, ...types]) {
        const isHidden =
          (whole.has(name) && !names.has(name)) || (scopes.includes(name) && !ceiling.includes(name));
        // Words of every request, which happen to be arguments' names as well.
        if (isHidden && name !== 'query' && name !== 'documentId') faults.add(`${text} names ${name}`);
      }
    }
  }
  expect([...faults]).toEqual([]);
});

const namesOf = (schema: GraphQLSchema): Set<string> =>
  new Set(
    printSchema(schema)
      .replaceAll(/"""[^]*?"""/g, '')
      .match(/\w+/g) ?? [],
  );

test('a hidden name is unknown to validation, suggestions included', () => {
  const view = seenBy('pets:read');
  const told = (source: string): string[] => validate(view, parse(source)).map(({ message }) => message);
  expect(told('{ pets { ... on Cat { weigth } } }')).toEqual(['Cannot query field "weigth" on type "Cat".']);
  expect(told('{ dogs { name } }')).toEqual(['Cannot query field "dogs" on type "Query".']);
  expect(told('{ pets(only: [LION]) { name } }')).toEqual(['Value "LION" does not exist in "Kind" enum.']);
});
