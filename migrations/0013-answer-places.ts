import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { Columns } from './columns.js';

/** With a mutation's answer it is kept where its rows stood: what lay outside a boundary of later is not given again. */
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
