import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/** People who asked administrators to admit a client. */
export class ClientRequests1700000000022 implements MigrationInterface {
  readonly name = 'ClientRequests1700000000022';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'client_requests',
      [
        c.id(),
        c.id('user_id'),
        c.text('client_id', 255),
        c.text('name', 200),
        c.time('created_at'),
        c.int('version'),
      ],
      { unique: [['user_id', 'client_id']], indexes: [['client_id'], ['created_at']] },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, ['client_requests']);
  }
}
