import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { iso4217, minorUnits } from '../../src/core/iso-4217.js';
import { decimalPlaces, minorOf, moneyOf } from '../../src/core/money.js';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('17 an amount has the decimals of ISO 4217, whatever the version of Node', () => {
  test.each([
    ...(['HUF', 'IDR', 'COP', 'PKR', 'LBP', 'MMK', 'AFN', 'ALL', 'IRR', 'KPW'] as const).map(
      (code) => [code, 2] as const,
    ),
    ...(['LAK', 'MGA', 'RSD', 'SOS', 'SYP', 'YER', 'EUR', 'USD', 'XCG', 'ZWG'] as const).map(
      (code) => [code, 2] as const,
    ),
    ...(['IQD', 'BHD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'] as const).map((code) => [code, 3] as const),
    ...(['JPY', 'KRW', 'CLP', 'ISK', 'UGX', 'VND', 'XAF', 'XOF', 'XPF', 'UYI'] as const).map(
      (code) => [code, 0] as const,
    ),
    ...(['CLF', 'UYW'] as const).map((code) => [code, 4] as const),
  ])('%s has %d', (currency, places) => {
    // What Intl says differs from ISO, and from one version of Node to the next.
    vi.spyOn(Intl, 'NumberFormat').mockImplementation(() => {
      throw new Error('Nobody asks Intl.');
    });
    expect(decimalPlaces(currency)).toBe(places);
    const amount = places === 0 ? '1250' : `12.${'5'.padEnd(places, '0')}`;
    const minor = minorOf({ amount, currency }, 'amount');
    expect(minor).toBe(places === 0 ? 1250 : 125 * 10 ** (places - 1));
    expect(moneyOf(minor, currency)).toEqual({ amount, currency });
    expect(() => minorOf({ amount: `1.${'0'.repeat(places)}1`, currency }, 'amount')).toThrow(
      `at most ${String(places)} places`,
    );
  });

  test.each(['ZZZ', 'ABC', 'DEM', 'BGN', 'eur', 'EU', 'EURO', '', ' EUR', 'EUR\n', 'ЕUR', '978'])(
    '%j is no currency',
    (currency) => {
      expect(decimalPlaces(currency)).toBeUndefined();
      expect(() => minorOf({ amount: '1', currency }, 'amount')).toThrow('must be an ISO 4217 code');
    },
  );

  test.each(['XAU', 'XAG', 'XDR', 'XTS', 'XXX', 'XBA', 'XSU', 'XUA'])('%s has no minor unit', (currency) => {
    expect(decimalPlaces(currency)).toBeUndefined();
    expect(() => minorOf({ amount: '1', currency }, 'amount')).toThrow('has no minor unit in ISO 4217');
  });

  test('the table says where it comes from and of when, and has as many codes as list one', () => {
    expect(iso4217.source).toContain('list-one');
    expect(iso4217.published).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    const counts = new Map<number | null, number>();
    for (const places of minorUnits.values()) counts.set(places, (counts.get(places) ?? 0) + 1);
    expect(Object.fromEntries(counts)).toEqual({ 0: 17, 2: 139, 3: 7, 4: 2, null: 13 });
    for (const code of minorUnits.keys()) expect(code).toMatch(/^[A-Z]{3}$/);
  });

  test('no source file asks Intl about numbers', () => {
    const root = join(import.meta.dirname, '..', '..', 'src');
    const asking = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .filter((path) => readFileSync(join(root, path), 'utf8').includes('Intl.NumberFormat('));
    expect(asking).toEqual([]);
  });
});
