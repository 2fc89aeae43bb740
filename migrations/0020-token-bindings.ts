import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns } from './columns.js';

const tables = ['agents', 'clients'];

/** The certificates that authenticate agents and clients, and what their access tokens must be bound to. */
export class TokenBindings1700000000020 implements MigrationInterface {
  readonly name = 'TokenBindings1700000000020';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    for (const table of tables)
      await runner.addColumns(prefixed(table), [
        new TableColumn(c.nullable(c.longtext('certificate_name'))),
        new TableColumn(c.withDefault(c.text('token_binding', 20), "'any'")),
      ]);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of tables)
      await runner.dropColumns(prefixed(table), ['certificate_name', 'token_binding']);
  }
}
