import fc from 'fast-check';
import { parse, type DocumentNode } from 'graphql';
import { expect, test } from 'vitest';
import { cutLists, type Cut } from '../src/transports/mcp/cut-lists.js';
import { shownPart } from '../src/transports/mcp/shown-part.js';
import type { ResponseError } from '../src/transports/mcp/graphql-response.js';
import { responseResult, type Ran } from '../src/transports/mcp/results.js';
import { volume } from './support/volume.js';

/** Characters of a result, as docs/mcp.md says. */
const resultMax = 24_000;

/** The value at a place. A name has no dot in it here. */
const at = (data: unknown, path: string): unknown =>
  path === '' ? data : path.split('.').reduce<unknown>((value, name) => (value as Data)[name], data);
type Data = Readonly<Record<string, unknown>>;

/** JSON without members that are null. */
const jsonOf = (value: unknown): string =>
  JSON.stringify(value, function (this: unknown, _name, member: unknown) {
    return member === null && !Array.isArray(this) ? undefined : member;
  });

/** The data that a result should have: these lists cut, and nothing else lost but nulls. */
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
  fc.constant(null),
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
      const cuts = cutLists({ data: value }, charactersMax);
      if (typeof cuts === 'string') return;
      const { cut } = cuts;
      wereCut += cut.length;
      const shown = JSON.stringify(shownPart(value, cuts));
      expect(value).toEqual(before);
      expect(shown.length + JSON.stringify(cut).length).toBeLessThanOrEqual(charactersMax);
      expect(shown).toBe(jsonOf(shownBy(before, cut)));
      if (jsonOf(before).length + 2 <= charactersMax) expect(cut).toEqual([]);
    }),
    { numRuns: volume(20_000, 500) },
  );
  expect(wereCut).toBeGreaterThan(20);
});

const ran: Ran = { operationId: 'ID', takes: 'in variables' };

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
          ran,
          any,
        );
        expect(json.length).toBeLessThanOrEqual(resultMax);
        const { data, cut = [] } = JSON.parse(json) as { data: unknown; cut?: Cut[] };
        wereCut += cut.length;
        if (data !== null) expect(JSON.stringify(data)).toBe(jsonOf(shownBy({ list: { nodes } }, cut)));
        else expect(cut).toMatchObject([{ path: '', shown: 0 }]);
      },
    ),
    { numRuns: volume(2_000, 100) },
  );
  expect(wereCut).toBeGreaterThan(5);
});

interface Row {
  readonly id: number;
  readonly text: string;
  readonly cursor: string;
  readonly lines: readonly Row[];
}
const rowOf = (lines: fc.Arbitrary<readonly Row[]>): fc.Arbitrary<Row> =>
  fc.record({
    id: fc.nat(),
    text: fc.oneof(fc.nat(100), fc.nat(3_000)).map((length) => 'x'.repeat(length)),
    // Of any length: that of the last row that is shown takes the place of another.
    cursor: fc.tuple(fc.nat(), fc.nat(300)).map(([id, length]) => `${String(id)}.${'c'.repeat(length)}`),
    lines,
  });
const table = fc.uniqueArray(
  rowOf(fc.uniqueArray(rowOf(fc.constant([])), { maxLength: 8, selector: ({ cursor }) => cursor })),
  { maxLength: 60, size: 'max', selector: ({ cursor }) => cursor },
);

/** Documents of a page, and how each row of a list stands in its answer. */
const pageForms = {
  nodes: ['nodes { id text LINES }', 'pageInfo { hasNextPage endCursor }'],
  aliases: ['rows: nodes { id text LINES }', 'end: pageInfo { more: hasNextPage __proto__: endCursor }'],
  edges: ['edges { cursor node { id text LINES } }', '...End'],
  both: ['edges { at: cursor }', 'nodes { id text LINES } ... { pageInfo { hasNextPage endCursor } }'],
} as const;
type Form = keyof typeof pageForms;
const forms = fc.constantFrom(...(Object.keys(pageForms) as Form[]));

