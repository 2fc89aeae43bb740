import { vi } from 'vitest';
import { ReadingThread } from '../../src/store/drivers/reading-thread.js';
import { MysqlStatements, SqliteStatements } from '../../src/store/drivers/statements.js';
import { prefixed } from '../../src/store/tables/table.js';

export interface Sent {
  readonly sql: string;
  readonly params: readonly unknown[];
}

/** The statements that this process sends to its databases while `work` runs, with their parameters. */
export async function sentBy(work: () => Promise<unknown>): Promise<Sent[]> {
  const spies = [
    vi.spyOn(MysqlStatements.prototype, 'run'),
    vi.spyOn(SqliteStatements.prototype, 'run'),
    vi.spyOn(ReadingThread.prototype, 'run'),
  ];
  try {
    await work();
    return spies.flatMap((spy) => spy.mock.calls.map(([sql, params]) => ({ sql, params })));
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** The texts of those statements. */
export const statementsOf = async (work: () => Promise<unknown>): Promise<string[]> =>
  (await sentBy(work)).map(({ sql }) => sql);

/** The statements that read or write a table of ours. */
export const naming = (statements: readonly string[], table: string): string[] =>
  statements.filter((sql) => sql.includes(`\`${prefixed(table)}\``));
