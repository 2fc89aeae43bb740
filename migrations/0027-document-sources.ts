import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { Columns } from './columns.js';

/** Imported documents keep where they came from, so that a citation can be followed. */
export class DocumentSources1700000000027 implements MigrationInterface {
  readonly name = 'DocumentSources1700000000027';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    for (const column of [c.text('source_path', 1000), c.text('source_url', 2000)])
      await runner.addColumn('documents', new TableColumn(c.nullable(column)));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ['source_path', 'source_url']) await runner.dropColumn('documents', name);
  }
}
