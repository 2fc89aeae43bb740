import { buildSchema, Kind, parse, type DocumentNode, type OperationDefinitionNode } from 'graphql';
import { describe, expect, test, vi } from 'vitest';
import type { Authority } from '../src/authority/authority.js';
import { AccessRules } from '../src/graphql/plan/access-rules.js';
import { ColumnSelections } from '../src/graphql/schema/column-selections.js';
import { compilable, type Compilable } from '../src/graphql/plan/compilable.js';
import { CompiledOperations } from '../src/graphql/plan/compiled-operations.js';
import type { ColumnSelection } from '../src/store/bounded/column-selection.js';
import type { SchemaPolicy } from '../src/graphql/schema/schema-policy.js';
import { DocumentReach } from '../src/graphql/document/document-check.js';
import type { RuleMap } from '../src/graphql/rules/rule-map.js';
import { DocumentCache } from '../src/graphql/plan/document-cache.js';
import { fragmentsOf, OperationPlan } from '../src/graphql/plan/operation-plan.js';
import { sha256 } from '../src/core/digest.js';
import { redactorOf } from '../src/graphql/document/redact-variables.js';
import { selectionOf } from '../src/graphql/plan/selection.js';

const schema = buildSchema(`
  type Query { thing(id: ID, ids: [ID!], filter: Filter, filters: [Filter!]): Thing things: [Thing!] }
  type Mutation { make: Thing }
  type Thing { id: ID name: String thing: Thing things: [Thing!] }
  input Filter { name: String secret: String inner: Filter }
`);

const operationOf = ({ definitions }: DocumentNode): OperationDefinitionNode =>
  definitions.find((node) => node.kind === Kind.OPERATION_DEFINITION) as OperationDefinitionNode;

function look(text: string, variables: Record<string, unknown> = {}): Compilable | undefined {
  const document = parse(text);
  const operation = operationOf(document);
  return compilable(selectionOf(schema, fragmentsOf(document), operation, variables), operation, document);
}

describe('an operation is compiled', () => {
  test.each([
    ['with plain text', '{ thing(id: "01ARZ3NDEKTSV4RRFFQ69G5FAV") { id } }'],
    ['with a time', '{ thing(id: "2026-01-31T23:59:59.999+02:00") { id } }'],
    [
      'with the same key in different places',
      '{ a: thing { x_y: name b: thing { x_y: name } } b: thing { id } }',
    ],
    ['with a fragment used twice', '{ a: thing { ...F } b: thing { ...F } } fragment F on Thing { id }'],
    ['with __typename everywhere', '{ __typename thing { __typename thing { __typename } } }'],
  ])('%s', (_, text) => {
    expect(look(text)).toEqual({ needed: [] });
  });

  test('where a variable is left out inside of an object, only if it is given', () => {
    const text = (type: string) =>
      `query ($a: ${type}, $b: ID) { thing(id: $b, filter: { name: $a }) { id } }`;
    expect(look(text('String'))).toEqual({ needed: ['a'] });
    expect(look(text('String!'))).toEqual({ needed: [] });
    expect(look(text('String = "x"'))).toEqual({ needed: [] });
  });
});

describe('an operation is not compiled', () => {
  test.each([
    ['with a mark of the compiler’s own', '{ thing(id: "__MAGIC_DATE__x") { id } }'],
    ['with such a mark written otherwise', String.raw`{ thing(id: "\u005f\u005fMAGIC_DATE__x") { id } }`],
    ['with one in a block', '{ thing(id: """__MAGIC_DATE__x""") { id } }'],
    ['with one in a list', '{ thing(ids: ["a", "b(c)"]) { id } }'],
    ['with one in an object', '{ thing(filter: { inner: { name: "`" } }) { id } }'],
    ['with one in a default', 'query ($a: ID = "a;b") { thing(id: $a) { id } }'],
    ['with one in a fragment', '{ thing { ...F } } fragment F on Query { thing(id: "$") { id } }'],
    ['with a line', String.raw`{ thing(id: "a\nb") { id } }`],
    ['with two paths that are joined to one', '{ x: thing { y_z: name } z_x: thing { y: name } }'],
    ['with a key that looks like a place in a list', '{ x: things { y: name } idx0_x: thing { y: name } }'],
    ['with a variable named as a prototype', 'query ($__proto__: ID) { thing(id: $__proto__) { id } }'],
    ['with a key named as a prototype', '{ __proto__: thing { id } }'],
    ['with a directive', '{ thing @include(if: true) { id } }'],
    [
      'beyond 500 fields',
      `{ ${Array.from({ length: 501 }, (_, at) => `f${String(at)}: thing { id }`).join(' ')} }`,
    ],
  ])('%s', (_, text) => {
    expect(look(text)).toBeUndefined();
  });
});

