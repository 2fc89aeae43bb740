import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/**
 * A record is written to the end of its table and to the index of its time only. Its other search terms (person, agent,
 * delegation, rows) stand in an index of their own, made later. On SQLite that is a full-text index, which grows by
 * appending: in a tree, each row that a record names would change a page of its own.
 */
export class AuditIndex1700000000010 implements MigrationInterface {
  readonly name = 'AuditIndex1700000000010';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await dropTables(runner, ['audit_delegations', 'audit_resources']);
    if (runner.dataSource.options.type === 'mysql') {
      await c.create('audit_index', [c.text('type', 60), c.text('value', 200), c.id('record_id')], {
        primaryKey: ['type', 'value', 'record_id'],
      });
      for (const index of Object.keys(searched)) await runner.query(`DROP INDEX ${index} ON audit_records`);
    } else {
      await numberRecords(runner, c);
      await runner.query(
        "CREATE VIRTUAL TABLE audit_terms USING fts5 (terms, content = '', columnsize = 0, detail = none, tokenize = 'ascii')",
      );
    }
    await allWait(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    const isMysql = runner.dataSource.options.type === 'mysql';
    await (isMysql ? dropTables(runner, ['audit_index']) : runner.query('DROP TABLE audit_terms'));
    for (const [index, columns] of Object.entries(searched)) {
      await runner.query(`CREATE INDEX ${index} ON audit_records (${columns})`);
    }
    await c.create('audit_delegations', [c.id('delegation_id'), c.id('record_id')], {
      primaryKey: ['delegation_id', 'record_id'],
    });
    await c.create(
      'audit_resources',
      [c.text('type', 60), c.text('resource_id', 64), c.text('action', 20), c.id('record_id')],
      { primaryKey: ['type', 'resource_id', 'action', 'record_id'] },
    );
    const parents = isMysql
      ? "SELECT DISTINCT j.id, r.id FROM audit_records r, JSON_TABLE(r.body, '$.delegation.ids[*]' COLUMNS (id VARCHAR(26) CHARACTER SET utf8mb4 PATH '$')) j WHERE j.id IS NOT NULL AND j.id COLLATE utf8mb4_bin <> r.delegation_id"
      : "SELECT DISTINCT j.value, r.id FROM audit_records r, json_each(r.body, '$.delegation.ids') j WHERE j.value <> r.delegation_id";
    await runner.query(`INSERT INTO audit_delegations (delegation_id, record_id) ${parents}`);
    await allWait(runner);
  }
}

/** Former indexes for searches, with their columns. */
const searched = {
  ix_audit_records_user_id_id: 'user_id, id',
  ix_audit_records_agent_id_id: 'agent_id, id',
  ix_audit_records_task_id: 'task, id',
  ix_audit_records_delegation_id: 'delegation_id, id',
};

/** Searches are exact from the beginning, and fast once the queue is empty. */
const allWait = (runner: QueryRunner): Promise<unknown> =>
  runner.query(
    'INSERT INTO audit_unindexed (record_id) SELECT id FROM audit_records r ' +
      'WHERE NOT EXISTS (SELECT 1 FROM audit_unindexed u WHERE u.record_id = r.id)',
  );

/** Gives records a row number; after a rollback of this migration they still have it. */
async function numberRecords(runner: QueryRunner, c: Columns): Promise<void> {
  const [known] = (await runner.query(
    "SELECT 1 FROM pragma_table_info('audit_records') WHERE name = 'row_no'",
  )) as unknown[];
  if (known === undefined) {
    const columns = [
      c.id(),
      c.time('at'),
      c.text('kind', 20),
      c.text('outcome', 20),
      c.nullable(c.id('user_id')),
      c.nullable(c.id('agent_id')),
      c.nullable(c.id('delegation_id')),
      c.nullable(c.text('task', 200)),
      c.nullable(c.text('operation_name', 200)),
      c.nullable(c.text('operation_type', 20)),
      c.nullable(c.text('document_hash', 64)),
      c.nullable(c.text('error_code', 40)),
      c.int('row_count'),
      c.int('duration_ms'),
      c.longtext('body'),
    ];
    await c.create('audit_records_next', [c.rowNumber(), ...columns], { primaryKey: ['row_no'] });
    const names = columns.map(({ name }) => name).join(', ');
    await runner.query(
      `INSERT INTO audit_records_next (${names}) SELECT ${names} FROM audit_records ORDER BY id`,
    );
    await runner.query('DROP TABLE audit_records');
    await runner.query('ALTER TABLE audit_records_next RENAME TO audit_records');
    await runner.query('CREATE UNIQUE INDEX uq_audit_records_id ON audit_records (id)');
    await runner.query('CREATE INDEX ix_audit_records_at_id ON audit_records (at, id)');
    return;
  }
  for (const index of Object.keys(searched)) await runner.query(`DROP INDEX ${index}`);
}
