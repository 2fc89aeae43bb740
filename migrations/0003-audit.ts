import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/** One record per operation, and its indexes. */
export class Audit1700000000003 implements MigrationInterface {
  readonly name = 'Audit1700000000003';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'audit_records',
      [
        c.id(),
        c.time('at'),
        c.text('kind', 20),
        c.text('outcome', 20),
        c.nullable(c.id('user_id')),
        c.nullable(c.id('agent_id')),
        c.nullable(c.id('delegation_id')),
        c.nullable(c.text('task', 200)),
        c.nullable(c.text('operation_name', 200)),
        c.nullable(c.text('operation_type', 20)),
        c.nullable(c.text('document_hash', 64)),
        c.nullable(c.text('error_code', 40)),
        c.int('row_count'),
        c.int('duration_ms'),
        c.longtext('body'),
      ],
      {
        indexes: [
          ['at', 'id'],
          ['user_id', 'id'],
          ['agent_id', 'id'],
          ['task', 'id'],
        ],
      },
    );
    await c.create('audit_delegations', [c.id('record_id'), c.id('delegation_id')], {
      primaryKey: ['delegation_id', 'record_id'],
    });
    await c.create(
      'audit_resources',
      [c.id('record_id'), c.text('type', 60), c.text('resource_id', 64), c.text('action', 20)],
      { primaryKey: ['type', 'resource_id', 'action', 'record_id'] },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, ['audit_records', 'audit_delegations', 'audit_resources']);
  }
}
