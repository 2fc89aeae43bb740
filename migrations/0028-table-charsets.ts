import type { MigrationInterface, QueryRunner } from 'typeorm';
import { Columns } from './columns.js';

/**
 * Tables made before this migration: their columns name a character set, but the tables took the database's default.
 */
const tables = [
  ...['users', 'agents', 'agent_secrets', 'roles', 'user_roles', 'agent_roles', 'grantable_roles'],
  ...['delegations', 'consents', 'oauth_payloads', 'authority_epoch', 'idempotency_keys', 'import_keys'],
  ...['audit_records', 'audit_unindexed', 'audit_documents', 'audit_index', 'trusted_documents'],
  ...['collections', 'documents', 'document_versions', 'passages'],
  ...['customers', 'products', 'stock_movements', 'orders', 'order_lines', 'invoices', 'payments', 'refunds'],
  ...['tickets', 'ticket_messages', 'migrations'],
];

/** Every table names its character set: a column added later does not depend on the database's default. */
export class TableCharsets1700000000028 implements MigrationInterface {
  readonly name = 'TableCharsets1700000000028';

  async up(runner: QueryRunner): Promise<void> {
    await (await Columns.over(runner)).nameCharsets(tables);
  }

  /** The program before this migration works with either. */
  down(): Promise<void> {
    return Promise.resolve();
  }
}
