import type { MigrationInterface, QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns, dropTables } from './columns.js';

/** Adds the table of sign-ins. It cannot describe sign-ins made before it, so it ends them: people sign in again. */
export class SignIns1700000000007 implements MigrationInterface {
  readonly name = 'SignIns1700000000007';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'sign_ins',
      [
        c.id(),
        c.id('user_id'),
        c.text('grant_id', 64),
        c.text('client_id', 100),
        c.text('program', 200),
        c.text('method', 20),
        c.nullable(c.id('provider_id')),
        c.nullable(c.text('provider', 60)),
        c.nullable(c.text('provider_session', 64)),
        c.text('address', 60),
        c.nullable(c.text('user_agent', 300)),
        c.time('created_at'),
        c.nullable(c.time('last_used_at')),
        c.time('expires_at'),
      ],
      { unique: [['grant_id']], indexes: [['user_id'], ['provider_id', 'provider_session'], ['expires_at']] },
    );
    const payloads = prefixed('oauth_payloads');
    const delegations = prefixed('delegations');
    const isSignIn = `grant_id IS NOT NULL AND grant_id NOT IN (SELECT id FROM ${delegations})`;
    await runner.query(
      `UPDATE ${prefixed('authority_epoch')} SET version = version + 1 WHERE EXISTS (SELECT 1 FROM ${payloads} WHERE ${isSignIn})`,
    );
    await runner.query(`DELETE FROM ${payloads} WHERE ${isSignIn}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, ['sign_ins']);
  }
}
