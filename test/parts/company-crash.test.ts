// databases: sqlite, mariadb
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.js';
import type { AuditBody } from '../../src/audit/record.js';
import { eq } from '../../src/store/sql/condition.js';
import { Database } from '../../src/store/sql/database.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { Company } from '../support/company.js';
import { othersGone } from '../support/crash.js';
import { targetOf, testDatabase } from '../support/database.js';
import { everywhere, postGraphQL } from '../support/server.js';
import { ServerProcess } from '../support/server-process.js';

const isMysql = testDatabase() === 'mariadb';
const tables = [
  'CREATE TABLE shop (no INTEGER PRIMARY KEY, area VARCHAR(20) NOT NULL)',
  `CREATE TABLE booking (no INTEGER PRIMARY KEY ${isMysql ? 'AUTO_INCREMENT' : ''}, shop_no INTEGER NOT NULL,
     label VARCHAR(40) NOT NULL, note VARCHAR(40), FOREIGN KEY (shop_no) REFERENCES shop (no))`,
  "INSERT INTO shop VALUES (1, 'north'), (2, 'south')",
];
const rest = 'unbounded: ["customer", "region", "collection", "classification", "person"]';
const schema = `extend schema
  @defineDimension(name: "area", description: "Where a shop is.")
  @defineScope(name: "bookings:read", description: "Read bookings.")
  @defineScope(name: "bookings:write", description: "Write bookings.")
type Shop @table(name: "shop", one: "shop", many: "shops", order: { by: "area" })
  @rows(scope: "bookings:read", bounds: [{ dimension: "area", path: "area" }], ${rest}) {
  id: ID! @scope(name: "bookings:read")
  area: String! @scope(name: "bookings:read")
}
type Booking @table(name: "booking", one: "booking", many: "bookings", order: { by: "label" })
  @create(mutation: "addBooking", scope: "bookings:write")
  @update(mutation: "changeBooking", scope: "bookings:write")
  @rows(scope: "bookings:read", bounds: [{ dimension: "area", path: "shop.area" }], ${rest}) {
  id: ID! @scope(name: "bookings:read")
  label: String! @scope(name: "bookings:read") @writable(on: CREATE)
  note: String @scope(name: "bookings:read") @writable(on: UPDATE)
  shop: Shop @scope(name: "bookings:read") @reference(column: "shop_no") @writable(on: CREATE, required: true)
  version: String! @scope(name: "bookings:read") @version
}
`;
const scopes = ['bookings:read', 'bookings:write'];
const add = `mutation Add($label: String!) {
  addBooking(values: { label: $label, shopId: "WyIxIl0" }, idempotencyKey: $label) { booking { id version } } }`;
const change = `mutation Change($id: ID!, $version: String!, $label: String!) {
  changeBooking(id: $id, changes: { note: $label }, expectedVersion: $version, idempotencyKey: $label) { booking { id version } } }`;

interface Booking {
  readonly id: string;
  readonly version: string;
}
interface Acknowledged {
  readonly operationId: string;
  readonly id: string;
  readonly isNoted: boolean;
}

let company: Company;
let token: string;
let publicUrl: string;
beforeAll(async () => {
  company = await Company.of(tables, { 'schema/bookings.graphql': schema });
  const server = await company.start();
  const boundary = { ...everywhere, area: ['north'] };
  const person = await server.person({ scopes, boundary });
  token = (await server.agent(person, { scopes, boundary }, { scopes, operationsMax: 1e9, rowsMax: 1e9 }))
    .token;
  publicUrl = server.publicUrl;
  await server.stop();
});
afterAll(() => company.drop());

const acknowledged: Acknowledged[] = [];
const waiting = { goal: Infinity, reached: (): void => undefined };
/** Resolves with the answer that makes it so many more. */
const answers = (count: number): Promise<void> =>
  new Promise((resolve) => {
    waiting.goal = acknowledged.length + count;
    waiting.reached = resolve;
  });

/** Adds a booking and notes something on it, again and again; after a crash it sends again what had no answer. */
class Client {
  private jobs = 0;
  private added: Booking | undefined;

  constructor(private readonly name: string) {}

