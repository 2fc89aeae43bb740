import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutLists, type Cut } from '../src/transports/mcp/cut-lists.js';
import { responseResult, type ResponseError } from '../src/transports/mcp/results.js';
import { volume } from './support/volume.js';

/** Characters of a result, as docs/mcp.md says. */
const resultMax = 24_000;

/** The value at a place. A name has no dot in it here. */
const at = (data: unknown, path: string): unknown =>
  path === '' ? data : path.split('.').reduce<unknown>((value, name) => (value as Data)[name], data);
type Data = Readonly<Record<string, unknown>>;

/** What a result should show: these lists, cut, and nothing else lost. */
function shownBy(data: unknown, cut: readonly Cut[]): unknown {
  const expected = structuredClone(data);
  for (const { path, shown, of } of cut) {
    const list = at(expected, path) as unknown[];
    expect({ path, of }).toEqual({ path, of: list.length });
    expect(shown).toBeLessThan(of);
    list.length = shown;
  }
  return expected;
}

const names = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 6 })
  .map((name) => name.replaceAll('.', ','));
const leaf = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.boolean(),
);
/** Objects and lists in each other. */
const { value: tree } = fc.letrec<{ value: unknown; list: unknown[]; object: Data }>((tie) => ({
  list: fc
    .tuple(fc.array(tie('value'), { maxLength: 5 }), fc.constantFrom(1, 1, 2, 4))
    .map(([values, times]) => Array.from({ length: times }, () => structuredClone(values)).flat()),
  object: fc.dictionary(names, tie('value'), { maxKeys: 4 }),
  value: fc.oneof({ maxDepth: 3, depthSize: 'small' }, leaf, tie('list'), tie('object')),
}));

const rowsOf = (row: unknown, count: number): unknown[] =>
  Array.from({ length: count }, () => structuredClone(row));

test(`${String(volume(20_000, 500))} random values are cut to the size that is asked for, and the cuts are exact`, () => {
  let wereCut = 0;
  fc.assert(
    fc.property(tree, fc.nat(30), fc.integer({ min: 2, max: 3_000 }), (row, rows, charactersMax) => {
      const value = { a: rowsOf(row, rows), b: { c: row } };
      const before = structuredClone(value);
      const cut = cutLists(value, charactersMax);
      if (cut === undefined) return;
      wereCut += cut.length;
      expect(JSON.stringify(value).length + JSON.stringify(cut).length).toBeLessThanOrEqual(charactersMax);
      expect(value).toEqual(shownBy(before, cut));
      if (JSON.stringify(before).length + 2 <= charactersMax) expect(cut).toEqual([]);
    }),
    { numRuns: volume(20_000, 500) },
  );
  expect(wereCut).toBeGreaterThan(20);
});

/** Each scope may be named. */
const any = (): boolean => true;

const errors: fc.Arbitrary<ResponseError> = fc.record({
  message: fc.string({ unit: 'binary', maxLength: 3_000, size: 'max' }),
  path: fc.array(fc.oneof(fc.nat(100), fc.string({ maxLength: 300, size: 'max' })), { maxLength: 6 }),
  extensions: fc.record({ code: fc.constant('FORBIDDEN'), hint: fc.string({ maxLength: 300 }) }),
});

test('a result has no more characters than it may, whatever its rows and errors', () => {
  let wereCut = 0;
  fc.assert(
    fc.property(
      fc.dictionary(names, tree, { maxKeys: 4 }),
      fc.nat(100),
      fc.array(errors, { maxLength: 30 }),
      (row, rows, some) => {
        const nodes = rowsOf(row, rows);
        const { json } = responseResult(
          JSON.stringify({ data: { list: { nodes } }, errors: some }),
          'ID',
          any,
        );
        expect(json.length).toBeLessThanOrEqual(resultMax);
        const { data, cut = [] } = JSON.parse(json) as { data: unknown; cut?: Cut[] };
        wereCut += cut.length;
        if (data !== null) expect(data).toEqual(shownBy({ list: { nodes } }, cut));
        else expect(cut).toMatchObject([{ path: '', shown: 0 }]);
      },
    ),
    { numRuns: volume(2_000, 100) },
  );
  expect(wereCut).toBeGreaterThan(5);
});

test('a long list keeps its beginning, as much as fits', () => {
  const nodes = Array.from({ length: 1_000 }, (_, id) => ({ id, text: 'x'.repeat(100) }));
  const { json } = responseResult(JSON.stringify({ data: { list: { nodes } } }), 'ID', any);
  const { data, cut } = JSON.parse(json) as { data: { list: { nodes: unknown[] } }; cut: Cut[] };
  expect(json.length).toBeGreaterThan(resultMax - 300);
  expect(cut).toMatchObject([{ path: 'list.nodes', shown: data.list.nodes.length, of: 1_000 }]);
  expect(data.list.nodes).toEqual(nodes.slice(0, data.list.nodes.length));
});

test('a list within the only row is cut, not the row', () => {
  const orders = Array.from({ length: 500 }, (_, id) => ({ id, text: 'x'.repeat(100) }));
  const data = { customers: [{ name: 'A', orders }] };
  const { json } = responseResult(JSON.stringify({ data }), 'ID', any);
  expect(JSON.parse(json)).toMatchObject({ cut: [{ path: 'customers.0.orders', of: 500 }] });
});

test('nulls are left out, also beside a member with the name of a prototype', () => {
  const body = '{"data":{"__proto__":{"a":null,"b":1},"c":null,"d":[null,{"e":null}]}}';
  const { json } = responseResult(body, 'ID', any);
  expect(json).toBe('{"data":{"__proto__":{"b":1},"d":[null,{}]},"operationId":"ID"}');
});

test.each([
  ['{"data":{"a":["x"]}}\n', '{"data":{"a":["x"]},"operationId":"ID"}'],
  ['{"data":{"a":["x"]}}', '{"data":{"a":["x"]},"operationId":"ID"}'],
  ['{"data":null,"errors":[{"message":"M"}]}', '{"data":null,"errors":[{"message":"M"}],"operationId":"ID"}'],
  ['{"data":{"a":"null"}}', '{"data":{"a":"null"},"operationId":"ID"}'],
  ['{"data":{"a":1},"extensions":{}}', '{"data":{"a":1},"operationId":"ID"}'],
  ['{"data":{"errors":[1]}}', '{"data":{"errors":[1]},"operationId":"ID"}'],
])('the response %s gives the result %s', (body, json) => {
  expect(responseResult(body, 'ID', any).json).toBe(json);
});

/** Counts how often a list is looked at: no clock tells that on a busy machine. */
test('a result of 20,000 rows with lists of their own is cut in one look at each', () => {
  let looks = 0;
  const watched = (): object =>
    new Proxy(
      { id: 1, lines: [1, 2, 3] },
      {
        ownKeys: (target) => {
          looks += 1;
          return Reflect.ownKeys(target);
        },
      },
    );
  const rows = Array.from({ length: 20_000 }, watched);
  expect(cutLists({ rows }, 10_000)).toMatchObject([{ path: 'rows', of: 20_000 }]);
  expect(looks).toBe(20_000);
});
