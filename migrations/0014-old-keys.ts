import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An index on the age of idempotency keys, so that old ones can be deleted. */
export class OldKeys1700000000014 implements MigrationInterface {
  readonly name = 'OldKeys1700000000014';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)');
  }

  async down(runner: QueryRunner): Promise<void> {
    const on = runner.dataSource.options.type === 'mysql' ? ' ON idempotency_keys' : '';
    await runner.query(`DROP INDEX ix_idempotency_keys_created_at${on}`);
  }
}
