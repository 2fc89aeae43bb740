import { buildSchema, getOperationAST, parse, validate } from 'graphql';
import { expect, test } from 'vitest';
import { sufficientScopes } from '../src/graphql/guide/sufficient-scopes.js';

const schema = buildSchema(`
  type Query { rows(by: By, where: Where, kind: Kind, kinds: [Kind!], level: Int = 1): Row other: Int }
  type Row { a: Int b: Int }
  input By @oneOf { a: Kind b: Int inner: By }
  input Where { a: Kind! b: Int = 1 c: Int by: By }
  enum Kind { LOW HIGH }
`);
/** Each coordinate has a scope of its own name. */
const scopes = new Map(
  [
    ...['Query.rows', 'Query.other', 'Query.rows(level:)', 'Query.rows(by:)', 'Row.a', 'Row.b'],
    ...['By.a', 'By.b', 'By.inner', 'Where.b', 'Where.c', 'Kind.LOW', 'Kind.HIGH'],
  ].map((name) => [name, name]),
);

/** The sets without what each call of `rows` needs. */
function sufficient(source: string): string[] {
  const document = parse(source);
  expect(validate(schema, document)).toEqual([]);
  const operation = getOperationAST(document);
  if (operation === null || operation === undefined) throw new Error('There is no operation.');
  const usual = ['Query.rows', 'Query.rows(level:)', 'Row.a'];
  return sufficientScopes(schema, document, operation, scopes).map((set) =>
    [...set]
      .filter((scope) => !usual.includes(scope))
      .sort()
      .join(' '),
  );
}

test.each<[string, string, readonly string[]]>([
  ['nothing of inputs that are left out', '{ rows { a } }', ['']],
  ['the leaf that needs least', '{ rows { a } other }', ['Query.other', '']],
  ['each input that is written', '{ rows(by: {inner: {b: 1}}) { a } }', ['By.b By.inner Query.rows(by:)']],
  [
    'one member of many',
    'query ($x: By!) { rows(by: $x) { a } }',
    ['By.b Query.rows(by:)', 'By.a Kind.LOW Query.rows(by:)', 'By.a Kind.HIGH Query.rows(by:)'],
  ],
  ['no optional variable', 'query ($x: By) { rows(by: $x) { a } }', ['']],
  ['a default that may be null', 'query ($x: By = {b: 1}) { rows(by: $x) { a } }', ['Query.rows(by:)']],
  ['one value of an enum', 'query ($x: Kind!) { rows(kind: $x) { a } }', ['Kind.LOW', 'Kind.HIGH']],
  ['no item of a list', 'query ($x: [Kind!]!) { rows(kinds: $x) { a } }', ['']],
  ['each item that is written', '{ rows(kinds: [LOW, HIGH]) { a } }', ['Kind.HIGH Kind.LOW']],
  ['an item that stands for a list', '{ rows(kinds: LOW) { a } }', ['Kind.LOW']],
  [
    'required members and defaults',
    'query ($x: Where!) { rows(where: $x) { a } }',
    ['Kind.LOW Where.b', 'Kind.HIGH Where.b'],
  ],
  [
    'members that are written',
    'query ($x: Int) { rows(where: {a: LOW, c: $x}) { a } }',
    ['Kind.LOW Where.b'],
  ],
])('a call needs %s', (_name, source, expected) => {
  expect(sufficient(source).sort()).toEqual([...expected].sort());
});
