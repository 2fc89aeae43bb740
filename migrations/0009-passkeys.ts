import type { MigrationInterface, QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns, dropTables } from './columns.js';

/** Passkeys, with which people sign in. */
export class Passkeys1700000000009 implements MigrationInterface {
  readonly name = 'Passkeys1700000000009';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'passkeys',
      [
        c.id(),
        c.id('user_id'),
        c.text('name', 100),
        c.text('credential_digest', 64),
        c.text('credential_id', 1364),
        c.text('public_key', 1400),
        c.long('sign_count'),
        c.longtext('transports'),
        c.time('created_at'),
        c.nullable(c.time('last_used_at')),
        c.int('version'),
      ],
      { unique: [['credential_digest']], indexes: [['user_id', 'id']] },
    );
    await changeScopes(runner, (scopes) => [...new Set([...scopes, scope])]);
  }

  async down(runner: QueryRunner): Promise<void> {
    await changeScopes(runner, (scopes) => scopes.filter((one) => one !== scope));
    await dropTables(runner, ['passkeys']);
  }
}

const scope = 'passkeys:manage';

/** Every shipped role of people lets its holders look after their own passkeys. */
async function changeScopes(
  runner: QueryRunner,
  change: (scopes: readonly string[]) => readonly string[],
): Promise<void> {
  const roles = prefixed('roles');
  const rows = (await runner.query(
    `SELECT id, scopes FROM ${roles} WHERE shipped = 1 AND holder = 'person'`,
  )) as { id: string; scopes: string }[];
  for (const { id, scopes } of rows) {
    const changed = JSON.stringify(change(JSON.parse(scopes) as string[]));
    await runner.query(`UPDATE ${roles} SET scopes = ? WHERE id = ?`, [changed, id]);
  }
}
