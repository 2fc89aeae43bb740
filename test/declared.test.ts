import { buildSchema } from 'graphql';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expandSdl } from '../src/domains/declared/expand.js';
import { printDefinitions } from '../src/graphql/schema/print-schema.js';
import { schemaFolder } from '../src/graphql/schema/sdl.js';

const shipped = (name: string): string => readFileSync(join(schemaFolder(), `${name}.graphql`), 'utf8');
const [base, mapping] = [{ name: 'base.graphql', text: shipped('base') }, shipped('mapping')];

const expand = (text: string) => expandSdl([base, { name: 'shop.graphql', text }], mapping);

/** What is told of a faulty file, a line each, without the head. */
function faultsOf(text: string): string[] {
  try {
    expand(text);
  } catch (error) {
    return (error as Error).message.split('\n- ').slice(1);
  }
  return [];
}

const film = (fields: string, more = '@query(list: "films")'): string => `
extend schema @defineScope(name: "films:read", description: "Read films.")
"Something to watch."
type Film
  @table(name: "film", one: "film", many: "films", order: { by: "title" })
  @rows(scope: "films:read", unbounded: ["customer", "region", "collection", "classification", "person"])
  ${more} {
  "Its id."
  id: ID! @scope(name: "films:read")
  "Its title."
  title: String! @scope(name: "films:read") @filter(by: STARTS_WITH) @sort
${fields}
}
`;

describe('what is made of a type', () => {
  test('is its root fields, filter, order, page and edge, with the scopes of what they look at', () => {
    const { sdl } = expand(
      film(
        `  "How long it is, in minutes."
  length: Int @scope(name: "films:read") @filter(by: AT_MOST) @sort(description: "By how long they are.")
  "When it was bought."
  boughtAt: DateTime! @scope(name: "films:read") @personal @filter(by: FROM) @filter(by: BEFORE)
  "The film that it goes on from."
  sequelOf: Film @reference(column: "sequel_of") @scope(name: "films:read")
  "The films that go on from it."
  sequels: [Film!] @children(column: "sequel_of") @scope(name: "films:read")`,
        '@query(one: "film", list: "films")',
      ),
    );
    expect(buildSchema(sdl).getQueryType()?.getFields()).toHaveProperty('films');
    const made = printDefinitions(sdl).filter(({ name }) => name?.startsWith('Film') === true);
    const text = made.map((one) => one.text).join('\n\n');
    expect(text).not.toMatch(/@(?:table|query|filter|sort|reference|children)\b/);
    expect(text).toMatchInlineSnapshot(`
      ""Which films."
      input FilmFilter {
        "Bought at this time or later."
        boughtAfter: DateTime @scope(name: "films:read", of: "Film.boughtAt") @personal
        "Bought before this time."
        boughtBefore: DateTime @scope(name: "films:read", of: "Film.boughtAt") @personal
        "With the length so high or lower."
        lengthAtMost: Int @scope(name: "films:read", of: "Film.length")
        "Whose title begins so, in this very spelling."
        titleStartsWith: String @scope(name: "films:read", of: "Film.title")
      }

      "How to sort films."
      input FilmOrder @oneOf {
        "By how long they are."
        length: Direction @scope(name: "films:read", of: "Film.length")
        "By title."
        title: Direction @scope(name: "films:read", of: "Film.title")
      }

      "Something to watch."
      type Film @rows(scope: "films:read", unbounded: ["customer", "region", "collection", "classification", "person"]) {
        "When it was bought."
        boughtAt: DateTime! @scope(name: "films:read") @personal
        "Its id."
        id: ID! @scope(name: "films:read")
        "How long it is, in minutes."
        length: Int @scope(name: "films:read")
        "The film that it goes on from."
        sequelOf: Film @scope(name: "films:read")
        "The films that go on from it."
        sequels(
          "Which of them; all conditions hold at once."
          filter: FilmFilter
          "How to sort."
          orderBy: FilmOrder
          "How many; 20 unless said."
          first: Int @plain
          "The cursor after which to go on."
          after: String @plain
        ): FilmConnection @scope(name: "films:read")
        "Its title."
        title: String! @scope(name: "films:read")
      }

      "A page of films."
      type FilmConnection {
        "The films with their cursors."
        edges: [FilmEdge!]! @scope(name: "films:read")
        "The films."
        nodes: [Film!]! @scope(name: "films:read")
        "Where the page ends."
        pageInfo: PageInfo! @scope(name: "films:read")
        "How many there are inside the caller's boundary, on all pages together."
        totalCount: Int! @scope(name: "films:read") @cost(weight: 10)
      }

      "A film in a page."
      type FilmEdge {
        "Where it stands in the list."
        cursor: String! @scope(name: "films:read") @cost(weight: 20)
        "The row."
        node: Film! @scope(name: "films:read")
      }"
    `);
    const query = printDefinitions(sdl).find(({ name }) => name === 'Query')?.text;
    expect(query).toMatchInlineSnapshot(`
      ""What may be asked."
      type Query {
        "One film; null where it is not there or out of reach."
        film(
          "The film's id."
          id: ID! @plain
        ): Film @scope(name: "films:read")
        "Films, by title unless sorted otherwise."
        films(
          "Which of them; all conditions hold at once."
          filter: FilmFilter
          "How to sort."
          orderBy: FilmOrder
          "How many; 20 unless said."
          first: Int @plain
          "The cursor after which to go on."
          after: String @plain
        ): FilmConnection @scope(name: "films:read")
        "Who the caller is: the chain, the task, and what it allows."
        viewer: Viewer! @scope(name: "session:read")
      }"
    `);
  });

  test('stands beside what is written, letter for letter', () => {
    const written =
      '"A note. # not a comment"\ntype Note {\n  """\n  Text,\n\n  long\n  """\n  a: Int # why\n}\n';
    expect(expand(written).sdl).toContain(written);
  });

  test('has the words as they are written, whatever they hold', () => {
    const { sdl } = expand(film('').replace('many: "films"', String.raw`many: "thi\"ngs \\ \u0041"`));
    const page = buildSchema(sdl).getType('FilmConnection');
    expect(page?.description).toBe('A page of thi"ngs \\ A.');
  });

  test('says nothing of other orders where callers cannot sort', () => {
    const { sdl } = expand(film('').replace(' @sort', ''));
    expect(buildSchema(sdl).getQueryType()?.getFields().films?.description).toBe('Films, by title.');
  });

  test('is none of a file of comments', () => {
    expect(expand('# nothing yet\n').types).toEqual([]);
  });
});

