import { randomBytes } from 'node:crypto';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/** Secrets that all servers of this database share, and that a restart does not change. */
export class ServerKeys1700000000020 implements MigrationInterface {
  readonly name = 'ServerKeys1700000000020';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create('server_keys', [c.text('name', 60), c.text('value', 200)], { primaryKey: ['name'] });
    for (const name of ['cursors', 'digests']) {
      await runner.query('INSERT INTO server_keys (name, value) VALUES (?, ?)', [
        name,
        randomBytes(32).toString('base64url'),
      ]);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, ['server_keys']);
  }
}
