// databases: sqlite, mariadb
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { shippedRoles } from '../../src/admin/shipped-roles.js';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { Database } from '../../src/store/sql/database.js';
import { CommandLine } from '../support/command-line.js';
import { migratedDatabaseUrl, targetOf, testDatabase } from '../support/database.js';
import { freePort } from '../support/free-port.js';
import type { FreshDatabase } from '../support/fresh-database.js';
import { everywhere, TestServer } from '../support/server.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const unanswered = 'bounds: [], unbounded: []';
const nowhere = 'unbounded: ["store", "customer", "region", "collection", "classification", "person"]';

/** A company's tables in a database of its own, and the command line over it. */
class Adopted {
  private constructor(
    readonly fresh: FreshDatabase,
    readonly cli: CommandLine,
  ) {}

  static async of(statements: readonly string[]): Promise<Adopted> {
    const fresh = await migratedDatabaseUrl();
    const database = await Database.open(targetOf(fresh.url), migrations, 1);
    for (const sql of statements) await database.transaction((tx) => tx.affecting(sql, []));
    await database.close();
    return new Adopted(fresh, await CommandLine.open({ DATABASE_URL: fresh.url }));
  }

  get folder(): string {
    return this.cli.path('company');
  }

  /** Answers what `adopt` left open. @param bounds the path of the dimension `store`, by type */
  decide(bounds: Readonly<Record<string, string>> = {}): void {
    const folder = join(this.folder, 'schema');
    for (const file of readdirSync(folder)) {
      const text = readFileSync(join(folder, file), 'utf8');
      const type = /^type (\w+)$/m.exec(text)?.[1] ?? '';
      const path = bounds[type];
      const answer =
        path === undefined
          ? nowhere
          : `bounds: [{ dimension: "store", path: "${path}" }], ${nowhere.replace('"store", ', '')}`;
      writeFileSync(join(folder, file), text.replace(unanswered, answer));
    }
    writeFileSync(
      join(folder, 'dimensions.graphql'),
      'extend schema @defineDimension(name: "store", description: "The country of a store.")\n',
    );
  }

  start(): Promise<TestServer> {
    return TestServer.start({}, { BEHALF_COMPANY: this.folder }, { databaseUrl: this.fresh.url });
  }

  /** Why the server does not start. */
  async refusal(): Promise<string> {
    const config = readConfig({
      DATABASE_URL: this.fresh.url,
      BEHALF_COMPANY: this.folder,
      BEHALF_LOG_LEVEL: 'silent',
    });
    return createApp(config).then(
      () => '',
      (error: unknown) => String(error),
    );
  }

  async drop(): Promise<void> {
    await this.cli.close();
    await this.fresh.drop();
  }
}

