import { badInput } from './errors.js';

export interface Money {
  readonly amount: string;
  readonly currency: string;
}

/** Beyond this a sum of some thousand amounts could leave the safe integers. In minor units. */
export const amountMinorMax = 10_000_000_000_000;

/** Answers never change, and asking takes longer than reading a row does. At most 26³ entries. */
const placesByCurrency = new Map<string, number | undefined>();

/** How many decimal places a currency has (ISO 4217); undefined for what is not a currency. */
export function decimalPlaces(currency: string): number | undefined {
  if (!/^[A-Z]{3}$/.test(currency)) return undefined;
  const known = placesByCurrency.get(currency);
  if (known !== undefined) return known;
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const places = format.resolvedOptions().maximumFractionDigits;
  placesByCurrency.set(currency, places);
  return places;
}

/** Minor units as money: `123450` of EUR is `1234.50`. Sums may come as bigint. */
export function moneyOf(minor: number | bigint, currency: string): Money {
  const places = decimalPlaces(currency) ?? 2;
  const sign = minor < 0 ? '-' : '';
  const digits = String(minor)
    .replace('-', '')
    .padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  return { amount: places === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-places)}`, currency };
}

/** A decimal string in minor units, exactly; `BAD_USER_INPUT` for more places than the currency has. */
export function minorOf(money: Money, path: string): number {
  const places = decimalPlaces(money.currency);
  if (places === undefined)
    throw badInput('The currency must be an ISO 4217 code, such as EUR.', `${path}.currency`);
  const parts = /^(-?)(\d{1,15})(?:\.(\d+))?$/.exec(money.amount);
  const fraction = parts?.[3] ?? '';
  if (parts === null || fraction.length > places) {
    throw badInput(`The amount must be a decimal with at most ${String(places)} places.`, `${path}.amount`);
  }
  const minor = Number(`${parts[1] ?? ''}${parts[2] ?? ''}${fraction.padEnd(places, '0')}`);
  if (Math.abs(minor) > amountMinorMax) throw badInput('The amount is too large.', `${path}.amount`);
  return minor;
}
