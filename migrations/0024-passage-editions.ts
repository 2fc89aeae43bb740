import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { Columns } from './columns.js';

const editionIndex = 'ix_passages_edition_document_id';

/**
 * Each passage names the edition of the rules that made it, so that a server finds older ones and renews them beside
 * its requests. It also keeps its plain text, so that a search need not read Markdown. An older server writes edition
 * 0.
 */
export class PassageEditions1700000000024 implements MigrationInterface {
  readonly name = 'PassageEditions1700000000024';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    const columns = [
      new TableColumn(c.nullable(c.longtext('plain'))),
      new TableColumn({ ...c.int('edition'), default: 0 }),
    ];
    if (runner.dataSource.options.type === 'mysql') await runner.addColumns('passages', columns);
    else {
      // TypeORM would rebuild the table without its triggers.
      await runner.query('ALTER TABLE passages ADD COLUMN plain text');
      await runner.query('ALTER TABLE passages ADD COLUMN edition integer NOT NULL DEFAULT 0');
    }
    await runner.query(`CREATE INDEX ${editionIndex} ON passages (edition, document_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    const on = runner.dataSource.options.type === 'mysql' ? ' ON passages' : '';
    await runner.query(`DROP INDEX ${editionIndex}${on}`);
    for (const name of ['plain', 'edition']) await runner.query(`ALTER TABLE passages DROP COLUMN ${name}`);
  }
}
