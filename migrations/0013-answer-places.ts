import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { Columns } from './columns.js';

/**
 * A mutation's stored answer keeps the dimension values of its rows, so that a repeat outside a later boundary does not
 * give them again.
 */
export class AnswerPlaces1700000000013 implements MigrationInterface {
  readonly name = 'AnswerPlaces1700000000013';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await runner.addColumn('idempotency_keys', new TableColumn(c.nullable(c.longtext('places'))));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('idempotency_keys', 'places');
  }
}