const documentOf = (form: Form, lines: Form): DocumentNode =>
  parse(`query { list { ${pageForms[form].join(' ').replace('LINES', `lines { ${pageForms[lines].join(' ').replace('LINES', '')} }`)} } }
  fragment End on Page { pageInfo { hasNextPage endCursor } }`);

/** The page of a table as its server tells it. */
function pageOf(form: Form, rows: readonly Row[], hasNextPage: boolean, lines?: Form): Data {
  const cursor = rows.at(-1)?.cursor ?? null;
  const row = ({ id, text, lines: within }: Row): Data =>
    lines === undefined ? { id, text, nothing: null } : { id, text, lines: pageOf(lines, within, false) };
  const pageInfo = { hasNextPage, endCursor: cursor };
  switch (form) {
    case 'nodes':
      return { nodes: rows.map(row), pageInfo };
    case 'aliases':
      return { rows: rows.map(row), end: { more: hasNextPage, ['__proto__']: cursor } };
    case 'edges':
      return { edges: rows.map((one) => ({ cursor: one.cursor, node: row(one) })), pageInfo };
    case 'both':
      return { edges: rows.map((one) => ({ at: one.cursor })), nodes: rows.map(row), pageInfo };
  }
}

interface ShownPage {
  readonly rows: readonly { readonly id: number; readonly lines?: Data }[];
  readonly hasNextPage: boolean;
  readonly endCursor: string | undefined;
}
/** The page as its reader takes it from an answer. */
function read(form: Form, page: Data): ShownPage {
  const { nodes, rows, edges, pageInfo, end } = page as {
    readonly [name in 'nodes' | 'rows']?: ShownPage['rows'];
  } & { readonly edges?: readonly { readonly node: ShownPage['rows'][number] }[] } & {
    readonly [name in 'pageInfo' | 'end']?: Data;
  };
  if (form === 'both') expect(edges).toHaveLength(nodes?.length ?? 0);
  const told = Object.entries(pageInfo ?? end ?? {});
  const member = (...names: string[]): unknown => told.find(([name]) => names.includes(name))?.[1];
  return {
    rows: nodes ?? rows ?? (edges ?? []).map(({ node }) => node),
    hasNextPage: member('hasNextPage', 'more') as boolean,
    endCursor: member('endCursor', '__proto__') as string | undefined,
  };
}

test(`whoever follows the pages and the cuts of ${String(volume(800, 60))} random tables gets each row once`, () => {
  let [wereCut, hadCursors] = [0, 0];
  fc.assert(
    fc.property(table, forms, forms, (all, form, lines) => {
      const document = documentOf(form, lines);
      const seen: number[] = [];
      let from = 0;
      let first = 50;
      for (;;) {
        const rows = all.slice(from, from + first);
        const list = pageOf(form, rows, from + first < all.length, lines);
        const { json } = responseResult(JSON.stringify({ data: { list } }), { ...ran, document }, any);
        expect(json.length).toBeLessThanOrEqual(resultMax);
        const { data, cut = [] } = JSON.parse(json) as { data: { list: Data } | null; cut?: Cut[] };
        // One row alone is too long.
        if (data === null) return;
        const page = read(form, data.list);
        const ownCut = cut.find(({ path }) => path.split('.').length === 2);
        wereCut += ownCut === undefined ? 0 : 1;
        for (const [at, { lines: within = {} }] of page.rows.entries()) {
          const shown = read(lines, within);
          const of = all[from + at]?.lines ?? [];
          expect(shown.hasNextPage).toBe(shown.rows.length < of.length);
          if (shown.endCursor !== undefined) expect(shown.endCursor).toBe(of[shown.rows.length - 1]?.cursor);
          else expect(shown.hasNextPage || of.length === 0).toBe(true);
        }
        if (page.hasNextPage && page.endCursor === undefined) {
          expect(ownCut?.next).toContain(`\`first: ${String(page.rows.length)}\``);
          first = page.rows.length;
          continue;
        }
        hadCursors += ownCut === undefined ? 0 : 1;
        seen.push(...page.rows.map(({ id }) => id));
        if (!page.hasNextPage) break;
        from = all.findIndex(({ cursor }) => cursor === page.endCursor) + 1;
      }
      expect(seen).toEqual(all.map(({ id }) => id));
    }),
    { numRuns: volume(800, 60) },
  );
  expect(Math.min(wereCut, hadCursors)).toBeGreaterThan(20);
});

