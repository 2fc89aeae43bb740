import { createConnection } from 'mysql2/promise';
import type { TestServer } from './server.js';
import type { Sent } from './statements.js';

/** The rows that a database reads for these statements, by its own counters. */
export async function rowsLookedAt(server: TestServer, sent: readonly Sent[]): Promise<number> {
  let rows = 0;
  for (const one of sent) {
    rows += server.database.dialect === 'mysql' ? await inMysql(server, one) : await inFullText(server, one);
  }
  return rows;
}

/** Reads of indexes and rows in the session's own counters. */
async function inMysql(server: TestServer, { sql, params }: Sent): Promise<number> {
  const connection = await createConnection(server.databaseUrl);
  try {
    await connection.query('FLUSH STATUS');
    await connection.query(sql, [...params]);
    const [counters] = await connection.query("SHOW SESSION STATUS LIKE 'Handler_read%'");
    return (counters as { Value: string }[]).reduce((sum, { Value }) => sum + Number(Value), 0);
  } finally {
    await connection.end();
  }
}

/** Entries of the full-text index for the searched words; SQLite reaches rows by their numbers alone. */
async function inFullText(server: TestServer, { sql, params }: Sent): Promise<number> {
  const plan = await server.database.read.query(`EXPLAIN QUERY PLAN ${sql}`, params);
  const steps = plan.map(({ detail }) => String(detail));
  const others = steps.filter(
    (step) =>
      !/behalf_passages_fts VIRTUAL TABLE|INTEGER PRIMARY KEY|SCAN c\b|CO-ROUTINE|MATERIALIZE/.test(step),
  );
  if (others.length > 0) throw new Error(`Rows are looked at in other ways: ${others.join('; ')}`);
  const words = /"(\w+)"/g;
  const names = params.flatMap((param) =>
    [...String(param).matchAll(words)].map(([, name = '']) => name.toLowerCase()),
  );
  return server.database.transaction(async (tx) => {
    await tx.query(
      'CREATE VIRTUAL TABLE IF NOT EXISTS passages_vocabulary USING fts5vocab(behalf_passages_fts, row)',
    );
    const places = names.map(() => '?').join(', ');
    const [row] = await tx.query(
      `SELECT SUM(doc) AS n FROM passages_vocabulary WHERE term IN (${places})`,
      names,
    );
    return Number(row?.n ?? 0);
  });
}
