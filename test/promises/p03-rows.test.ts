// databases: sqlite, mariadb
import fc from 'fast-check';
import {
  buildSchema,
  getNamedType,
  isListType,
  getNullableType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSchemaPolicy, type SchemaPolicy } from '../../src/graphql/schema/schema-policy.js';
import { readSdl } from '../../src/graphql/schema/sdl.js';
import { domains } from '../../src/domains/index.js';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { all, eq } from '../../src/store/sql/condition.js';
import type { Table } from '../../src/store/tables/table.js';
import { delegations, type StoredBoundary } from '../../src/store/tables/identity.js';
import { loadBusiness, loadDocuments, smallBusiness } from '../support/demo-rows.js';
import { everywhere, TestServer, type AgentFixture } from '../support/server.js';
import { volume } from '../support/volume.js';

type RowValues = Record<string, unknown> & { id: string };

let server: TestServer;
let agent: AgentFixture;
let schema: GraphQLSchema;
let policy: SchemaPolicy;
/** Every row of every installed type with its value in each of its dimensions, worked out without our SQL. */
const placed = new Map<string, { id: string; place: Map<string, string | null> }[]>();

beforeAll(async () => {
  // Two relations deep over whole tables: far beyond what a caller may ask.
  server = await TestServer.start({}, { BEHALF_OPERATION_COST_MAX: '100000000' });
  await loadBusiness(server.database, smallBusiness());
  await loadDocuments(server.database, server.ids);
  schema = buildSchema(readSdl());
  policy = readSchemaPolicy(schema);
  const scopes = [...policy.definitions.values()]
    .filter((scope) => !scope.peopleOnly)
    .map((scope) => scope.name);
  const person = await server.person({ scopes });
  agent = await server.agent(person, { scopes });
  await placeAll();
});
afterAll(() => server.stop());

async function placeAll(): Promise<void> {
  const tables = domains({ smallestCell: 5 }).flatMap(
    (domain) => domain.tables,
  ) as unknown as Table<RowValues>[];
  const rowsOf = new Map<string, RowValues[]>();
  for (const table of tables)
    rowsOf.set(table.name, await server.database.read.select(table, all<RowValues>()));
  for (const declared of policy.rows) {
    const table = tables.find((one) => one.type === declared.type);
    if (table === undefined) continue;
    const follow = (row: RowValues, path: readonly string[], from: Table<RowValues>): string | null => {
      const [head = '', ...rest] = path;
      if (rest.length === 0) return (row[head] as string | null | undefined) ?? null;
      const target = (from.columns as Record<string, { references?: string }>)[`${head}Id`]?.references;
      const next = rowsOf.get(target ?? '')?.find((one) => one.id === row[`${head}Id`]);
      const nextTable = tables.find((one) => one.name === target);
      return next === undefined || nextTable === undefined ? null : follow(next, rest, nextTable);
    };
    placed.set(
      declared.type,
      (rowsOf.get(table.name) ?? []).map((row) => ({
        id: row.id,
        place: new Map(
          [...declared.bounds].map(([name, path]) => [name, follow(row, path.split('.'), table)]),
        ),
      })),
    );
  }
}

/** The ids of a type's rows that a boundary holds. */
function allowed(type: string, boundary: StoredBoundary): Set<string> {
  const inside = (placed.get(type) ?? []).filter(({ place }) =>
    [...place].every(([dimension, value]) => {
      const values = boundary[dimension] ?? [];
      return values === 'all' || (value !== null && values.includes(value));
    }),
  );
  return new Set(inside.map((row) => row.id));
}

const isRow = (type: GraphQLObjectType): boolean => placed.has(type.name);
const rowOfConnection = (type: GraphQLObjectType): GraphQLObjectType | undefined => {
  const nodes = type.getFields().nodes;
  const named = nodes === undefined ? undefined : getNamedType(nodes.type);
  return isObjectType(named) && isRow(named) ? named : undefined;
};
const asksNothing = (field: GraphQLField<unknown, unknown>): boolean =>
  field.args.every((arg) => !isNonNullType(arg.type));

/** Selects the id and every relation of a row type, some steps deep. */
function select(type: GraphQLObjectType, depth: number): string {
  const relations = Object.values(type.getFields()).flatMap((field) => {
    const named = getNamedType(field.type);
    if (depth === 0 || !isObjectType(named) || !asksNothing(field)) return [];
    if (isRow(named)) return [`${field.name} { __typename ${select(named, depth - 1)} }`];
    const row = rowOfConnection(named);
    if (row === undefined) return [];
    return [`${field.name}(first: 60) { totalCount nodes { __typename ${select(row, depth - 1)} } }`];
  });
  return `id ${relations.join(' ')}`;
}

interface Found {
  readonly rows: { type: string; id: string }[];
  readonly faults: string[];
}

