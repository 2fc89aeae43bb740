import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/** OAuth clients as entities of their own, and rules that admit them by their host. */
export class Clients1700000000014 implements MigrationInterface {
  readonly name = 'Clients1700000000014';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'clients',
      [
        c.id(),
        c.text('client_id', 255),
        c.text('name', 200),
        c.text('registration', 20),
        c.text('status', 20),
        c.nullable(c.id('agent_id')),
        c.flag('is_own_tool'),
        c.text('auth_method', 40),
        c.nullable(c.longtext('jwks')),
        c.longtext('redirect_uris'),
        c.nullable(c.longtext('scopes')),
        c.nullable(c.longtext('resources')),
        c.nullable(c.longtext('changed_to')),
        c.nullable(c.time('checked_at')),
        c.nullable(c.time('requested_at')),
        c.nullable(c.time('expires_at')),
        c.time('created_at'),
        c.int('version'),
      ],
      { unique: [['client_id']], indexes: [['agent_id'], ['status', 'expires_at']] },
    );
    await c.create(
      'client_rules',
      [
        c.id(),
        c.text('host', 255),
        c.id('role_id'),
        c.longtext('scopes'),
        c.id('owner_id'),
        c.id('added_by'),
        c.time('created_at'),
        c.int('version'),
      ],
      { unique: [['host']] },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, ['clients', 'client_rules']);
  }
}
