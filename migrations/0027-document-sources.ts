import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { Columns } from './columns.js';

/** Imported documents keep their source, so that a citation can be followed. */
export class DocumentSources1700000000027 implements MigrationInterface {
  readonly name = 'DocumentSources1700000000027';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    const columns = [c.text('source_path', 1000), c.text('source_url', 2000)].map((column) =>
      c.nullable(column),
    );
    if (runner.dataSource.options.type === 'mysql') {
      await runner.addColumns(
        'documents',
        columns.map((column) => new TableColumn(column)),
      );
      return;
    }
    // For a new column TypeORM rebuilds a table of SQLite, without indexes that it did not make.
    for (const { name, length } of columns)
      await runner.query(`ALTER TABLE documents ADD COLUMN ${name} varchar(${String(length)})`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['source_path', 'source_url'])
      await runner.query(`ALTER TABLE documents DROP COLUMN ${name}`);
  }
}
