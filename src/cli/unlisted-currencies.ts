import { decimalPlaces } from '../core/money.js';
import { domains } from '../domains/index.js';
import { quote } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { unprefixed } from '../store/tables/table.js';

/** A stored currency that ISO 4217 does not list, as where a later edition leaves it out. */
export interface UnlistedCurrency {
  readonly currency: string;
  /** Number of rows by table. */
  readonly rows: Readonly<Record<string, number>>;
}

export async function unlistedCurrencies(connection: Connection): Promise<UnlistedCurrency[]> {
  const found = new Map<string, Record<string, number>>();
  const tables = domains({ smallestCell: 2 }).flatMap((domain) => domain.tables);
  for (const table of tables.filter(({ columns }) => 'currency' in columns)) {
    const counted = await connection.query(
      `SELECT \`currency\` AS currency, COUNT(*) AS n FROM ${quote(table.name)} GROUP BY \`currency\``,
    );
    for (const { currency, n } of counted) {
      const code = String(currency);
      if (decimalPlaces(code) === undefined)
        found.set(code, { ...found.get(code), [unprefixed(table.name)]: Number(n) });
    }
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([currency, rows]) => ({ currency, rows }));
}

/** The findings, for the person who migrates. */
export const currencyLines = (stored: readonly UnlistedCurrency[]): string[] =>
  stored.map(
    (one) =>
      `${one.currency} (${countsOf(one)}): ISO 4217 has no money of this code. Amounts are shown with 2 decimals; ` +
      'new ones are refused.',
  );

const countsOf = ({ rows }: UnlistedCurrency): string =>
  Object.entries(rows)
    .map(([table, count]) => `${table} ${String(count)}`)
    .join(', ');
