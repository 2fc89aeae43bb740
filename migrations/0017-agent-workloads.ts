import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns } from './columns.js';

/** The workloads whose JWTs authenticate an agent. */
export class AgentWorkloads1700000000017 implements MigrationInterface {
  readonly name = 'AgentWorkloads1700000000017';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await runner.addColumn(prefixed('agents'), new TableColumn(c.nullable(c.longtext('workloads'))));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn(prefixed('agents'), 'workloads');
  }
}