describe('adopting tables', () => {
  let adopted: Adopted;
  beforeAll(async () => {
    adopted = await Adopted.of([
      `CREATE TABLE stores (id INTEGER PRIMARY KEY, country VARCHAR(40) NOT NULL)`,
      `CREATE TABLE \`staff members\` (\`staff no\` INTEGER PRIMARY KEY, store_id INTEGER NOT NULL, first_name VARCHAR(40) NOT NULL,
        Salary DECIMAL(9,2), photo BLOB, joined DATE NOT NULL, FOREIGN KEY (store_id) REFERENCES stores (id))`,
      'CREATE TABLE loose (a INTEGER)',
      'CREATE TABLE customer (no INTEGER PRIMARY KEY, region VARCHAR(20) NOT NULL)',
      "INSERT INTO stores VALUES (1, 'Canada'), (2, 'Australia')",
      "INSERT INTO `staff members` VALUES (1, 1, 'Ann', 10.5, NULL, '2020-01-01'), (2, 2, 'Bob', NULL, NULL, '2021-01-01')",
    ]);
  });
  afterAll(() => adopted.drop());

  test('writes a file for each, tells what cannot be shown, and keeps what is there', async () => {
    const told = await adopted.cli.ok(['adopt', '--out', 'company']);
    expect(readdirSync(join(adopted.folder, 'schema')).sort()).toEqual([
      'customer.graphql',
      'staff members.graphql',
      'stores.graphql',
    ]);
    expect(told).toContain('staff members: photo (blob) cannot be shown');
    expect(told).toContain('loose: it has no primary key');
    const path = join(adopted.folder, 'schema', 'staff members.graphql');
    expect(readFileSync(path, 'utf8')).toMatchInlineSnapshot(`
      "extend schema
        @defineScope(name: "staff_members:read", description: "Read staff members.")
        @defineScope(name: "staff_members:read_personal", description: "Read personal data of staff members.")

      "A row of the table staff members."
      type StaffMember
        @table(name: "staff members", one: "staff member", many: "staff members", order: { by: "joined" })
        @query(one: "staffMember", list: "staffMembers")
        # To be decided: for each dimension (customer, region, collection, classification, person), where a row's value is found, as in
        # { dimension: "region", path: "store.region" }, or that it has none.
        @rows(scope: "staff_members:read", bounds: [], unbounded: []) {
        "The staff member's id."
        id: ID! @scope(name: "staff_members:read")
        "The column first_name."
        firstName: String @scope(name: "staff_members:read_personal") @personal
        "The column Salary."
        salary: Decimal @scope(name: "staff_members:read_personal") @personal @column(name: "Salary")
        "The column joined."
        joined: String! @scope(name: "staff_members:read")
        "The store."
        store: Store @scope(name: "stores:read") @reference(column: "store_id")
        # Cannot be shown: photo (blob)
      }
      "
    `);
    writeFileSync(path, `# mine\n${readFileSync(path, 'utf8')}`);
    expect(await adopted.cli.json(['adopt', '--out', 'company'])).toMatchObject({
      written: [],
      kept: ['customer.graphql', 'staff members.graphql', 'stores.graphql'],
    });
    expect(readFileSync(path, 'utf8')).toMatch(/^# mine\n/);
    const wrong = await adopted.cli.run(['adopt', '--out', 'company', '--table', 'customers']);
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining(
        'There is no table customers to adopt. There are: customer, loose, staff members, stores.',
      ),
    ]);
  });

  test('opens nothing: the server does not start before somebody decides', async () => {
    const refusal = await adopted.refusal();
    const told = await adopted.cli.run(['check', 'company']);
    expect([told.code, told.stderr]).toEqual([
      1,
      expect.stringMatching(
        /\n- schema\/stores\.graphql:\d+: Store must either bound or name as unbounded: customer\n/,
      ),
    ]);
    for (const type of ['StaffMember', 'Store'])
      for (const dimension of ['customer', 'region', 'collection', 'classification', 'person'])
        expect(refusal).toContain(`${type} must either bound or name as unbounded: ${dimension}`);
  });

  test('shows what was decided, to whom a role of its own is given, inside the boundary', async () => {
    adopted.decide({ Store: 'country', StaffMember: 'store.country' });
    expect(await adopted.cli.json(['check', 'company'])).toEqual({
      types: ['CustomerRow', 'StaffMember', 'Store'],
      warnings: expect.arrayContaining([
        expect.stringMatching(
          /^schema\/stores\.graphql:\d+: stores\.country is (?:sorted|a boundary), and no index begins with it\.$/,
        ),
      ]) as string[],
    });
    const printed = await adopted.cli.run(['schema', 'print', 'StoreConnection'], {
      BEHALF_COMPANY: adopted.folder,
    });
    expect(printed.stdout).toContain('nodes: [Store!]! @scope(name: "stores:read")');
    const server = await adopted.start();
    try {
      const query = '{ staffMembers { totalCount nodes { joined firstName salary store { country } } } }';
      const boundary = { ...everywhere, store: ['Canada'] };
      const some = await server.person({ scopes: ['staff_members:read', 'stores:read'], boundary });
      const answer = await server.query(some.token, query.replace('firstName salary ', ''));
      expect([answer.errors, answer.data]).toEqual([
        [],
        { staffMembers: { totalCount: 1, nodes: [{ joined: '2020-01-01', store: { country: 'Canada' } }] } },
      ]);
      const all = await server.person({
        scopes: ['staff_members:read', 'staff_members:read_personal', 'stores:read'],
        boundary,
      });
      const personal = await server.query(all.token, query);
      expect(personal.data).toMatchObject({ staffMembers: { nodes: [{ firstName: 'Ann' }] } });
      // No role that ships sees that any of it exists.
      for (const role of shippedRoles) {
        const person = await server.person({ scopes: role.scopes });
        const told = await server.query(
          person.token,
          '{ stores { totalCount } staffMembers { totalCount } customerRows { totalCount } }',
        );
        expect(told.data ?? null).toBeNull();
        const known = await server.query(
          person.token,
          '{ a: __type(name: "Store") { name } b: __type(name: "StaffMember") { name } c: __type(name: "CustomerRow") { name } }',
        );
        expect(known.data).toEqual({ a: null, b: null, c: null });
      }
    } finally {
      await server.stop();
    }
  });

  test.runIf(testDatabase() === 'mariadb')(
    'the printed grants are enough, and give no column that no type names',
    async () => {
      const name = `grantee_${randomBytes(4).toString('hex')}`;
      const account = `'${name}'@'%'`;
      const { statements } = await adopted.cli.json<{ statements: string[] }>([
        'grants',
        'company',
        '--account',
        account,
      ]);
      const root = await Database.open(targetOf(adopted.fresh.url), migrations, 1);
      const run = (sql: string): Promise<number> => root.transaction((tx) => tx.affecting(sql, []));
      await run(`CREATE USER ${account} IDENTIFIED BY 'secret'`);
      for (const sql of statements) await run(sql);
      const url = new URL(adopted.fresh.url);
      [url.username, url.password] = [name, 'secret'];
      try {
        const granted = await Database.open(targetOf(url.href), migrations, 1);
        await expect(granted.read.query('SELECT photo FROM `staff members`')).rejects.toThrow();
        await expect(granted.read.query('SELECT a FROM loose')).rejects.toThrow();
        await granted.close();
        const maker = await adopted.start();
        const scopes = ['staff_members:read', 'staff_members:read_personal', 'stores:read'];
        const { token } = await maker.person({ scopes, boundary: { ...everywhere, store: ['Canada'] } });
        await maker.stop();
        const app = await createApp(
          readConfig({
            DATABASE_URL: url.href,
            BEHALF_COMPANY: adopted.folder,
            BEHALF_LOG_LEVEL: 'silent',
            PORT: String(await freePort()),
          }),
        );
        try {
          const response = await fetch(`${await app.listen()}/graphql`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
            body: JSON.stringify({
              query: '{ staffMembers { nodes { firstName store { country staffMembers { totalCount } } } } }',
            }),
          });
          expect(await response.json()).toMatchObject({
            data: {
              staffMembers: {
                nodes: [{ firstName: 'Ann', store: { country: 'Canada', staffMembers: { totalCount: 1 } } }],
              },
            },
          });
        } finally {
          await app.close();
        }
      } finally {
        await run(`DROP USER ${account}`);
        await root.close();
      }
    },
  );
});

