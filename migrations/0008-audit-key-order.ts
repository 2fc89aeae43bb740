import type { MigrationInterface, QueryRunner, TableColumnOptions } from 'typeorm';
import { Columns } from './columns.js';

/**
 * A key of an index table begins with the value that is searched. Before, a primary key had the order of its table's
 * columns, the record first, so that a search by a row or a delegation read the whole table.
 */
export class AuditKeyOrder1700000000008 implements MigrationInterface {
  readonly name = 'AuditKeyOrder1700000000008';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    const [type, resource, action] = [c.text('type', 60), c.text('resource_id', 64), c.text('action', 20)];
    await rebuild(runner, c, 'audit_resources', [type, resource, action, c.id('record_id')]);
    await rebuild(runner, c, 'audit_delegations', [c.id('delegation_id'), c.id('record_id')]);
  }

  /** The program before this migration works with either order. */
  down(): Promise<void> {
    return Promise.resolve();
  }
}

/** Gives a table a primary key of all these columns, in this order. */
async function rebuild(
  runner: QueryRunner,
  c: Columns,
  table: string,
  columns: TableColumnOptions[],
): Promise<void> {
  const names = columns.map(({ name }) => name);
  const list = names.map((name) => `\`${name}\``).join(', ');
  if (runner.dataSource.options.type === 'mysql') {
    await runner.query(`ALTER TABLE ${table} DROP PRIMARY KEY, ADD PRIMARY KEY (${list})`);
    return;
  }
  await c.create(`${table}_next`, columns, { primaryKey: names });
  await runner.query(`INSERT INTO ${table}_next (${list}) SELECT ${list} FROM ${table}`);
  await runner.query(`DROP TABLE ${table}`);
  await runner.query(`ALTER TABLE ${table}_next RENAME TO ${table}`);
}
