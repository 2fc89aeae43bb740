import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/** The keys with which this server signs, encrypted. */
export class SigningKeys1700000000018 implements MigrationInterface {
  readonly name = 'SigningKeys1700000000018';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'signing_keys',
      [
        c.int('ordinal'),
        c.text('kid', 64),
        c.longtext('public_key'),
        c.longtext('sealed_key'),
        c.time('created_at'),
        c.time('signs_from'),
        c.nullable(c.time('published_until')),
      ],
      { primaryKey: ['ordinal'], unique: [['kid']] },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, ['signing_keys']);
  }
}
