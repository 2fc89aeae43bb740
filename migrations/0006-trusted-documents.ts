import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { Columns, dropTables } from './columns.js';

/** Registered operations, the roles bound to them, and the unregistered operations that ran or were refused. */
export class TrustedDocuments1700000000006 implements MigrationInterface {
  readonly name = 'TrustedDocuments1700000000006';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    await c.create(
      'trusted_documents',
      [
        c.id(),
        c.text('name', 100),
        c.text('hash', 64),
        c.text('kind', 20),
        c.longtext('source'),
        c.id('registered_by_id'),
        c.time('registered_at'),
        c.nullable(c.id('retired_by_id')),
        c.nullable(c.time('retired_at')),
        // A unique key of both databases allows many NULLs, so it holds among documents that are not retired.
        c.nullable(c.text('standing_name', 100)),
        c.nullable(c.text('standing_hash', 64)),
        c.int('version'),
      ],
      { unique: [['standing_name'], ['standing_hash']], indexes: [['name', 'id']] },
    );
    await c.create(
      'audit_documents',
      // The key has the order of these columns.
      [c.text('role', 100), c.text('document_hash', 64), c.id('record_id'), c.text('outcome', 20)],
      { primaryKey: ['role', 'document_hash', 'record_id'], indexes: [['record_id']] },
    );
    await runner.addColumn('roles', new TableColumn({ ...c.text('documents', 20), default: "'any'" }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('roles', 'documents');
    await dropTables(runner, ['trusted_documents', 'audit_documents']);
  }
}
