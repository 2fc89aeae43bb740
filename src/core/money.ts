import { badInput } from './errors.js';
import { minorUnits } from './iso-4217.js';

export interface Money {
  readonly amount: string;
  readonly currency: string;
}

/** In minor units. Sums of several thousand larger amounts could leave the safe integers. */
export const amountMinorMax = 10_000_000_000_000;

/** The decimal places of money in a currency (ISO 4217). Undefined where the code is not money. */
export const decimalPlaces = (currency: string): number | undefined => minorUnits.get(currency) ?? undefined;

/** Used for stored rows whose currency code is not in the table. `migrate` reports them. */
const placesOtherwise = 2;

/** Decimal places of a currency. Throws `BAD_USER_INPUT` for an unknown code or one without a minor unit. */
export function placesOf(currency: string, path?: string): number {
  const places = minorUnits.get(currency);
  if (typeof places === 'number') return places;
  const reason =
    places === null
      ? `${currency} has no minor unit in ISO 4217, so no amount of money can be in it.`
      : 'The currency must be an ISO 4217 code, such as EUR.';
  throw badInput(reason, path);
}

/** Minor units as money: `123450` of EUR is `1234.50`. Sums may come as bigint. */
export function moneyOf(minor: number | bigint, currency: string): Money {
  const places = decimalPlaces(currency) ?? placesOtherwise;
  const sign = minor < 0 ? '-' : '';
  const digits = String(minor)
    .replace('-', '')
    .padStart(places + 1, '0');
  const whole = digits.slice(0, digits.length - places);
  return { amount: places === 0 ? sign + whole : `${sign}${whole}.${digits.slice(-places)}`, currency };
}

/**
 * A decimal string in minor units, exactly. Throws `BAD_USER_INPUT` for more places than the currency has.
 */
export function minorOf(money: Money, path: string): number {
  const places = placesOf(money.currency, `${path}.currency`);
  const parts = /^(-?)(\d{1,15})(?:\.(\d+))?$/.exec(money.amount);
  const fraction = parts?.[3] ?? '';
  if (parts === null || fraction.length > places) {
    throw badInput(`The amount must be a decimal with at most ${String(places)} places.`, `${path}.amount`);
  }
  const minor = Number(`${parts[1] ?? ''}${parts[2] ?? ''}${fraction.padEnd(places, '0')}`);
  if (Math.abs(minor) > amountMinorMax) throw badInput('The amount is too large.', `${path}.amount`);
  return minor;
}
