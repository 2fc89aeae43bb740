// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Adopted } from '../support/adopted.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const tables = [
  'CREATE TABLE shop (shop_no INTEGER PRIMARY KEY, area VARCHAR(40) NOT NULL, rate DECIMAL(8,2))',
  'CREATE TABLE film (film_no INTEGER PRIMARY KEY, shop_no INTEGER NOT NULL, title VARCHAR(100) NOT NULL, length INTEGER, price DECIMAL(8,2), score FLOAT)',
  'CREATE TABLE line (film_no INTEGER NOT NULL, at INTEGER NOT NULL, note VARCHAR(20), PRIMARY KEY (film_no, at))',
  'CREATE TABLE loose (note VARCHAR(20))',
  'CREATE TABLE price (price_no INTEGER PRIMARY KEY, amount INTEGER NOT NULL)',
];

const everywhere = 'unbounded: ["customer", "region", "collection", "classification", "person"]';

/** A company's files. What is wrong with a line stands behind it, each after `#!`. */
const files: Readonly<Record<string, string>> = {
  'a-broken.graphql': `extend schema @defineScope(name: "toys:read", description: "Read toys.")
type Toy {
  name String #! Syntax Error: Expected ":", found Name "String".
}
`,
  'b-scopes.graphql': `extend schema
  @defineScope(name: "films:read", description: "Read films.")
  @defineScope(name: "films:price", description: "Read prices.")
  @defineScope(name: "films:read", description: "Read films.") #! The scope films:read is defined twice.
  @defineScope(name: "customers:read", description: "Read ours.") #! The scope customers:read ships, and roles hold it: name yours otherwise.
  @defineScope(name: "films", description: "All of films.") #! The scope films is not written resource:action, such as films:read.
  @defineScope(name: "films:write") #! Argument "description" of required type "String!" was not provided.
  @defineDimension(name: "person", description: "Ours.") #! The dimension person ships already: name yours otherwise.
schema { query: Query } #! The schema is there already: write \`extend schema\`.
`,
  'c-film.graphql': `
"A film."
type Film #! Film has the dimension region at the path shop.aera, which leads nowhere: Shop has no field and shop no column aera.
  @table(name: "film", one: "film", many: "films", order: { by: "title" })
  @query(one: "film", list: "films")
  @rows(scope: "films:read", bounds: [{ dimension: "region", path: "shop.aera" }], unbounded: ["customer", "collection", "classification", "person"]) {
  id: ID! @scope(name: "films:read")
  title: String! @scope(name: "films:read") @filter(by: STARTS_WITH) @sort
  name: String @scope(name: "films:read") @colum(name: "title") #! There is no directive @colum.
  words: String @scope(name: "films:read") @column(names: "title") #! @column has no argument names.
  minutes: Int @scope(name: "films:read") @column(name: "length") @filter(by: NEAR) #! Argument "by" has invalid value NEAR.
  length: Int #! Film.length has no @scope.
  cost: Decimal @scope(name: "films:prize") @column(name: "price") #! Film.cost names an undefined scope: films:prize: define it by @defineScope in \`extend schema\`, or correct the name.
  rating: Int @scope(name: "films:read") #! Film.rating is in the column film.rating, which does not exist: correct the name, or leave the field out.
  price: String @scope(name: "films:price") #! Film.price is of the type String, and film.price is read as Decimal.
  kind: Genre @scope(name: "films:read") #! There is no type Genre: define it, or correct the name.
  toy: Toy @scope(name: "toys:read") @reference(column: "shop_no")
  shop: Shop @scope(name: "films:read") @reference(column: ["shop_no", "film_no"]) #! Film.shop leads to shop by film.shop_no, film.film_no, and the key of shop is shop_no.
  notes: [Note!] @scope(name: "films:read") @children(column: "film_no") #! Film.notes is a page of Note, which has no @table.
  lines: [Line!] @scope(name: "films:read") @children(column: "film") #! Film.lines is in the column line.film, which does not exist: correct the name, or leave the field out.
  title: String @scope(name: "films:read") #! Film.title is defined twice.
  since: String @scope(name: "films:read") @column(name: "title") @filter(by: FROM) #! Film.since is of the type String, which FROM cannot compare.
  code: String! @scope(name: "films:price") @column(name: "title") #! Film.code must be nullable: a caller may lack its scope.
  rate: Float @scope(name: "films:read") @column(name: "score") @sort #! Film.rate cannot be sorted by: film.score is sorted otherwise than it compares.
}

type Note {
  text: String @scope(name: "films:read")
  size: Int #! Note.size has no @scope.
}
`,
  'd-others.graphql': `
type Shop #! Shop is sorted by name, which is no field of it. #! Query.documents is made of Shop, and ships already: name yours otherwise. #! Shop must either bound or name as unbounded: collection. #! Shop names an unknown dimension: colection; there are customer, region, collection, classification, person.
  @table(name: "shop", one: "shop", many: "shops", order: { by: "name" })
  @query(list: "documents")
  @rows(scope: "films:read", unbounded: ["customer", "region", "colection", "classification", "person"]) {
  id: ID! @scope(name: "films:read")
  area: String @scope(name: "films:read")
}
type Line #! Line has a @table and no @rows: say which scope sees its rows.
  @table(name: "line", one: "line", many: "lines", order: { by: "at" }) {
  id: ID! @scope(name: "films:read")
  at: Int! @scope(name: "films:read")
}
type Loose @table(name: "loose", one: "note", many: "notes", order: { by: "note" }) @rows(scope: "films:read", ${everywhere}) { #! Loose cannot be over loose: it has no primary key.
  id: ID! @scope(name: "films:read")
  note: String @scope(name: "films:read")
}
type Gone @table(name: "gone", one: "gone", many: "gone", order: { by: "note" }) @rows(scope: "films:read", ${everywhere}) { #! Gone names the table gone, which does not exist.
  id: ID! @scope(name: "films:read")
  note: String @scope(name: "films:read")
}
type Far @table(name: "shop.film", one: "film", many: "films", order: { by: "note" }) @rows(scope: "films:read", ${everywhere}) { #! Far names the table shop.film: name it alone. Tables are in the database of DATABASE_URL, because a change and its record are one transaction.
  id: ID! @scope(name: "films:read")
  note: String @scope(name: "films:read")
}
type Bare @rows(scope: "films:read", ${everywhere}) { #! Bare has @rows and no @table: say which table its rows are in.
  note: String @scope(name: "films:read")
}
type Document { #! Document ships already: name yours otherwise.
  note: String @scope(name: "films:read")
}
extend type Nothing { #! There is no type Nothing to extend.
  note: String @scope(name: "films:read")
}
extend type Query {
  films: Int @scope(name: "films:read") #! Query.films is made of Film: leave it out.
  tell(how: Int): Int @scope(name: "films:read") #! Query.tell(how:) has no @scope.
  show(note: Note @plain): Int @scope(name: "films:read") #! The type of Query.show(note:) must be Input Type but got: Note.
}
`,
  // Names and inputs that would make the SDL unreadable hide no other fault.
  'e-price.graphql': `
type Price #! Price has @create, and no field is @writable by it. #! "the price" is no name: letters, digits and _. #! "drop price" is no name: letters, digits and _.
  @table(name: "price", one: "price", many: "prices", order: { by: "amount" })
  @query(one: "the price", list: "prices")
  @create(mutation: "addPrice", scope: "films:price")
  @delete(mutation: "drop price", scope: "films:price")
  @rows(scope: "films:read", ${everywhere}) {
  id: ID! @scope(name: "films:read")
  amount: Int! @scope(name: "films:read") @filter(by: EQUALS, name: "an amount") #! "an amount" is no name: letters, digits and _.
  loose: Loose @scope(name: "films:read") @reference(column: "amount")
  version: String! @scope(name: "films:read") @version
}
`,
};

