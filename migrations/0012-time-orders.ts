import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Orders of lists that had no index: each page sorted the whole table. */
const orders = [
  ['customers', 'created_at'],
  ['documents', 'created_at'],
  ['tickets', 'updated_at'],
] as const;

const indexOf = (table: string, column: string): string => `ix_${table}_${column}_id`;

/** Pages in these orders are read from their first row, without sorting. */
export class TimeOrders1700000000012 implements MigrationInterface {
  readonly name = 'TimeOrders1700000000012';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, column] of orders)
      await runner.query(`CREATE INDEX ${indexOf(table, column)} ON ${table} (${column}, id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [table, column] of orders) {
      const on = runner.dataSource.options.type === 'mysql' ? ` ON ${table}` : '';
      await runner.query(`DROP INDEX ${indexOf(table, column)}${on}`);
    }
  }
}
