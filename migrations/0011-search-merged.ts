import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Keeps SQLite's full-text index in few parts. Each change adds a part, and a look-up reads all of them: with SQLite's
 * own settings 18 after 3,000 passages, with these 7, for changes that take a little longer. MySQL merges its index by
 * itself.
 */
export class SearchMerged1700000000011 implements MigrationInterface {
  readonly name = 'SearchMerged1700000000011';

  async up(runner: QueryRunner): Promise<void> {
    if (runner.dataSource.options.type === 'mysql') return;
    await merging(runner, 2, 4);
    await runner.query(`INSERT INTO passages_fts (passages_fts) VALUES ('optimize')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    if (runner.dataSource.options.type !== 'mysql') await merging(runner, 4, 16);
  }
}

/** The number of parts from which they are merged step by step, and from which all at once. */
async function merging(runner: QueryRunner, bitByBit: number, atOnce: number): Promise<void> {
  const set = 'INSERT INTO passages_fts (passages_fts, rank) VALUES';
  await runner.query(`${set} ('automerge', ${String(bitByBit)})`);
  await runner.query(`${set} ('crisismerge', ${String(atOnce)})`);
}
