import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = ['agents', 'authority_epoch'];

/** An agent's tokens end when its credentials change and when it is stopped. */
export class TokenGenerations1700000000015 implements MigrationInterface {
  readonly name = 'TokenGenerations1700000000015';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of tables)
      await runner.query(`ALTER TABLE ${table} ADD COLUMN token_generation integer NOT NULL DEFAULT 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of tables) await runner.query(`ALTER TABLE ${table} DROP COLUMN token_generation`);
  }
}
