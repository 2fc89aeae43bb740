// databases: sqlite, mariadb
import {
  buildSchema,
  getNamedType,
  isInputObjectType,
  isLeafType,
  isListType,
  getNullableType,
  isNonNullType,
  isObjectType,
  type GraphQLInputType,
} from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSdl } from '../../../src/graphql/schema/sdl.js';
import { catalog } from '../../support/administration.js';
import { argumentsOf } from '../../support/documents.js';
import { loadDocuments } from '../../support/demo-rows.js';
import { addRegions } from '../../support/regions.js';
import { everywhere, TestServer, type PersonFixture } from '../../support/server.js';

const schema = buildSchema(readSdl());
let server: TestServer;
let person: PersonFixture;
beforeAll(async () => {
  server = await TestServer.start();
  await addRegions(server);
  await loadDocuments(server.database, server.ids);
  person = await server.person({
    scopes: [...catalog.definitions.keys()],
    boundary: { ...everywhere, person: 'all' },
  });
});
afterAll(() => server.stop());

const id = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
/** What drivers and databases differ about, or choke on, as JSON. */
const texts = [
  '',
  ' ',
  'x'.repeat(27),
  'x'.repeat(300),
  'x'.repeat(70_000),
  '\u0000',
  `${id}\u0000`,
  '\u0001\u001f\u007f\u0085',
  '\u2028\u202e\u200b\ufeff',
  '😀'.repeat(300),
  `${id} `,
  id.toLowerCase(),
  '%_\\',
  '\'"`;--',
  '__proto__',
  'constructor',
];
const numbers = [-2_147_483_648, 2_147_483_647, 0, -1];
const times = [
  '0001-01-01T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '9999-12-31T23:59:59-14:00',
  '+275760-09-13T00:00:00.000Z',
  '-271821-04-20T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '1969-12-31T23:59:59.999Z',
  '2026-01-01T00:00:00.000000000001Z',
  'x'.repeat(70_000),
  '',
];
const decimals = [
  '9'.repeat(40),
  '-0',
  '1e400',
  '0.' + '0'.repeat(400) + '1',
  'NaN',
  '',
  '-9007199254740993',
];
const byScalar: Readonly<Record<string, readonly unknown[]>> = {
  ID: texts,
  String: texts,
  Int: numbers,
  DateTime: times,
  Decimal: decimals,
  Boolean: [true],
};

/** A value for an input type that has one of the awkward ones at this place alone. */
function* valuesOf(type: GraphQLInputType): Generator {
  const bare = getNullableType(type);
  if (isListType(bare)) {
    for (const value of valuesOf(bare.ofType)) yield [value];
    return;
  }
  if (isInputObjectType(bare)) {
    const fields = Object.values(bare.getFields());
    for (const field of fields) {
      const others = fields.filter((one) => one !== field && isNonNullType(one.type));
      const beside = Object.fromEntries(others.map((one) => [one.name, [...valuesOf(one.type)][0]] as const));
      for (const value of valuesOf(field.type)) yield { ...beside, [field.name]: value };
    }
    return;
  }
  if (isLeafType(bare)) yield* byScalar[bare.name] ?? [];
}

interface Ask {
  readonly at: string;
  readonly query: string;
  readonly value: unknown;
}

/** Every argument of every field that a query leads to, of the root and one step below its lists. */
function* asks(): Generator<Ask> {
  const root = schema.getQueryType();
  for (const field of Object.values(root?.getFields() ?? {})) {
    const named = getNamedType(field.type);
    const inner = isObjectType(named) ? ' { __typename }' : '';
    for (const argument of field.args) {
      const others = argumentsOf('Query', { ...field, args: field.args.filter((one) => one !== argument) });
      const beside = others === '' ? '' : `, ${others.slice(1, -1)}`;
      const query = `query ($v: ${String(argument.type)}) { ${field.name}(${argument.name}: $v${beside})${inner} }`;
      const at = `Query.${field.name}(${argument.name}:)`;
      for (const value of valuesOf(argument.type)) yield { at, query, value };
    }
  }
}

test('31 no value of any argument or filter of a query is told as a failure of ours', async () => {
  const all = [...asks()];
  expect(new Set(all.map(({ at }) => at)).size).toBeGreaterThan(60);
  const failed: unknown[] = [];
  const some = [...all];
  const worker = async (): Promise<void> => {
    for (let one = some.pop(); one !== undefined; one = some.pop()) {
      const { errors, status } = await server.query(person.token, one.query, { v: one.value });
      const codes = errors.map((error) => error.extensions.code);
      const isFault = codes.some(
        (code) => code === 'INTERNAL' || code === 'AUDIT_UNAVAILABLE' || code === undefined,
      );
      if (isFault || status >= 500)
        failed.push({ at: one.at, value: JSON.stringify(one.value).slice(0, 100), codes, status });
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  expect(failed.length, JSON.stringify(failed.slice(0, 40), null, 1)).toBe(0);
}, 300_000);