  async run(url: string): Promise<void> {
    for (;;) {
      const label = `${this.name}-${String(this.jobs)}`;
      const [query, variables] =
        this.added === undefined ? [add, { label }] : [change, { ...this.added, label: `${label}-noted` }];
      const answer = await postGraphQL(url, token, JSON.stringify({ query, variables })).catch(
        () => undefined,
      );
      // The server is dead, so it is not known whether the request was done.
      if (answer === undefined) return;
      if (answer.errors.length > 0) throw new Error(JSON.stringify(answer.errors));
      const [payload] = Object.values(answer.data as Record<string, { booking: Booking }>);
      const operationId = answer.headers.get('behalf-operation-id') ?? '';
      acknowledged.push({ operationId, id: payload?.booking.id ?? '', isNoted: this.added !== undefined });
      if (acknowledged.length >= waiting.goal) waiting.reached();
      if (this.added === undefined) this.added = payload?.booking;
      else [this.added, this.jobs] = [undefined, this.jobs + 1];
    }
  }
}

async function faults(): Promise<string[]> {
  const database = await Database.open(targetOf(company.fresh.url), migrations, 1);
  const rows = await database.read.query('SELECT no, label, note FROM booking');
  const stored = await database.read.select(auditRecords, eq('kind', 'graphql'));
  await database.close();
  const records = stored
    .map((row) => JSON.parse(row.body) as AuditBody)
    .filter(({ outcome }) => outcome === 'succeeded');
  const told = (action: string): string[] =>
    records
      .flatMap(({ resources }) => resources.filter((one) => one.type === 'Booking' && one.action === action))
      .flatMap(({ ids }) => ids)
      .sort();
  const idOf = ({ no }: Readonly<Record<string, unknown>>): string =>
    Buffer.from(JSON.stringify([String(no)])).toString('base64url');
  const found: string[] = [];
  const same = (what: string, one: readonly string[], other: readonly string[]): void => {
    if (one.join() !== other.join())
      found.push(`${what}: ${String(one.length)} rows, ${String(other.length)} in records`);
  };
  same('added', rows.map(idOf).sort(), told('create'));
  same(
    'noted',
    rows
      .filter(({ note }) => note !== null)
      .map(idOf)
      .sort(),
    told('update'),
  );
  if (new Set(rows.map(({ label }) => label)).size !== rows.length) found.push('a key has two rows');
  const byId = new Map(rows.map((row) => [idOf(row), row]));
  const recorded = new Set(records.map(({ operationId }) => operationId));
  for (const { operationId, id, isNoted } of acknowledged) {
    if (!recorded.has(operationId)) found.push(`the response ${operationId} has no record`);
    const row = byId.get(id);
    if (row === undefined || (isNoted && row.note !== `${String(row.label)}-noted`))
      found.push(`the response ${operationId} tells a change that is not there`);
  }
  return found;
}

test(
  'a server that is killed while it writes rows of a company: every change has its record, and every record its change',
  { timeout: 120_000 },
  async () => {
    const settings = { BEHALF_COMPANY: company.folder, BEHALF_PUBLIC_URL: publicUrl };
    const clients = Array.from({ length: 12 }, (_, at) => new Client(`c${String(at)}`));
    for (let round = 0; round < 2; round += 1) {
      const server = await ServerProcess.start(company.fresh.url, settings);
      const enough = answers(randomInt(40, 200));
      const running = Promise.all(clients.map((client) => client.run(server.url)));
      await Promise.race([enough, running]);
      await server.kill9();
      await running;
      if (isMysql) await othersGone(company.fresh.url);
      expect(await faults()).toEqual([]);
    }
    // What had no answer is done once, and answered.
    const server = await ServerProcess.start(company.fresh.url, settings);
    const enough = answers(40);
    const running = Promise.all(clients.map((client) => client.run(server.url)));
    await Promise.race([enough, running]);
    await server.stop();
    await running;
    expect(await faults()).toEqual([]);
    await company.run("INSERT INTO booking (shop_no, label) VALUES (1, 'by another program')");
    expect(await faults()).toEqual([expect.stringMatching(/^added: /)]);
  },
);