/** A fault, the line of `film` on which it stands, and what is told. */
const faults: readonly (readonly [what: string, text: string, line: number, told: string])[] = [
  ['letters that are no SDL', 'type {', 1, 'Syntax Error: Expected Name, found "{".'],
  [
    'a directive that there is not',
    film('a: Int @scope(name: "films:read") @fliter(by: EQUALS)'),
    12,
    'There is no directive @fliter.',
  ],
  [
    'an argument that there is not',
    film('a: Int @scope(name: "films:read") @sort(text: "By a.")'),
    12,
    '@sort has no argument text.',
  ],
  [
    'a value of the wrong kind',
    film('a: Int @scope(name: "films:read") @filter(by: NEAR)'),
    12,
    'Argument "by" has invalid value NEAR.',
  ],
  [
    'an argument that is missing',
    film('a: Int @scope(name: "films:read") @column'),
    12,
    'Argument "name" of required type "String!" was not provided.',
  ],
  ['a field without a scope', film('a: Int'), 12, 'Film.a has no @scope.'],
  [
    'a directive twice',
    film('a: Int @scope(name: "films:read") @sort @sort'),
    12,
    '@sort stands here twice.',
  ],
  ['a directive of fields on a type', film('', '@sort'), 7, '@sort does not stand on a type.'],
  [
    'a mapping of an argument',
    `${film('')}extend type Query {\n  a(b: Int @filter(by: EQUALS)): Int @scope(name: "films:read")\n}`,
    15,
    '@filter stands on a type with @table, or on a field of it.',
  ],
  [
    'a name that is none',
    film('a: Int @scope(name: "films:read") @filter(by: EQUALS, name: "x: Int @plain y")'),
    12,
    '"x: Int @plain y" is no name: letters, digits and _.',
  ],
  [
    'an order that shows what not everybody may see',
    film('a: Int @scope(name: "films:cost")').replace('by: "title"', 'by: "a"'),
    4,
    'Film is sorted by a, which not everybody may see who sees its rows.',
  ],
  ['a type that is defined twice', `${film('')}type Film {\n  a: Int\n}`, 14, 'Film is defined twice.'],
  [
    'a row found by a number',
    film('a: Int @scope(name: "films:read") @find(query: "filmByA")'),
    12,
    'Film.a is of the type Int, which no root field can find by.',
  ],
  [
    'an order by no field',
    film('').replace('by: "title"', 'by: "name"'),
    4,
    'Film is sorted by name, which is no field of it.',
  ],
  [
    'a table whose rows nobody sees',
    film('').replace(/ {2}@rows.*\n/, ''),
    4,
    'Film has a @table and no @rows: say which scope sees its rows.',
  ],
  [
    'a mapping without a table',
    film('').replace(/ {2}@table.*\n/, ''),
    6,
    '@query needs a type with @table, and this is a type without it.',
  ],
  [
    'a mapping in an extension',
    `${film('')}extend type Film {\n  a: Int @scope(name: "films:read") @sort\n}`,
    15,
    '@sort needs a type with @table, and this is an extension.',
  ],
  [
    'two sources',
    film('a: Int @scope(name: "films:read") @column(name: "b") @code'),
    12,
    'Film.a has @column and @code: say one of them.',
  ],
  [
    'a list of values',
    film('a: [Int!] @scope(name: "films:read")'),
    12,
    'Film.a is a list: say @children or @code.',
  ],
  [
    'children that are no list',
    film('a: Film @scope(name: "films:read") @children(column: "b")'),
    12,
    'Film.a has @children: write its type as a list, such as [Order!].',
  ],
  [
    'children of a type without a table',
    film('a: [Money!] @scope(name: "films:read") @children(column: "b")'),
    12,
    'Film.a is a page of Money, which has no @table.',
  ],
  [
    'children with arguments',
    film('a(b: Int): [Film!] @scope(name: "films:read") @children(column: "b")'),
    12,
    'Film.a has @children, which makes its arguments: leave them out.',
  ],
  [
    'a reference that cannot be null',
    film('a: Film! @scope(name: "films:read") @reference(column: "b")'),
    12,
    'Film.a has @reference: its type is one row that may be out of reach, so nullable.',
  ],
  [
    'money that is a number',
    film('a: Int @scope(name: "films:read") @money(minor: "b")'),
    12,
    'Film.a has @money: its type is Money.',
  ],
  [
    'a filter by code',
    film('a: Int @scope(name: "films:read") @code @filter(by: EQUALS)'),
    12,
    'Film.a is no column, so @filter does not apply to it.',
  ],
  [
    'a text compared as a time',
    film('a: String @scope(name: "films:read") @filter(by: FROM)'),
    12,
    'Film.a is of the type String, which FROM cannot compare.',
  ],
  [
    'a number that begins with letters',
    film('a: Int @scope(name: "films:read") @filter(by: STARTS_WITH)'),
    12,
    'Film.a is of the type Int, which STARTS_WITH cannot compare.',
  ],
  [
    'two conditions of one name',
    film('titleStartsWith: Int @scope(name: "films:read") @filter(by: EQUALS)'),
    4,
    'FilmFilter.titleStartsWith is made twice, of title and of titleStartsWith: name one otherwise.',
  ],
  [
    'a written type of a made name',
    `${film('')}input FilmFilter @plain {\n  a: Int\n}`,
    14,
    'FilmFilter is made of Film: leave it out.',
  ],
  [
    'a written root field of a made name',
    `${film('')}extend type Query {\n  films: Int @scope(name: "films:read")\n}`,
    15,
    'Query.films is made of Film: leave it out.',
  ],
  [
    'a root field of two types',
    `${film('')}${film('').replaceAll(/\bFilm\b/g, 'Movie')}`,
    17,
    'Query.films is made twice, of Film and of Movie: name one otherwise.',
  ],
];

describe('a faulty file is told with its line:', () => {
  test.each(faults)('%s', (_, text, line, told) => {
    expect(faultsOf(text)).toContain(`shop.graphql:${String(line)}: ${told}`);
  });

  test('all faults of all files are told at once', () => {
    const files = faults.slice(1, 4).map(([, text], at) => ({
      name: `${String(at)}.graphql`,
      text: text.replaceAll('Film', `Film${String(at)}`).replaceAll('films', `films_${'abc'.charAt(at)}`),
    }));
    expect(() => expandSdl([base, ...files], mapping)).toThrow(
      /0\.graphql:12: .*\n- 1\.graphql:12: .*\n- 2\.graphql:12: /,
    );
  });
});
