import { randomBytes } from 'node:crypto';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns, dropTables } from './columns.js';

/** People, agents, roles and their holders, the operations registered for roles, and the secrets of servers. */
export class Identity1700000000001 implements MigrationInterface {
  readonly name = 'Identity1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.nameCharsetOfMigrations();
    await c.create(
      'users',
      [
        c.id(),
        c.text('name', 100),
        c.text('display_name', 200),
        c.nullable(c.text('email', 254)),
        c.text('password_hash', 300),
        c.flag('must_change_password'),
        c.text('status', 20),
        c.time('created_at'),
        c.int('version'),
      ],
      { unique: [['name']] },
    );
    await c.create(
      'agents',
      [
        c.id(),
        c.text('name', 100),
        c.text('display_name', 200),
        c.text('business_task', 500),
        c.id('owner_id'),
        c.text('status', 20),
        c.text('auth_method', 40),
        c.nullable(c.longtext('jwks')),
        c.time('created_at'),
        c.int('version'),
        c.withDefault(c.int('token_generation'), '0'),
      ],
      { unique: [['name']] },
    );
    await c.create(
      'agent_secrets',
      [
        c.id(),
        c.id('agent_id'),
        c.text('secret_hash', 300),
        c.time('created_at'),
        c.nullable(c.time('expires_at')),
      ],
      { indexes: [['agent_id']] },
    );
    await c.create(
      'roles',
      [
        c.id(),
        c.text('name', 100),
        c.text('description', 1000),
        c.text('business_task', 500),
        c.text('holder', 20),
        c.longtext('scopes'),
        c.longtext('approval_scopes'),
        c.longtext('boundary'),
        c.longtext('limits'),
        c.flag('shipped'),
        c.time('created_at'),
        c.int('version'),
        c.withDefault(c.text('documents', 20), "'any'"),
      ],
      { unique: [['name']] },
    );
    const grant = [c.id('role_id'), c.nullable(c.id('granted_by')), c.time('granted_at')];
    await c.create('user_roles', [c.id('user_id'), ...grant], {
      primaryKey: ['user_id', 'role_id'],
      indexes: [['role_id']],
    });
    await c.create('agent_roles', [c.id('agent_id'), ...grant], {
      primaryKey: ['agent_id', 'role_id'],
      indexes: [['role_id']],
    });
    await c.create('grantable_roles', [c.id('user_id'), c.id('role_id')], {
      primaryKey: ['user_id', 'role_id'],
    });
    await c.create(
      'trusted_documents',
      [
        c.id(),
        c.text('name', 100),
        c.text('hash', 64),
        c.text('kind', 20),
        c.longtext('source'),
        c.id('registered_by_id'),
        c.time('registered_at'),
        c.nullable(c.id('retired_by_id')),
        c.nullable(c.time('retired_at')),
        // A unique key of both databases allows many NULLs, so it holds among documents that are not retired.
        c.nullable(c.text('standing_name', 100)),
        c.nullable(c.text('standing_hash', 64)),
        c.int('version'),
      ],
      { unique: [['standing_name'], ['standing_hash']], indexes: [['name', 'id']] },
    );
    await c.create('server_keys', [c.text('name', 60), c.text('value', 200)], { primaryKey: ['name'] });
    for (const name of ['cursors', 'digests']) {
      const key = randomBytes(32).toString('base64url');
      await runner.query(`INSERT INTO ${prefixed('server_keys')} (name, value) VALUES (?, ?)`, [name, key]);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, [
      'users',
      'agents',
      'agent_secrets',
      'roles',
      'user_roles',
      'agent_roles',
      'grantable_roles',
      'trusted_documents',
      'server_keys',
    ]);
  }
}
