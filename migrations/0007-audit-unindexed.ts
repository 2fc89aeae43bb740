import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/** Records whose rows are not in `audit_resources` yet. */
export class AuditUnindexed1700000000007 implements MigrationInterface {
  readonly name = 'AuditUnindexed1700000000007';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create('audit_unindexed', [c.id('record_id')], { primaryKey: ['record_id'] });
  }

  /** The program before this migration would never find the records that still wait. */
  async down(runner: QueryRunner): Promise<void> {
    const waiting = (await runner.query('SELECT record_id FROM audit_unindexed LIMIT 1')) as unknown[];
    if (waiting.length > 0) {
      throw new Error(
        'Records wait for their index: let a server run until `behalf_records_unindexed` is 0.',
      );
    }
    await dropTables(runner, ['audit_unindexed']);
  }
}
