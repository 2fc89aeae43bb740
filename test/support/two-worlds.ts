import type { GraphQLSchema } from 'graphql';
import { parseBoundary } from '../../src/authority/boundary.js';
import { makeRandom } from '../../src/demo/seeded-random.js';
import { administration } from '../../src/admin/index.js';
import { domains } from '../../src/domains/index.js';
import { passageWords } from '../../src/domains/knowledge/tables.js';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { all, isIn } from '../../src/store/sql/condition.js';
import type { Connection } from '../../src/store/sql/connection.js';
import { boundarySql, RowTypes } from '../../src/store/bounded/row-types.js';
import type { AnyTable, Table } from '../../src/store/tables/table.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import * as identity from '../../src/store/tables/identity.js';
import type { StoredBoundary } from '../../src/store/tables/identity.js';
import { catalog, rules } from './administration.js';
import { loadBusiness, loadDocuments, smallBusiness } from './demo-rows.js';
import type { Draw, Pools } from './random-values.js';
import { everywhere, TestServer, type PersonFixture } from './server.js';
import { poolsOf } from './worlds.js';

/** The most that the callers of one comparison may see; their other world lacks the rest. */
export interface Plan {
  readonly name: string;
  readonly boundary: StoredBoundary;
}

export interface Caller {
  readonly name: string;
  readonly token: string;
  /** The scopes that exist for it. */
  readonly ceiling: readonly string[];
  readonly personId: string;
}

/** One company with all of its rows. */
export interface FullWorld {
  readonly server: TestServer;
  readonly pools: Pools;
  readonly everyone: PersonFixture;
  readonly customers: readonly string[];
}

const installed = [administration(catalog, rules), ...domains({ smallestCell: 5 })];
const rowTables = installed.flatMap((domain) => domain.tables);
const rowTypes = new RowTypes(catalog.rows, rowTables);

const isTable = (value: unknown): value is AnyTable =>
  value !== null && typeof value === 'object' && 'columns' in value && 'primaryKey' in value;

/**
 * All tables that a server needs and an operation can read, except records and tables that each database has of its
 * own.
 */
const copied: readonly AnyTable[] = [
  ...new Set([...Object.values(identity as Record<string, unknown>).filter(isTable), ...rowTables]),
].filter((table) => table !== identity.authorityEpoch && table !== (auditRecords as unknown as AnyTable));

export async function startFull(schema: GraphQLSchema, scopes: readonly string[]): Promise<FullWorld> {
  const server = await TestServer.start();
  const data = smallBusiness();
  await loadBusiness(server.database, data);
  await loadDocuments(server.database, server.ids);
  const everyone = await server.person({ scopes, boundary: { ...everywhere, person: 'all' } });
  await server.agent(everyone, { scopes: ['customers:read'] });
  const pools = await poolsOf(server, schema, everyone);
  return { server, pools, everyone, customers: data.customers.map((row) => row.id) };
}

/** A copy without the rows that none of these people may see by this boundary. Returns how many were removed. */
export async function startCut(
  { server }: FullWorld,
  { boundary }: Plan,
  people: readonly string[],
): Promise<{ readonly server: TestServer; readonly removed: number }> {
  const cut = await TestServer.start({}, { BEHALF_PUBLIC_URL: server.publicUrl });
  const removed = await cut.database.transaction(async (tx) => {
    for (const table of copied) {
      const rows = await server.database.read.select(table as Table<object>, all());
      if (rows.length > 0) await tx.insert(table as Table<object>, rows);
    }
    const count = await removeInvisible(tx, { ...boundary, person: people });
    await passageWords.fill(tx);
    await bumpEpoch(tx);
    return count;
  });
  return { server: cut, removed };
}

/** Finds all of them first: a row may be inside because of rows that are removed too. */
async function removeInvisible(
  tx: Connection,
  boundary: Record<string, readonly string[] | 'all'>,
): Promise<number> {
  const gone: { readonly table: Table<{ id: string }>; readonly ids: readonly string[] }[] = [];
  for (const rowType of rowTypes.all) {
    const table = rowType.table as unknown as Table<{ id: string }>;
    if (table.name === auditRecords.name) continue;
    const inside = boundarySql(rowType, 't', [parseBoundary(boundary)], 'sqlite');
    const rows = await tx.query(
      `SELECT t.\`id\` AS id FROM \`${table.name}\` t WHERE NOT COALESCE((${inside.text}), 0)`,
      inside.params,
    );
    gone.push({ table, ids: rows.map((row) => String(row.id)) });
  }
  for (const { table, ids } of gone)
    if (ids.length > 0) await tx.delete(table, isIn<{ id: string }>('id', ids));
  return gone.reduce((sum, { ids }) => sum + ids.length, 0);
}

const layers = ['person', 'role', 'delegation'] as const;

/** Six callers, kept inside the boundary by different layers; some are kept further inside, or may spend little. */
export async function makeCallers(
  { server }: FullWorld,
  { name, boundary }: Plan,
  draw: Draw,
  scopes: readonly string[],
): Promise<Caller[]> {
  const whole = { ...everywhere, person: 'all' as const };
  const callers: Caller[] = [];
  for (let at = 0; at < 6; at += 1) {
    const percent = [100, 100, 85, 85, 60, 60][at] ?? 100;
    const possible =
      at % 2 === 0 ? scopes : scopes.filter((scope) => catalog.definitions.get(scope)?.peopleOnly !== true);
    const held = possible.filter(() => draw.below(100) < percent);
    if (at % 2 === 0) {
      const person = await server.person({ scopes: held, boundary });
      callers.push({ name: `${name}: a person`, token: person.token, ceiling: held, personId: person.id });
      continue;
    }
    const layer = layers[(at >> 1) % layers.length];
    const at1 = (one: (typeof layers)[number]): StoredBoundary => (layer === one ? boundary : whole);
    const person = await server.person({ scopes, boundary: { ...at1('person'), person: ['self'] } });
    const handed = held.filter(() => draw.below(100) < 85);
    const agent = await server.agent(
      person,
      { scopes: held, boundary: at1('role') },
      {
        scopes: handed,
        boundary: at1('delegation'),
        operationsMax: 100_000,
        rowsMax: at === 5 ? 200 : 100_000_000,
      },
    );
    callers.push({
      name: `${name}: an agent kept by its ${layer ?? ''}`,
      token: agent.token,
      ceiling: held,
      personId: person.id,
    });
  }
  return callers;
}

/** The same choices on every machine. */
export function seededDraw(seed: number, label: string): Draw {
  const random = makeRandom(seed, label);
  return { below: (n) => random.int(0, n - 1) };
}
