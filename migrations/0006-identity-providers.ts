import { randomBytes } from 'node:crypto';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns, dropTables } from './columns.js';

/** OpenID Connect providers, who people are there, and which roles their groups give. */
export class IdentityProviders1700000000006 implements MigrationInterface {
  readonly name = 'IdentityProviders1700000000006';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'identity_providers',
      [
        c.id(),
        c.text('name', 40),
        c.text('label', 60),
        c.text('issuer', 255),
        c.text('client_id', 255),
        c.text('client_secret', 800),
        c.longtext('scopes'),
        c.text('groups_claim', 100),
        c.text('user_name_claim', 100),
        c.flag('may_create_users'),
        c.time('created_at'),
        c.int('version'),
      ],
      { unique: [['name'], ['issuer']] },
    );
    await c.create(
      'user_identities',
      [
        c.id('provider_id'),
        c.text('subject', 255),
        c.id('user_id'),
        c.time('created_at'),
        c.nullable(c.time('signed_out_at')),
      ],
      { primaryKey: ['provider_id', 'subject'], indexes: [['user_id']] },
    );
    await c.create(
      'provider_group_roles',
      [
        c.id('provider_id'),
        c.text('group_name', 255),
        c.id('role_id'),
        c.id('granted_by'),
        c.time('granted_at'),
      ],
      { primaryKey: ['provider_id', 'group_name', 'role_id'], indexes: [['role_id']] },
    );
    await c.create('provided_user_roles', [c.id('user_id'), c.id('role_id'), c.id('provider_id')], {
      primaryKey: ['user_id', 'role_id', 'provider_id'],
      indexes: [['provider_id']],
    });
    const key = randomBytes(32).toString('base64url');
    await runner.query(`INSERT INTO ${prefixed('server_keys')} (name, value) VALUES (?, ?)`, [keyName, key]);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM ${prefixed('server_keys')} WHERE name = ?`, [keyName]);
    await dropTables(runner, [
      'identity_providers',
      'user_identities',
      'provider_group_roles',
      'provided_user_roles',
    ]);
  }
}

const keyName = 'providers';
