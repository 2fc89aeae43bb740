import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { prefixed } from '../src/store/tables/table.js';
import { Columns } from './columns.js';

/** Roles that need a sign-in with a passkey, and how the person of a delegation had signed in. */
export class SignInPolicies1700000000013 implements MigrationInterface {
  readonly name = 'SignInPolicies1700000000013';

  async up(runner: QueryRunner): Promise<void> {
    const c = await Columns.over(runner);
    const column = new TableColumn(c.withDefault(c.text('sign_in', 20), "'any'"));
    for (const table of tables()) await runner.addColumn(table, column.clone());
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of tables()) await runner.dropColumn(table, 'sign_in');
  }
}

const tables = (): string[] => ['roles', 'delegations'].map(prefixed);
