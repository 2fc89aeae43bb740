import { vi } from 'vitest';
import { Connection } from '../../src/store/connection.js';

/** The statements that this process sends to its databases while `work` runs. */
export async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const spy = vi.spyOn(Connection.prototype, 'query');
  try {
    await work();
    return spy.mock.calls.map(([sql]) => sql);
  } finally {
    spy.mockRestore();
  }
}

/** Those among them that read or write a table. */
export const naming = (statements: readonly string[], table: string): string[] =>
  statements.filter((sql) => sql.includes(`\`${table}\``));
