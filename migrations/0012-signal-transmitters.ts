import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/** From whom security events are taken. */
export class SignalTransmitters1700000000012 implements MigrationInterface {
  readonly name = 'SignalTransmitters1700000000012';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'signal_transmitters',
      [
        c.id('provider_id'),
        c.text('issuer', 255),
        c.text('audience', 255),
        c.nullable(c.text('keys_uri', 500)),
        c.nullable(c.text('authorization_digest', 64)),
        c.time('created_at'),
      ],
      { primaryKey: ['provider_id'], unique: [['issuer']] },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, ['signal_transmitters']);
  }
}
