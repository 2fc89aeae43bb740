import { vi } from 'vitest';
import { MysqlStatements, SqliteStatements } from '../../src/store/statements.js';

/** The statements that this process sends to its databases while `work` runs. */
export async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const spies = [MysqlStatements, SqliteStatements].map((kind) => vi.spyOn(kind.prototype, 'run'));
  try {
    await work();
    return spies.flatMap((spy) => spy.mock.calls.map(([sql]) => sql));
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Those among them that read or write a table. */
export const naming = (statements: readonly string[], table: string): string[] =>
  statements.filter((sql) => sql.includes(`\`${table}\``));
