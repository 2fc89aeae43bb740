import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns } from './columns.js';

/** Sign-ins keep the whole client id of their program: the address of a document is up to 255 characters. */
export class LongClientIds1700000000021 implements MigrationInterface {
  readonly name = 'LongClientIds1700000000021';

  up(runner: QueryRunner): Promise<void> {
    return setLength(runner, 255);
  }

  async down(runner: QueryRunner): Promise<void> {
    const table = prefixed('sign_ins');
    await runner.query(`UPDATE ${table} SET client_id = SUBSTR(client_id, 1, 100)`);
    await setLength(runner, 100);
  }
}

async function setLength(runner: QueryRunner, length: number): Promise<void> {
  const c = await Columns.over(runner);
  const table = prefixed('sign_ins');
  const column = c.text('client_id', length);
  // For MySQL, TypeORM would drop the column and add another one.
  if (c.mysql)
    await runner.query(
      `ALTER TABLE ${table} MODIFY client_id varchar(${String(length)}) CHARACTER SET utf8mb4 COLLATE ${String(column.collation)} NOT NULL`,
    );
  else await runner.changeColumn(table, 'client_id', new TableColumn(column));
}
