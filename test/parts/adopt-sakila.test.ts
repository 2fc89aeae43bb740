// databases: mariadb
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Adopted } from '../support/adopted.js';
import { everywhere, type TestServer } from '../support/server.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = join(import.meta.dirname, '..', '..');
const data = process.env.BEHALF_TEST_DATA ?? join(root, '..', 'shared', 'data');
const sakila = join(data, 'sakila');
const isThere = existsSync(sakila);

describe.runIf(isThere)('a video rental chain (in the folder that BEHALF_TEST_DATA names)', () => {
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
});