describe('memory', () => {
  test('holds compiled operations of so many fields, those that were used last', () => {
    const compiled = new CompiledOperations();
    const keys = Array.from({ length: 200 }, () => ({}));
    const run = () => ({});
    for (const key of keys) {
      compiled.set(key, run, 500);
      compiled.get(keys[0] ?? {});
      expect(compiled.kept.weight).toBeLessThanOrEqual(50_000);
    }
    expect(compiled.kept.weight).toBe(50_000);
    expect(keys.filter((key) => compiled.get(key) !== undefined)).toEqual([keys[0], ...keys.slice(101)]);
    compiled.delete(keys[0] ?? {});
    expect(compiled.kept.weight).toBe(49_500);
  });

  const knownOf = (source: string, known: DocumentCache) => {
    for (let time = 1; time <= 2; time += 1) known.note(source, parse(source), 'ceiling');
  };
  const documents = () => new DocumentCache(new DocumentReach(schema, new Map()));

  test('holds documents of so many selections, fragments written out', () => {
    const known = documents();
    const fields = Array.from({ length: 40 }, (_, at) => `f${String(at)}: thing { ...F }`).join(' ');
    const large = (at: number) =>
      `query Q${String(at)} { ${fields} } fragment F on Thing { ${Array.from({ length: 100 }, (_, key) => `k${String(key)}: id`).join(' ')} }`;
    for (let at = 0; at < 60; at += 1) knownOf(large(at), known);
    expect(known.caches.compiled_documents?.size).toBeLessThan(25);
    for (let at = 0; at < 700; at += 1) knownOf(`query Q${String(at)} { thing { id } }`, known);
    expect(known.caches.compiled_documents?.size).toBeGreaterThan(450);
    expect(known.caches.compiled_documents?.size).toBeLessThan(500);
  });

  test('holds at most a thousand decisions of an operation', () => {
    const denies = vi.fn(() => undefined);
    const ruleMap = {
      ...{ denies, looksAtRows: () => false, mayGiveHidden: () => false },
      scopedInputs: () => new Set(),
    } as unknown as RuleMap;
    const document = parse('{ thing { id } }');
    const rules = new AccessRules(ruleMap, selectionOf(schema, new Map(), operationOf(document), {}));
    const authorities = Array.from({ length: 1_001 }, () => ({ allowance: {} }) as unknown as Authority);
    const decided = (authority: Authority | undefined): number => {
      denies.mockClear();
      if (authority !== undefined) rules.of(authority, {});
      return denies.mock.calls.length;
    };
    for (const authority of authorities.slice(0, 1_000)) expect(decided(authority)).toBe(2);
    expect([decided(authorities[0]), decided(authorities[1_000])]).toEqual([0, 2]);
    expect([decided(authorities[1_000]), decided(authorities[0])]).toEqual([0, 2]);
  });

  test('holds nothing of an operation that is prepared anew for each request', () => {
    const known = documents();
    const source = 'query ($s: Boolean!) { thing @skip(if: $s) { id } }';
    knownOf(source, known);
    const found = known.get(source, new Set());
    let told = 0;
    const prepared = (isFixed: boolean) =>
      ({ selection: { isFixed }, keep: () => (told += 1) }) as unknown as OperationPlan;
    found?.keep(prepared(false));
    expect(told).toBe(0);
    found?.keep(prepared(true));
    expect(told).toBe(1);
  });
});

