import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns } from './columns.js';

/** A consent has an end. Those that were given without one end 30 days after this migration. */
export class ConsentEnds1700000000010 implements MigrationInterface {
  readonly name = 'ConsentEnds1700000000010';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    const column = c.time('expires_at');
    await runner.addColumn(consents(), new TableColumn(c.nullable(column)));
    const end = new Date(Date.now() + thirtyDaysMs).toISOString().replace('T', ' ').replace('Z', '');
    await runner.query(`UPDATE ${consents()} SET expires_at = ?`, [end]);
    await runner.changeColumn(consents(), 'expires_at', new TableColumn(column));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn(consents(), 'expires_at');
  }
}

const consents = (): string => prefixed('consents');
const thirtyDaysMs = 30 * 86_400_000;
