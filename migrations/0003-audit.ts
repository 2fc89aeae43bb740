import type { MigrationInterface, QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns, dropTables } from './columns.js';

/** One record for each operation, the queues of what follows a record, and the index of its search terms. */
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
        c.nullable(c.int('values_format')),
      ],
      { indexes: [['at', 'id']], rowNumber: 'sqlite' },
    );
    await c.create(
      'audit_documents',
      // The key has the order of these columns.
      [c.text('role', 100), c.text('document_hash', 64), c.id('record_id'), c.text('outcome', 20)],
      { primaryKey: ['role', 'document_hash', 'record_id'], indexes: [['record_id']] },
    );
    await c.create('audit_incomplete', [c.text('type', 60), c.id('record_id')], {
      primaryKey: ['type', 'record_id'],
    });
    await this.outbox(runner, c);
    await this.index(runner, c);
  }

  private async outbox(runner: QueryRunner, c: Columns): Promise<void> {
    await c.create('audit_unindexed', [c.id('record_id')], { primaryKey: ['record_id'] });
    await c.create('audit_sequence', [c.long('position'), c.id('record_id')], { primaryKey: ['position'] });
    await c.create('audit_cursors', [c.text('consumer', 60), c.long('position')], {
      primaryKey: ['consumer'],
    });
    await c.create('audit_set_aside', [c.text('consumer', 60), c.id('record_id')], {
      primaryKey: ['consumer', 'record_id'],
    });
    await runner.query(
      `INSERT INTO ${prefixed('audit_cursors')} (consumer, position) VALUES ('sequencer', 0), ('index', 0)`,
    );
  }

  /** SQLite has a full-text index, which grows by appending: in a tree, each term would change a page of its own. */
  private async index(runner: QueryRunner, c: Columns): Promise<void> {
    if (c.mysql) {
      await c.create('audit_index', [c.text('type', 60), c.text('value', 200), c.id('record_id')], {
        primaryKey: ['type', 'value', 'record_id'],
      });
      return;
    }
    await runner.query(
      `CREATE VIRTUAL TABLE ${prefixed('audit_terms')} USING fts5 ` +
        "(terms, content = '', columnsize = 0, detail = none, tokenize = 'ascii')",
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    const isMysql = runner.dataSource.options.type === 'mysql';
    await dropTables(runner, [
      'audit_records',
      'audit_documents',
      'audit_incomplete',
      'audit_unindexed',
      'audit_sequence',
      'audit_cursors',
      'audit_set_aside',
      isMysql ? 'audit_index' : 'audit_terms',
    ]);
  }
}
