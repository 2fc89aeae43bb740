import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns } from './columns.js';

/** The addresses to which a person's answer to an agent's authorization request goes. */
export class AgentRedirectUris1700000000011 implements MigrationInterface {
  readonly name = 'AgentRedirectUris1700000000011';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await runner.addColumn(prefixed('agents'), new TableColumn(c.nullable(c.longtext('redirect_uris'))));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn(prefixed('agents'), 'redirect_uris');
  }
}
