import type { Connection } from './connection.js';
import type { AnyTable } from '../tables/table.js';

/** A column that does not compare text by its bytes. */
interface MisfitColumn {
  readonly table: string;
  readonly column: string;
  readonly collation: string;
}

/** The collations that `migrations/columns.ts` sets on MariaDB and on MySQL. */
const bytewise = ['utf8mb4_nopad_bin', 'utf8mb4_0900_bin'] as const;

/** The expected collation of text, and the columns with another one. Empty on SQLite. */
export async function misfitText(
  read: Connection,
  tables: readonly AnyTable[],
): Promise<{ readonly collation: string; readonly columns: readonly MisfitColumn[] }> {
  const [onMariaDb, onMysql] = bytewise;
  if (read.dialect === 'sqlite') return { collation: '', columns: [] };
  const [server] = await read.query('SELECT VERSION() AS version');
  const collation = String(server?.version).includes('MariaDB') ? onMariaDb : onMysql;
  const rows = await read.query(
    'SELECT TABLE_NAME AS `table`, COLUMN_NAME AS `column`, COLLATION_NAME AS `collation` FROM information_schema.COLUMNS ' +
      `WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (${tables.map(() => '?').join(', ')}) ` +
      'AND COLLATION_NAME <> ? ORDER BY TABLE_NAME, ORDINAL_POSITION',
    [...tables.map(({ name }) => name), collation],
  );
  return { collation, columns: rows as unknown as MisfitColumn[] };
}