describe('an operation that is known', () => {
  const plain = buildSchema('type Query { at(filter: Filter): String } input Filter { name: String }');
  const columnSelections = new ColumnSelections([]);
  let isCompiled: boolean;
  let seen: ColumnSelection | undefined;
  const at = plain.getQueryType()?.getFields().at;
  if (at !== undefined)
    at.resolve = (_parent, args, _context, info) => {
      isCompiled = 'selection' in info;
      seen = columnSelections.at(info);
      return JSON.stringify(args);
    };
  const compiled = new CompiledOperations();
  const preparedOf = (text: string): OperationPlan => {
    const document = parse(text);
    const plan = new OperationPlan(
      {
        ...{ plain, compiled, pageSizeMax: 100, columnSelections, digest: sha256 },
        ruleMap: { scopedInputs: () => new Set(), isScopedInput: () => false } as unknown as RuleMap,
        policy: { costs: new Map(), personal: new Set() } as unknown as SchemaPolicy,
      },
      document,
      operationOf(document),
      {},
    );
    plan.keep();
    return plan;
  };
  const run = async (
    plan: OperationPlan,
    variables = {},
  ): Promise<[answer: unknown, isCompiled: boolean]> => {
    const { result } = await plan.run(new Map(), {}, variables);
    return [result.data?.at, isCompiled];
  };
  const crowdOut = (): void => {
    for (let at = 0; at < 100; at += 1) compiled.set({}, () => ({}), 500);
  };

  test('its resolvers are given the columns that were worked out when it was compiled', async () => {
    const enriching = vi.spyOn(columnSelections, 'enriching');
    await run(preparedOf('{ at(filter: { name: "columns" }) }'));
    expect(enriching).toHaveBeenCalledOnce();
    expect(enriching.mock.results[0]?.value).toEqual({ selection: seen });
  });

  test('is compiled at once, and when it had to make room, anew after a hundred runs', async () => {
    const plan = preparedOf('{ at(filter: { name: "x" }) }');
    const answer = '{"filter":{"name":"x"}}';
    expect(await run(plan)).toEqual([answer, true]);
    crowdOut();
    const runs = [];
    for (let at = 0; at < 101; at += 1) runs.push(await run(plan));
    expect(new Set(runs.map(([told]) => told))).toEqual(new Set([answer]));
    expect(runs.findIndex(([, wasCompiled]) => wasCompiled)).toBe(99);
    expect(runs.at(-1)).toEqual([answer, true]);
  });

  test('is not compiled any more once it is let go', async () => {
    const plan = preparedOf('{ at }');
    expect(await run(plan)).toEqual(['{}', true]);
    plan.letGo();
    expect(await run(plan)).toEqual(['{}', false]);
  });

  test('runs uncompiled where a variable inside of an object is left out', async () => {
    const plan = preparedOf('query ($name: String) { at(filter: { name: $name }) }');
    expect(await run(plan, { name: 'x' })).toEqual(['{"filter":{"name":"x"}}', true]);
    expect(await run(plan, { name: null })).toEqual(['{"filter":{"name":null}}', true]);
    expect(await run(plan)).toEqual(['{"filter":{}}', false]);
  });
});

test.each([
  ['an argument’s object', '{ filter: { secret: $v } }'],
  ['a list of one that is written without brackets', '{ filters: { secret: $v } }'],
  ['an object inside of one', '{ filter: { inner: { secret: $v } } }'],
])('a personal input field’s variable is left out of the record in %s', (_, args) => {
  const document = parse(`query ($v: String) { thing(${args.slice(1, -1)}) { id } }`);
  const policy = { personal: new Set(['Filter.secret']) } as unknown as SchemaPolicy;
  const redact = redactorOf(schema, policy, document, operationOf(document));
  expect(redact({ v: 'private@example.com' })).toBe('{"v":"[redacted]"}');
});
