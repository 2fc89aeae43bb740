import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/** Issuers whose tokens are exchanged here, their names for our agents, and what rests on their tokens. */
export class TokenIssuers1700000000008 implements MigrationInterface {
  readonly name = 'TokenIssuers1700000000008';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'token_issuers',
      [
        c.id(),
        c.text('name', 40),
        c.text('issuer', 255),
        c.id('provider_id'),
        c.text('dialect', 20),
        c.nullable(c.text('user_claim', 100)),
        c.longtext('token_types'),
        c.longtext('audiences'),
        c.int('age_max_seconds'),
        c.int('actors_max'),
        c.id('added_by'),
        c.time('created_at'),
        c.int('version'),
      ],
      { unique: [['name'], ['issuer']], indexes: [['provider_id']] },
    );
    await c.create(
      'token_issuer_agents',
      [c.id('issuer_id'), c.text('actor', 255), c.id('agent_id'), c.id('mapped_by'), c.time('mapped_at')],
      { primaryKey: ['issuer_id', 'actor'], indexes: [['agent_id']] },
    );
    await c.create(
      'issuer_delegations',
      [
        c.id('issuer_id'),
        c.id('delegation_id'),
        c.text('subject', 255),
        c.id('agent_id'),
        c.flag('made'),
        c.time('created_at'),
      ],
      { primaryKey: ['issuer_id', 'delegation_id', 'subject'], indexes: [['delegation_id']] },
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, ['token_issuers', 'token_issuer_agents', 'issuer_delegations']);
  }
}