/** What the files say of themselves. */
const expected = Object.entries(files).flatMap(([name, text]) =>
  text.split('\n').flatMap((line, at) =>
    line
      .split('#!')
      .slice(1)
      .map((message) => `schema/${name}:${String(at + 1)}: ${message.trim()}`),
  ),
);

const toldIn = (text: string): string[] => text.trimEnd().split('\n- ').slice(1);

describe('a folder with every kind of mistake', () => {
  let adopted: Adopted;
  beforeAll(async () => {
    adopted = await Adopted.of(tables);
    for (const [name, text] of Object.entries(files)) adopted.write(`schema/${name}`, text);
  });
  afterAll(() => adopted.drop());

  test('does not start, and each mistake is told once with its file and line', async () => {
    expect(expected.length).toBeGreaterThan(30);
    const refusal = await adopted.refusal();
    const told = toldIn(refusal);
    expect([...told].sort().join('\n'), refusal).toEqual([...expected].sort().join('\n'));
    expect([...told].sort()).toEqual([...expected].sort());
    const lines = told.map((fault) => fault.split(':').slice(0, 2).join(':'));
    expect(lines).toEqual(expected.map((fault) => fault.split(':').slice(0, 2).join(':')));
  });

  test('is told the same by `check`', async () => {
    const ended = await adopted.cli.run(['check', 'company']);
    expect([ended.code, toldIn(ended.stderr).sort()]).toEqual([1, [...expected].sort()]);
  });
});
