import {
  buildSchema,
  executeSync,
  getIntrospectionQuery,
  getOperationAST,
  parse,
  validate,
  type GraphQLSchema,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { workInTurn } from '../../src/core/event-loop-turns.js';
import { Introspection, type IntrospectionAnswer } from '../../src/graphql/execute/introspection.js';
import { fragmentsOf } from '../../src/graphql/plan/operation-plan.js';
import { readSdl } from '../../src/graphql/schema/sdl.js';
import { selectionOf } from '../../src/graphql/plan/selection.js';

const schema = buildSchema(readSdl());
const inTime = { costMax: 200_000, inTime: () => undefined };

function ask(
  source: string,
  variables: Record<string, unknown> = {},
  more: { introspection?: Introspection; costMax?: number; inTime?: () => void; schema?: GraphQLSchema } = {},
): Promise<IntrospectionAnswer> {
  const { introspection = new Introspection(), ...rest } = more;
  const document = parse(source);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('There is no operation.');
  const { fields } = selectionOf(schema, fragmentsOf(document), operation, variables);
  return introspection.of(rest.schema ?? schema, fields, variables, { document: source, ...inTime, ...rest });
}

const flags = [false, true];
const usual = flags.flatMap((descriptions) =>
  flags.flatMap((schemaDescription) =>
    flags.flatMap((inputValueDeprecation) =>
      flags.map((rest) =>
        getIntrospectionQuery({
          ...{ descriptions, schemaDescription, inputValueDeprecation },
          specifiedByUrl: rest,
          directiveIsRepeatable: rest,
          oneOf: rest,
        }),
      ),
    ),
  ),
);

const others = [
  '{ __schema { __typename types { __typename name } } }',
  '{ a: __type(name: "Order") { fields { name type { name ofType { name } } isDeprecated } } }',
  '{ __type(name: "Nothing") { name } }',
  '{ __type(name: "OrderFilter") { inputFields { name defaultValue type { name kind } } } }',
  '{ __type(name: "Direction") { enumValues(includeDeprecated: true) { name } possibleTypes { name } } }',
  'query ($n: String!, $s: Boolean!) { __type(name: $n) { name kind @skip(if: $s) fields { name @include(if: $s) } } }',
  '{ __schema { ...S } __typename } fragment S on __Schema { queryType { fields { args { name } } } directives { name locations } }',
  '{ __schema { types { name } a: types { kind } types { description } } }',
];

describe('14 introspection is told in turns, and as graphql-js tells it', () => {
  test.each([...usual, ...others])('%#', async (source) => {
    const variables = source.includes('$n') ? { n: 'Customer', s: true } : {};
    expect(validate(schema, parse(source))).toEqual([]);
    const { data } = executeSync({ schema, document: parse(source), variableValues: variables });
    const told = await ask(source, variables);
    expect(JSON.stringify(told.data)).toBe(JSON.stringify(data));
  });

  test('the documents of tools cost little, whatever the size of the schema', async () => {
    for (const source of usual) expect((await ask(source, {}, { costMax: 100 })).cost).toBe(100);
  });

  test('and come from a cache, for each view its own', async () => {
    const introspection = new Introspection();
    const [source = ''] = usual;
    const all = await Promise.all(Array.from({ length: 16 }, () => ask(source, {}, { introspection })));
    expect(new Set(all.map(({ data }) => data)).size).toBe(1);
    const small = buildSchema('type Query { a: Int }');
    const other = await ask(source, {}, { introspection, schema: small });
    expect(JSON.stringify(other.data)).not.toBe(JSON.stringify(all[0]?.data));
  });

  test('what tells more than that costs what it tells, and is not told beyond the budget', async () => {
    const nested =
      '{ __schema { types { fields { type { ofType { fields { type { ofType { fields { name } } } } } } } } } }';
    await expect(ask(nested, {}, { costMax: 1_000 })).rejects.toMatchObject({ code: 'QUERY_TOO_COMPLEX' });
    const twice = '{ __schema { a: types { name } b: types { name } } }';
    const types = Object.keys(schema.getTypeMap()).length;
    expect((await ask(twice)).cost).toBe(1 + 2 * (1 + types));
  });

  test('it takes many turns, and ends with the operation’s time', async () => {
    let turns = 0;
    const nested = '{ __schema { types { fields { type { ofType { fields { name type { name } } } } } } } }';
    const { cost } = await ask(nested, {}, { inTime: () => (turns += 1) });
    expect(turns).toBeGreaterThanOrEqual(Math.floor((cost * 10) / (workInTurn + 5_000)));
    const late = ask(
      nested,
      {},
      {
        inTime: () => {
          throw new Error('late');
        },
      },
    );
    await expect(late).rejects.toThrow('late');
  });
});
