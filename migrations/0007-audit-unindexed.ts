import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/** Which records name rows that `audit_resources` does not have yet. */
export class AuditUnindexed1700000000007 implements MigrationInterface {
  readonly name = 'AuditUnindexed1700000000007';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create('audit_unindexed', [c.id('record_id')], { primaryKey: ['record_id'] });
  }

  /** The program before this one would never find what still waits. */
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
