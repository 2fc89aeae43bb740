import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns, dropTables } from './columns.js';

/** Other servers that take tokens of this one, and the resources for which a delegation gives tokens. */
export class ResourceServers1700000000016 implements MigrationInterface {
  readonly name = 'ResourceServers1700000000016';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'resource_servers',
      [
        c.id(),
        c.text('name', 40),
        c.text('identifier', 255),
        c.longtext('scopes'),
        c.text('auth_method', 30),
        c.nullable(c.text('secret_hash', 300)),
        c.nullable(c.longtext('jwks')),
        c.time('created_at'),
        c.int('version'),
      ],
      { unique: [['name'], ['identifier']] },
    );
    await runner.addColumn(prefixed('delegations'), new TableColumn(c.nullable(c.longtext('resources'))));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn(prefixed('delegations'), 'resources');
    await dropTables(runner, ['resource_servers']);
  }
}