/** Collects every row of an answer; a connection's total must be what it shows. */
function collect(value: unknown, into: Found): Found {
  if (Array.isArray(value)) for (const item of value) collect(item, into);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return into;
  const object = value as Record<string, unknown>;
  if (typeof object.__typename === 'string' && typeof object.id === 'string') {
    into.rows.push({ type: object.__typename, id: object.id });
  }
  if (
    Array.isArray(object.nodes) &&
    typeof object.totalCount === 'number' &&
    object.nodes.length !== object.totalCount
  ) {
    into.faults.push(`totalCount ${String(object.totalCount)} of ${String(object.nodes.length)} rows`);
  }
  for (const inner of Object.values(object)) collect(inner, into);
  return into;
}

async function setBoundary(boundary: StoredBoundary): Promise<void> {
  await server.database.transaction(async (tx) => {
    await tx.update(delegations, eq('id', agent.delegationId), { boundary, operationsUsed: 0, rowsUsed: 0 });
    await bumpEpoch(tx);
  });
}

const someOf = (values: readonly string[]): fc.Arbitrary<readonly string[] | 'all'> =>
  fc.oneof(fc.constant('all' as const), fc.subarray([...values, 'nowhere']));

function boundaries(): fc.Arbitrary<StoredBoundary> {
  const customers = (placed.get('Customer') ?? []).map((row) => row.id);
  return fc.record({
    customer: someOf(customers),
    region: someOf(['europe', 'north-america', 'asia-pacific', 'latin-america']),
    collection: someOf(['guides', 'hr']),
    classification: someOf(['public', 'internal', 'confidential', 'restricted']),
    person: fc.constant([]),
  });
}

test('no path shows a row outside the boundary: lists, single rows, relations, counts, search', async () => {
  const root = schema.getQueryType();
  const lists = Object.values(root?.getFields() ?? {}).flatMap((field) => {
    const named = getNamedType(field.type);
    const row = isObjectType(named) ? rowOfConnection(named) : undefined;
    return row === undefined || !asksNothing(field) ? [] : [{ field, row }];
  });
  const singles = Object.values(root?.getFields() ?? {}).flatMap((field) => {
    const named = getNamedType(field.type);
    const byId = field.args.length === 1 && field.args[0]?.name === 'id';
    return isObjectType(named) && isRow(named) && byId && !isListType(getNullableType(field.type))
      ? [{ field, row: named }]
      : [];
  });
  expect(lists.length).toBeGreaterThanOrEqual(8);
  expect(singles.length).toBeGreaterThanOrEqual(6);

  await fc.assert(
    fc.asyncProperty(boundaries(), async (boundary) => {
      await setBoundary(boundary);
      for (const { field, row } of lists) {
        const answer = await server.query(
          agent.token,
          `{ list: ${field.name}(first: 1000) { totalCount nodes { __typename ${select(row, 2)} } } }`,
        );
        expect(answer.errors, field.name).toEqual([]);
        const found = collect(answer.data, { rows: [], faults: [] });
        expect(found.faults, field.name).toEqual([]);
        for (const { type, id } of found.rows)
          expect(allowed(type, boundary), `${field.name} ${type}`).toContain(id);
        const shown = new Set((answer.data.list.nodes as { id: string }[]).map((node) => node.id));
        expect(shown, field.name).toEqual(allowed(row.name, boundary));
      }
      for (const { field, row } of singles) {
        const ids = (placed.get(row.name) ?? []).map((one) => one.id).slice(0, 12);
        const asked = ids.map((id, at) => `r${String(at)}: ${field.name}(id: "${id}") { id }`).join(' ');
        const answer = await server.query(agent.token, `{ ${asked} }`);
        expect(answer.errors, field.name).toEqual([]);
        const inside = allowed(row.name, boundary);
        ids.forEach((id, at) => {
          expect(answer.data[`r${String(at)}`]?.id ?? null, field.name).toBe(inside.has(id) ? id : null);
        });
      }
      const hits = await server.query(
        agent.token,
        '{ search(query: "coffee", first: 50) { nodes { passage { __typename id } document { __typename id } } } }',
      );
      expect(hits.errors).toEqual([]);
      for (const { type, id } of collect(hits.data, { rows: [], faults: [] }).rows) {
        expect(allowed(type, boundary)).toContain(id);
      }
    }),
    { numRuns: volume(12, 4) },
  );
}, 120_000);

test('aggregates count nothing of what lies outside the boundary: they are of everyone, or refused', async () => {
  const query = `{ salesByRegion(from: "2024-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z", bucket: YEAR) { region }
    ticketVolumes(from: "2024-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z", bucket: YEAR) { __typename } }`;
  await setBoundary({ ...everywhere, region: ['europe'], person: [] });
  const refused = await server.query(agent.token, query);
  expect(refused.data).toEqual({ salesByRegion: null, ticketVolumes: null });
  expect(refused.errors.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN', 'FORBIDDEN']);
  await setBoundary({ ...everywhere, person: [] });
  const told = await server.query(agent.token, query);
  expect(told.errors).toEqual([]);
  expect(told.data.salesByRegion.length).toBeGreaterThan(1);
});
