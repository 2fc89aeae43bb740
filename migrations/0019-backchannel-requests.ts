import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns, dropTables } from './columns.js';

/** Requests of agents that wait for a person, and where clients are told of the decision. */
export class BackchannelRequests1700000000019 implements MigrationInterface {
  readonly name = 'BackchannelRequests1700000000019';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'backchannel_requests',
      [
        c.id(),
        c.nullable(c.id('user_id')),
        c.text('hint', 64),
        c.id('agent_id'),
        c.nullable(c.text('message', 60)),
        c.text('address', 60),
        c.nullable(c.text('user_agent', 300)),
        c.time('created_at'),
        c.time('expires_at'),
      ],
      { indexes: [['agent_id'], ['expires_at'], ['hint'], ['user_id']] },
    );
    const endpoint = c.nullable(c.text('notification_endpoint', 500));
    await runner.addColumn(prefixed('clients'), new TableColumn(endpoint));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn(prefixed('clients'), 'notification_endpoint');
    await dropTables(runner, ['backchannel_requests']);
  }
}
