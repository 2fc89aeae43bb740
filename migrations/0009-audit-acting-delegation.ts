import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Records have the acting delegation in a column of their own. From here on `audit_delegations` holds only its parents,
 * and most delegations have none.
 */
export class AuditActingDelegation1700000000009 implements MigrationInterface {
  readonly name = 'AuditActingDelegation1700000000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX ix_audit_records_delegation_id ON audit_records (delegation_id, id)');
  }

  /** The program before this migration searches `audit_delegations` only. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'INSERT INTO audit_delegations (record_id, delegation_id) SELECT id, delegation_id FROM audit_records r ' +
        'WHERE delegation_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_delegations d ' +
        'WHERE d.record_id = r.id AND d.delegation_id = r.delegation_id)',
    );
    const on = runner.dataSource.options.type === 'mysql' ? ' ON audit_records' : '';
    await runner.query(`DROP INDEX ix_audit_records_delegation_id${on}`);
  }
}