test('the lists of one page keep the same rows', () => {
  const rows = Array.from({ length: 100 }, (_, id) => ({ id, text: 'x'.repeat(400) }));
  const list = { nodes: rows.map(({ id }) => ({ id })), edges: rows.map((node) => ({ node })) };
  const document = parse('{ list { nodes { id } edges { node { id text } } } }');
  const { json } = responseResult(JSON.stringify({ data: { list } }), { ...ran, document }, any);
  const { cut } = JSON.parse(json) as { cut: Cut[] };
  expect(cut.map(({ path }) => path).sort()).toEqual(['list.edges', 'list.nodes']);
  expect(new Set(cut.map(({ shown }) => shown)).size).toBe(1);
});

test('what cannot be shown is told as it is', () => {
  const cutOf = (data: object, more: Partial<Ran> = {}): Cut[] | undefined =>
    (JSON.parse(responseResult(JSON.stringify({ data }), { ...ran, ...more }, any).json) as { cut?: Cut[] })
      .cut;
  const list = Array.from({ length: 50 }, () => 'x'.repeat(50));
  const lists = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`q${String(at)}`, [...list]]));
  expect(cutOf(lists)?.[0]?.next).toMatch(/^More than 20 lists would be cut/);
  expect(cutOf({ body: 'x'.repeat(30_000) })?.[0]?.next).toMatch(/^The answer is too long/);
  expect(cutOf({ list: [...list, 'x'.repeat(23_000)] })?.[0]?.next).toMatch(/^It has no pages/);
  for (const data of [lists, { body: 'x'.repeat(30_000) }, { list: [...list, 'x'.repeat(23_000)] }])
    expect(cutOf(data, { isMutation: true })?.[0]?.next).toMatch(/^It was done, so do not send it again: /);
});

test('a long list keeps its beginning, as much as fits', () => {
  const nodes = Array.from({ length: 1_000 }, (_, id) => ({ id, text: 'x'.repeat(100) }));
  const { json } = responseResult(JSON.stringify({ data: { list: { nodes } } }), ran, any);
  const { data, cut } = JSON.parse(json) as { data: { list: { nodes: unknown[] } }; cut: Cut[] };
  expect(json.length).toBeGreaterThan(resultMax - 300);
  expect(cut).toMatchObject([{ path: 'list.nodes', shown: data.list.nodes.length, of: 1_000 }]);
  expect(data.list.nodes).toEqual(nodes.slice(0, data.list.nodes.length));
});

test('a list within the only row is cut, not the row', () => {
  const orders = Array.from({ length: 500 }, (_, id) => ({ id, text: 'x'.repeat(100) }));
  const data = { customers: [{ name: 'A', orders }] };
  const { json } = responseResult(JSON.stringify({ data }), ran, any);
  expect(JSON.parse(json)).toMatchObject({ cut: [{ path: 'customers.0.orders', of: 500 }] });
});

test('nulls are left out, also beside a member with the name of a prototype', () => {
  const body = '{"data":{"__proto__":{"a":null,"b":1},"c":null,"d":[null,{"e":null}]}}';
  const { json } = responseResult(body, ran, any);
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
  expect(responseResult(body, ran, any).json).toBe(json);
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
  expect(cutLists({ data: { rows } }, 10_000)).toMatchObject({ cut: [{ path: 'rows', of: 20_000 }] });
  expect(looks).toBe(20_000);
});
