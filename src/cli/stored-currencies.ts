import { decimalPlaces } from '../core/money.js';
import { domains } from '../domains/index.js';
import { quote } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';

/** Rows in a currency whose amounts may have been stored with other decimals than they are shown with now. */
export interface StoredCurrency {
  readonly currency: string;
  /** Number of rows by table. */
  readonly rows: Readonly<Record<string, number>>;
  /**
   * `unlisted`: ISO 4217 has no such currency. `other_decimals`: earlier versions took the decimals from Node, and some
   * or all versions of Node differ from ISO.
   */
  readonly problem: 'unlisted' | 'other_decimals';
}

/**
 * Currencies for which CLDR, and so `Intl`, has had fewer decimals than ISO 4217 since Node 20.19. Only amounts stored
 * by earlier versions depend on it.
 */
const otherDecimals = new Set(
  'AFN ALL COP HUF IDR IQD IRR KPW LAK LBP MGA MMK PKR RSD SOS SYP YER'.split(' '),
);

/** Stored currencies that a person should check. `sinceIntl` where decimals may still be those of Node. */
export async function storedCurrencies(
  connection: Connection,
  { sinceIntl }: { readonly sinceIntl: boolean },
): Promise<StoredCurrency[]> {
  const found = new Map<string, Record<string, number>>();
  const tables = domains({ smallestCell: 2 }).flatMap((domain) => domain.tables);
  for (const table of tables.filter(({ columns }) => 'currency' in columns)) {
    const counted = await connection.query(
      `SELECT \`currency\` AS currency, COUNT(*) AS n FROM ${quote(table.name)} GROUP BY \`currency\``,
    );
    for (const { currency, n } of counted) {
      const code = String(currency);
      found.set(code, { ...found.get(code), [table.name]: Number(n) });
    }
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([currency, rows]): StoredCurrency[] => {
      if (decimalPlaces(currency) === undefined) return [{ currency, rows, problem: 'unlisted' }];
      const isDoubtful = sinceIntl && otherDecimals.has(currency);
      return isDoubtful ? [{ currency, rows, problem: 'other_decimals' }] : [];
    });
}

/** The findings, for the person who upgrades. */
export function currencyLines(stored: readonly StoredCurrency[]): string[] {
  if (stored.length === 0) return [];
  return [
    'Amounts are shown with the decimals of ISO 4217. No stored amount was changed; please look at these:',
    ...stored.map((one) => `  ${one.currency} (${countsOf(one)}): ${reasonOf(one)}`),
    'How to look, and how to correct them: “Currencies” in docs/operations.md.',
  ];
}

const countsOf = ({ rows }: StoredCurrency): string =>
  Object.entries(rows)
    .map(([table, count]) => `${table} ${String(count)}`)
    .join(', ');

function reasonOf({ currency, problem }: StoredCurrency): string {
  switch (problem) {
    case 'unlisted':
      return 'ISO 4217 has no money of this code. Amounts are shown with 2 decimals; new ones are refused.';
    case 'other_decimals':
      return (
        `the version before took the decimals from Node, which may have said 0. Now they are ` +
        `${String(decimalPlaces(currency))}: what was stored with 0 is shown ` +
        `${currency === 'IQD' ? '1,000' : '100'} times too small.`
      );
  }
}