const data = process.env.BEHALF_TEST_DATA ?? '../shared/data';
const sakila = join(data, 'sakila');
const isThere = existsSync(sakila) && testDatabase() === 'mariadb';

describe.runIf(isThere)(
  `a video rental chain${isThere ? '' : ' (skipped: set BEHALF_TEST_DATA to a folder with sakila)'}`,
  () => {
    let adopted: Adopted;
    let server: TestServer;
    beforeAll(async () => {
      const schema = readFileSync(join(sakila, 'schema.sql'), 'utf8');
      const tables = schema.match(/^CREATE TABLE [^]*?;$/gm) ?? [];
      const rows = readFileSync(join(sakila, 'data.sql'), 'utf8').match(/^INSERT INTO [^]*?;$/gm) ?? [];
      adopted = await Adopted.of([
        'SET FOREIGN_KEY_CHECKS = 0',
        ...tables,
        ...rows,
        'SET FOREIGN_KEY_CHECKS = 1',
      ]);
      await adopted.cli.ok(['adopt', '--out', 'company']);
      const country = 'store.address.city.country.country';
      adopted.decide({
        Store: 'address.city.country.country',
        ...{ Staff: country, CustomerRow: country, Inventory: country },
        ...{ Rental: `inventory.${country}`, PaymentRow: `rental.inventory.${country}` },
      });
      server = await adopted.start();
    });
    afterAll(async () => {
      await server.stop();
      await adopted.drop();
    });

    test('is bounded to one store over references of any length, and is what the database says', async () => {
      const scopes = [
        'stores',
        'rentals',
        'payments_rows',
        'customers_rows',
        'inventories',
        'films',
        'film_actors',
        'actors',
      ].map((resource) => `${resource}:read`);
      for (const country of ['Canada', 'Australia']) {
        const { token } = await server.person({ scopes, boundary: { ...everywhere, store: [country] } });
        const answer = await server.query(
          token,
          `{ stores { totalCount } rentals { totalCount } paymentRows { totalCount } customerRows { totalCount } inventories { totalCount }
          films(first: 3) { totalCount nodes { title length rentalRate filmActors(first: 2) { totalCount nodes { actor { lastUpdate } } } } } filmActors { totalCount } }`,
        );
        expect(answer.errors).toEqual([]);
        const store = `SELECT s.store_id FROM store s JOIN address USING (address_id) JOIN city USING (city_id) JOIN country c USING (country_id) WHERE c.country = '${country}'`;
        const count = async (sql: string): Promise<number> =>
          Number((await server.database.read.query(`SELECT COUNT(*) AS n FROM ${sql}`))[0]?.n);
        const inStore = `inventory i WHERE i.store_id IN (${store})`;
        expect(answer.data).toMatchObject({
          stores: { totalCount: 1 },
          rentals: {
            totalCount: await count(
              `rental r JOIN ${inStore.replace('inventory i', 'inventory i USING (inventory_id)')}`,
            ),
          },
          paymentRows: {
            totalCount: await count(
              `payment p JOIN rental r USING (rental_id) JOIN ${inStore.replace('inventory i', 'inventory i USING (inventory_id)')}`,
            ),
          },
          customerRows: { totalCount: await count(`customer c WHERE c.store_id IN (${store})`) },
          inventories: { totalCount: await count(inStore) },
          films: { totalCount: 1000 },
          filmActors: { totalCount: 5462 },
        });
      }
    });
  },
);
