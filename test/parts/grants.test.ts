// databases: mariadb
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { createApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { Database } from '../../src/store/sql/database.js';
import { Adopted, staffTables } from '../support/adopted.js';
import { targetOf } from '../support/database.js';
import { freePort } from '../support/free-port.js';
import { everywhere } from '../support/server.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describe('grants for adopted tables', () => {
  let adopted: Adopted;
  beforeAll(async () => {
    adopted = await Adopted.of(staffTables);
    await adopted.cli.ok(['adopt', '--out', 'company']);
    adopted.decide({ Store: 'country', StaffMember: 'store.country' });
    adopted.edit('schema/stores.graphql', (sdl) =>
      sdl
        .replace(
          'extend schema',
          'extend schema @defineScope(name: "stores:write", description: "Write stores.")',
        )
        .replace(
          '  @query(',
          '  @create(mutation: "createStore", scope: "stores:write")\n' +
            '  @update(mutation: "updateStore", scope: "stores:write")\n' +
            '  @delete(mutation: "deleteStore", scope: "stores:write")\n  @query(',
        )
        .replace(/(country: .*)/, '$1 @writable')
        .replace(
          /\n\}/,
          '\n  no: Int! @scope(name: "stores:read") @column(name: "id") @writable(on: CREATE)\n' +
            '  version: String! @scope(name: "stores:read") @version\n}',
        ),
    );
  });
  afterAll(() => adopted.drop());

  test('the printed grants are enough, and give no column that no type names', async () => {
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
      const scopes = ['staff_members:read', 'staff_members:read_personal', 'stores:read', 'stores:write'];
      const { token } = await maker.person({ scopes, boundary: { ...everywhere, store: ['Canada'] } });
      await maker.stop();
      const app = await createApp(
        readConfig({
          DATABASE_URL: url.href,
          BEHALF_COMPANY: adopted.folder,
          BEHALF_LOG_LEVEL: 'silent',
          PORT: String(await freePort()),
          BEHALF_PUBLIC_URL: maker.publicUrl,
        }),
      );
      try {
        const url = await app.listen();
        const ask = async (query: string): Promise<unknown> => {
          const response = await fetch(`${url}/graphql`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
            body: JSON.stringify({ query }),
          });
          return response.json();
        };
        const read = '{ staffMembers { nodes { firstName store { country staffMembers { totalCount } } } } }';
        expect(await ask(read)).toMatchObject({
          data: {
            staffMembers: {
              nodes: [{ firstName: 'Ann', store: { country: 'Canada', staffMembers: { totalCount: 1 } } }],
            },
          },
        });
        const store = (answer: unknown, mutation: string): { id: string; version: string } =>
          (answer as { data: Record<string, { store: { id: string; version: string } }> }).data[mutation]
            ?.store ?? { id: '', version: '' };
        const made = await ask(
          'mutation { createStore(values: { no: 9, country: "Canada" }, idempotencyKey: "1") { store { id version } } }',
        );
        const { id, version } = store(made, 'createStore');
        const updated = await ask(
          `mutation { updateStore(id: "${id}", changes: { country: "Canada" }, expectedVersion: "${version}", idempotencyKey: "2") { store { id version } } }`,
        );
        expect(store(updated, 'updateStore').id).toBe(id);
        const deleted = await ask(
          `mutation { deleteStore(id: "${id}", expectedVersion: "${version}", idempotencyKey: "3") { deletedId } }`,
        );
        expect(deleted).toMatchObject({ data: { deleteStore: { deletedId: id } } });
      } finally {
        await app.close();
      }
    } finally {
      await run(`DROP USER ${account}`);
      await root.close();
    }
  });
});
