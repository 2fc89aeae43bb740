import type { MigrationInterface, QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns, dropTables } from './columns.js';

/** Delegations, the authorization server's payloads, and the authority's version. */
export class Delegation1700000000002 implements MigrationInterface {
  readonly name = 'Delegation1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'delegations',
      [
        c.id(),
        c.id('user_id'),
        c.id('agent_id'),
        c.id('role_id'),
        c.nullable(c.id('parent_id')),
        c.int('depth'),
        c.text('purpose', 500),
        c.text('task', 200),
        c.longtext('scopes'),
        c.longtext('boundary'),
        c.int('operations_max'),
        c.int('operations_used'),
        c.int('rows_max'),
        c.int('rows_used'),
        c.int('depth_max'),
        c.text('status', 20),
        c.flag('standing'),
        c.time('created_at'),
        c.time('expires_at'),
        c.nullable(c.time('ended_at')),
        c.nullable(c.id('ended_by')),
        c.int('version'),
      ],
      { indexes: [['user_id', 'id'], ['agent_id', 'id'], ['parent_id']] },
    );
    await c.create(
      'consents',
      [
        c.id(),
        c.id('user_id'),
        c.id('agent_id'),
        c.id('role_id'),
        c.longtext('scopes'),
        c.longtext('boundary'),
        c.time('created_at'),
        c.nullable(c.time('revoked_at')),
      ],
      { indexes: [['user_id', 'agent_id']] },
    );
    await c.create(
      'oauth_payloads',
      [
        c.text('model', 40),
        c.text('id', 64),
        c.nullable(c.text('grant_id', 64)),
        c.nullable(c.text('uid', 64)),
        c.nullable(c.text('user_code', 64)),
        c.nullable(c.id('account_id')),
        c.longtext('payload'),
        c.nullable(c.time('expires_at')),
        c.nullable(c.time('consumed_at')),
      ],
      {
        primaryKey: ['model', 'id'],
        indexes: [['grant_id'], ['uid'], ['user_code'], ['account_id'], ['expires_at']],
      },
    );
    await c.create('authority_epoch', [
      c.int('id'),
      c.int('version'),
      c.flag('stopped'),
      c.withDefault(c.int('token_generation'), '0'),
    ]);
    await runner.query(`INSERT INTO ${prefixed('authority_epoch')} (id, version, stopped) VALUES (1, 1, 0)`);
    await c.create(
      'idempotency_keys',
      [
        c.id('owner_id'),
        c.text('key', 100),
        c.text('input_digest', 64),
        c.id('operation_id'),
        c.longtext('answer'),
        c.time('created_at'),
        c.nullable(c.longtext('places')),
      ],
      { primaryKey: ['owner_id', 'key'], indexes: [['created_at']] },
    );
    await c.create(
      'import_keys',
      [c.text('source', 60), c.text('entity', 60), c.text('external_id', 200), c.id()],
      { primaryKey: ['source', 'entity', 'external_id'] },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, [
      'delegations',
      'consents',
      'oauth_payloads',
      'authority_epoch',
      'idempotency_keys',
      'import_keys',
    ]);
  }
}
