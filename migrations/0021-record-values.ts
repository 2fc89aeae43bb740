import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/**
 * From here on a record says for each value where it was written to, and names every row. Earlier records keep the
 * column empty, since that is not known for them. Earlier records that touched more rows of a type than the hundred
 * that they name are listed, so that a search by a row can say which records it may miss.
 */
export class RecordValues1700000000021 implements MigrationInterface {
  readonly name = 'RecordValues1700000000021';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await runner.query('ALTER TABLE audit_records ADD COLUMN values_format integer NULL');
    await c.create('audit_incomplete', [c.text('type', 60), c.id('record_id')], {
      primaryKey: ['type', 'record_id'],
    });
    const more =
      runner.dataSource.options.type === 'mysql'
        ? "SELECT DISTINCT j.type, r.id FROM audit_records r, JSON_TABLE(r.body, '$.resources[*]' COLUMNS (type VARCHAR(60) CHARACTER SET utf8mb4 PATH '$.type', number INT PATH '$.count')) j WHERE r.row_count > 100 AND JSON_VALID(r.body) AND j.number > 100 AND j.type IS NOT NULL"
        : "SELECT DISTINCT json_extract(j.value, '$.type'), r.id FROM audit_records r, json_each(r.body, '$.resources') j WHERE r.row_count > 100 AND json_extract(j.value, '$.count') > 100 AND json_extract(j.value, '$.type') IS NOT NULL";
    await runner.query(`INSERT INTO audit_incomplete (type, record_id) ${more}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, ['audit_incomplete']);
    await runner.query('ALTER TABLE audit_records DROP COLUMN values_format');
  }
}
