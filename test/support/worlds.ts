import {
  getNamedType,
  isEnumType,
  isObjectType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';
import type { AppParts } from '../../src/app.js';
import type { BusinessData } from '../../src/demo/generate-business.js';
import { domains } from '../../src/domains/index.js';
import { documents, documentVersions, passages } from '../../src/domains/knowledge/tables.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { sha256 } from '../../src/core/digest.js';
import { prefixed, type Table } from '../../src/store/tables/table.js';
import { agents, delegations, roles, users } from '../../src/store/tables/identity.js';
import { loadBusiness, loadDocuments, smallBusiness } from './demo-rows.js';
import { argumentsOf } from './documents.js';
import type { Pools } from './random-values.js';
import { everywhere, TestServer, type PersonFixture } from './server.js';

/** Rows, behind a server as it ships and behind one that runs every query field by field. */
export interface World {
  readonly name: string;
  readonly shipping: TestServer;
  readonly shielded: TestServer;
  readonly pools: Pools;
  /** A person who holds everything everywhere. */
  readonly everyone: PersonFixture;
}

export interface WorldParts {
  readonly name: string;
  readonly sdl: string;
  readonly schema: GraphQLSchema;
  readonly scopes: readonly string[];
  /** Undefined: a company without any rows. */
  readonly data: BusinessData | undefined;
}

export async function startWorld({ name, sdl, schema, scopes, data }: WorldParts): Promise<World> {
  const parts: AppParts = { sdl };
  const shipping = await TestServer.start(parts);
  const shielded = await shipping.replica({ ...parts, execution: 'shielded' });
  if (data !== undefined) {
    await loadBusiness(shipping.database, data);
    await loadDocuments(shipping.database, shipping.ids);
    // Where an enum's value is hidden, no row may hold it.
    if (hides(schema.getType('Classification'), 'RESTRICTED')) await removeRestricted(shipping);
  }
  const everyone = await shipping.person({ scopes, boundary: { ...everywhere, person: 'all' } });
  await shipping.agent(everyone, { scopes: ['customers:read'] });
  return { name, shipping, shielded, pools: await poolsOf(shipping, schema, everyone), everyone };
}

/** Values for random requests, from all existing rows. */
export const poolsOf = async (
  server: TestServer,
  schema: GraphQLSchema,
  everyone: PersonFixture,
): Promise<Pools> => ({
  ...common,
  ...(await rowPools(server)),
  ...(await cursors(server, schema, everyone.token)),
  after: ['', 'x'],
});

const hides = (type: unknown, name: string): boolean =>
  isEnumType(type) && (type.getValue(name)?.astNode?.directives?.length ?? 0) > 0;

const removeRestricted = ({ database }: TestServer): Promise<void> =>
  database.transaction(async (tx) => {
    await tx.delete(documents, eq('classification', 'restricted'));
    await tx.delete(documentVersions, eq('classification', 'restricted'));
    await tx.delete(passages, eq('classification', 'restricted'));
  });

/** All rows that an operation could have changed, as one digest. */
export async function stateOf({ shipping }: World): Promise<string> {
  const identity = ['users', 'agents', 'roles', 'user_roles', 'agent_roles', 'delegations', 'consents'];
  const names = [...ownTables.map((table) => table.name), ...[...identity, 'idempotency_keys'].map(prefixed)];
  const counted = ['operations_used', 'rows_used'];
  const rows = await Promise.all(
    names.map((name) => shipping.database.read.query(`SELECT * FROM \`${name}\` ORDER BY 1, 2`)),
  );
  return sha256(JSON.stringify(rows, (key, value: unknown) => (counted.includes(key) ? undefined : value)));
}

const ownTables = domains({ smallestCell: 5 }).flatMap((domain) => domain.tables);

/** Like the demo company's rows, but with optional values missing here and there, and with equal times. */
export function oddBusiness(): BusinessData {
  const data = smallBusiness(1);
  const at = '2026-01-31T23:59:59.999Z';
  return {
    ...data,
    customers: data.customers.map((row, index) => ({
      ...row,
      ...(index % 2 === 0 ? { city: null, contactName: null, email: null } : {}),
      ...(index % 3 === 0 ? { creditLimitMinor: null, phone: null, address: null } : { creditLimitMinor: 0 }),
      name: index === 0 ? 'Ünïcode “quoted” \u2028 \u{1F600} <b>&' : row.name,
      createdAt: at,
    })),
    products: data.products.map((row, index) => ({
      ...row,
      costMinor: index % 2 === 0 ? null : row.costMinor,
    })),
    orders: data.orders.map((row, index) => ({ ...row, placedAt: index % 3 === 0 ? row.placedAt : at })),
    orderLines: data.orderLines.filter((_, index) => index % 2 === 0),
    payments: data.payments.map((row, index) => ({
      ...row,
      reference: index % 2 === 0 ? null : row.reference,
    })),
    tickets: data.tickets.map((row, index) => ({ ...row, orderId: index % 2 === 0 ? null : row.orderId })),
    ticketMessages: data.ticketMessages.filter((_, index) => index % 4 !== 0),
  };
}

const missing = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const times = ['2024-01-01T00:00:00.000Z', '2026-01-31T23:59:59.999Z', '2026-02-28T12:00:00+02:00'];

/** A text that the compiler of operations would take for a time. */
const compilersMark = '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d0';

/** By name or by type, whatever the rows are. */
const common: Pools = {
  first: [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 2, 3, 20, 50, 1000, 1, 2, 3, 0, -1, 1001, 2_147_483_647],
  ID: [missing, 'no id', compilersMark],
  String: ['nothing', '', 'A', 'x'.repeat(600), compilersMark],
  DateTime: [...times, ...times, '2026-02-30T00:00:00.000Z'],
  Decimal: ['0', '1.00', '100.5', '99999', '1.005'],
  currency: ['EUR', 'USD', 'JPY', 'nope'],
  Int: [0, 1, 2, 50, -1],
  Boolean: [true, false],
  query: [compilersMark, 'coffee', 'milk HR', 'the café of hr', 'nothing-like-it', '', 'Coffee more'],
  collection: ['guides', 'hr', 'none', 'No Key!'],
  regions: ['europe', 'north-america', 'asia-pacific', 'latin-america', 'nowhere'],
  titleStartsWith: ['A ', 'A public', 'Z'],
  nameStartsWith: ['A', 'Ü', 'The'],
  from: ['2025-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  to: ['2026-01-01T00:00:00.000Z', '2026-07-01T00:00:00.000Z'],
  // Every mutation refuses it, but only after authorization.
  idempotencyKey: [''],
  'Mutation.setTicketStatus(idempotencyKey:)': ['', 'key'],
  'Mutation.setOrderStatus(idempotencyKey:)': ['', 'key'],
  expectedVersion: [999],
};

async function rowPools({ database }: TestServer): Promise<Pools> {
  const pools: Record<string, readonly unknown[]> = {};
  const add = (at: string, values: readonly unknown[]): void => {
    pools[at] = [...values.slice(0, 12), missing];
  };
  for (const table of [...ownTables, users, agents, roles, delegations] as unknown as Table<Row>[]) {
    const rows = await database.read.select(table, all<Row>());
    const own = table.type.charAt(0).toLowerCase() + table.type.slice(1);
    const ids = rows.map((row) => row.id);
    add(`Query.${own}(id:)`, ids);
    for (const key of ['number', 'sku', 'key']) {
      const values = rows.flatMap((row) => row[key] ?? []);
      add(`Query.${own}By${key.charAt(0).toUpperCase()}${key.slice(1)}(${key}:)`, values);
      add(`${table.type}Filter.${key}s`, values);
    }
    for (const key of ['email', 'category', 'country', 'reference']) {
      const plural = { category: 'categories', country: 'countries', reference: 'references' }[key] ?? key;
      if (rows.some((row) => typeof row[key] === 'string') && table.type !== 'Ticket')
        add(
          `${table.type}Filter.${plural}`,
          rows.flatMap((row) => row[key] ?? []),
        );
    }
    if (table.type === 'Ticket') add('Mutation.setTicketStatus(ticketId:)', ids);
    if (table.type === 'Order') add('Mutation.setOrderStatus(orderId:)', ids);
    if (table.type === 'Agent') add('Query.schema(agent:)', ids.slice(0, 1));
  }
  add('Query.collection(key:)', ['guides', 'hr', 'none']);
  return pools;
}

type Row = Record<string, unknown> & { readonly id: string };

/** Cursors of each page, mostly its own: pages at the root, and pages one step below a list at the root. */
async function cursors(server: TestServer, schema: GraphQLSchema, token: string): Promise<Pools> {
  const root = Object.values(schema.getQueryType()?.getFields() ?? {});
  const pages = root.flatMap((field) => {
    const page = `${field.name}${argumentsOf('Query', field, { 'Query.search(query:)': 'coffee' })}`;
    const own = { at: `Query.${field.name}(after:)`, query: `{ ${page} { edges { cursor } } }` };
    const row = rowOf(field);
    if (row === undefined) return isPage(field) ? [own] : [];
    const below = Object.values(row.getFields()).filter(isPage);
    return [
      own,
      ...below.map(({ name }) => ({
        at: `${row.name}.${name}(after:)`,
        query: `{ ${page} { nodes { ${name}(first: 2) { edges { cursor } } } } }`,
      })),
    ];
  });
  const own = new Map<string, string[]>();
  for (const { at, query } of pages) {
    const { data } = await server.query(token, query);
    const told = JSON.stringify(data ?? null).matchAll(/"cursor":"([^"]*)"/g);
    own.set(at, [...told].map(([, cursor = '']) => cursor).slice(0, 4));
  }
  const others = [
    '',
    'x',
    Buffer.from('["+id",7]').toString('base64url'),
    ...[...own.values()].flat().slice(0, 2),
  ];
  const mostlyOwn = (mine: readonly string[]): string[] => [
    ...Array.from({ length: 4 }, () => mine).flat(),
    ...others,
  ];
  return Object.fromEntries([...own].map(([at, mine]) => [at, mostlyOwn(mine)]));
}

const isPage = ({ type }: GraphQLField<unknown, unknown>): boolean => {
  const named = getNamedType(type);
  return isObjectType(named) && named.getFields().edges !== undefined;
};

function rowOf({ type }: GraphQLField<unknown, unknown>): GraphQLObjectType | undefined {
  const page = getNamedType(type);
  const nodes = isObjectType(page) ? page.getFields().nodes : undefined;
  const row = nodes === undefined ? undefined : getNamedType(nodes.type);
  return isObjectType(row) ? row : undefined;
}
