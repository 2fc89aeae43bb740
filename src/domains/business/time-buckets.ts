import { badInput } from '../../core/errors.js';

export type Bucket = 'DAY' | 'MONTH' | 'QUARTER' | 'YEAR';

/**
 * A bucket's name: `2026`, `2026-Q1`, `2026-03`, `2026-03-01`. Names of buckets of one length sort by time.
 */
export type Period = string;

/** The names of all buckets that contain a day, the shortest last. */
export function periodsOf(day: string): Readonly<Record<Bucket, Period>> {
  const year = day.slice(0, 4);
  const quarter = Math.ceil(Number(day.slice(5, 7)) / 3);
  return {
    YEAR: year,
    QUARTER: `${year}-Q${String(quarter)}`,
    MONTH: day.slice(0, 7),
    DAY: day.slice(0, 10),
  };
}

/**
 * The bucket lengths from the longest down to `leaf`, where each bucket contains whole buckets of the next
 * length.
 */
export const bucketsDownTo = (leaf: Bucket): readonly Bucket[] => {
  const nested = ['YEAR', 'QUARTER', 'MONTH', 'DAY'] as const;
  return nested.slice(0, nested.indexOf(leaf) + 1);
};

/** The next longer bucket, which contains this one whole. Empty for a year. */
export function wholeOf(period: Period, bucket: Bucket): Period {
  const longer = bucketsDownTo(bucket).at(-2);
  if (longer === undefined) return '';
  return longer === 'YEAR' ? period.slice(0, 4) : periodsOf(period)[longer];
}

/**
 * SQL for a stored time's bucket, with the same text on both databases: the year, and the rest of the name.
 */
export function periodSql(bucket: Bucket, column: string): { readonly year: string; readonly rest: string } {
  const text = `CAST(${column} AS CHAR)`;
  const month = `SUBSTR(${text}, 6, 2)`;
  const rest = {
    YEAR: `SUBSTR(${text}, 1, 0)`,
    QUARTER: `CASE WHEN ${month} <= '03' THEN 'Q1' WHEN ${month} <= '06' THEN 'Q2' WHEN ${month} <= '09' THEN 'Q3' ELSE 'Q4' END`,
    MONTH: month,
    DAY: `SUBSTR(${text}, 6, 5)`,
  };
  return { year: `SUBSTR(${text}, 1, 4)`, rest: rest[bucket] };
}

export interface TimeRange {
  readonly from: string;
  readonly to: string;
}

const dayMs = 86_400_000;
const daysMax: Readonly<Record<Bucket, number>> = { DAY: 366, MONTH: 3_653, QUARTER: 3_653, YEAR: 3_653 };

/** All years of a range, each with four digits. */
const yearsFrom = (first: string, last: string): string[] =>
  Array.from({ length: Number(last) - Number(first) + 1 }, (_, at) =>
    String(Number(first) + at).padStart(4, '0'),
  );

/** The first and last bucket that overlap a range, and the years that contain them. */
export function periodsIn(
  range: TimeRange,
  bucket: Bucket,
): { readonly first: Period; readonly last: Period; readonly years: readonly string[] } {
  const lengthMs = Date.parse(range.to) - Date.parse(range.from);
  if (lengthMs <= 0) throw badInput('`to` must be later than `from`.', 'to');
  if (lengthMs > daysMax[bucket] * dayMs) {
    throw badInput(`\`to\` may be at most ${String(daysMax[bucket])} days after \`from\` here.`, 'to');
  }
  const first = periodsOf(range.from);
  const last = periodsOf(new Date(Date.parse(range.to) - 1).toISOString());
  return { first: first[bucket], last: last[bucket], years: yearsFrom(first.YEAR, last.YEAR) };
}
