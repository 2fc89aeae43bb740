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
  });
});
