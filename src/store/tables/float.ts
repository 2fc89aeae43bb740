import type { Column } from './column.js';

/** Whether a column of floats has 32 bits. */
export const isSingle = ({ kind, described, isLoose }: Column<unknown>): boolean =>
  kind === 'float' && described?.type === 'float' && isLoose !== true;

/** The number of fewest digits that is stored as this one in 32 bits: 0.1, not 0.10000000149011612. */
export function shortFloat(value: number): number {
  const stored = Math.fround(value);
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(stored.toPrecision(digits));
    if (Math.fround(short) === stored) return short;
  }
  return Number(stored.toPrecision(9));
}
