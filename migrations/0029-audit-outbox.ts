import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/**
 * Everything that follows a record reads one durable sequence, each consumer from a cursor of its own. The queue of
 * the index, so far the only consumer, becomes the queue of records without a position; a replica of the program before
 * may go on writing to it.
 */
export class AuditOutbox1700000000029 implements MigrationInterface {
  readonly name = 'AuditOutbox1700000000029';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create('audit_sequence', [c.long('position'), c.id('record_id')], { primaryKey: ['position'] });
    await c.create('audit_cursors', [c.text('consumer', 60), c.long('position')], {
      primaryKey: ['consumer'],
    });
    await c.create('audit_set_aside', [c.text('consumer', 60), c.id('record_id')], {
      primaryKey: ['consumer', 'record_id'],
    });
    await runner.query(
      "INSERT INTO audit_cursors (consumer, position) VALUES ('sequencer', 0), ('index', 0)",
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'INSERT INTO audit_unindexed (record_id) SELECT record_id FROM audit_sequence WHERE position > ' +
        "(SELECT position FROM audit_cursors WHERE consumer = 'index') " +
        "UNION SELECT record_id FROM audit_set_aside WHERE consumer = 'index'",
    );
    await dropTables(runner, ['audit_sequence', 'audit_cursors', 'audit_set_aside']);
  }
}
