import { setImmediate } from 'node:timers/promises';
import type { Authority } from '../../authority/authority.js';
import type { Boundaries } from '../../authority/boundary.js';
import { refusalError } from '../../authority/explain.js';
import type { Scope } from '../../authority/scope.js';
import { badInput } from '../../core/errors.js';
import type { AggregateQuery } from '../../store/bounded-reads.js';
import type { Rows } from '../../store/rows.js';
import type { Table } from '../../store/table.js';
import {
  bucketsDownTo,
  periodSql,
  periodsIn,
  periodsOf,
  wholeOf,
  type Bucket,
  type Period,
  type TimeRange,
} from './buckets.js';
import { cellsToShow, type Cell, type Line } from './suppression.js';

/** What is counted, by what, and under which scope. All of it is SQL of ours over the alias `t` and the joins. */
export interface Statistic<Row> {
  readonly scope: Scope;
  readonly table: Table<Row>;
  readonly joins?: AggregateQuery['joins'];
  readonly where?: string;
  readonly time: string;
  /** Sums that add up over buckets and groups: what does not could not be protected by what follows. */
  readonly measures: Readonly<Record<string, string>>;
  readonly currency?: string;
  /** The fixed grouping beside time. */
  readonly group?: string;
}

export interface Figure extends Cell {
  readonly bucket: Bucket;
  readonly period: Period;
  readonly group: string | null;
  readonly currency: string;
  readonly measures: Readonly<Record<string, bigint>>;
}
export interface ShownFigure extends Pick<Figure, 'period' | 'group' | 'currency'> {
  /** Null where the figure is suppressed. */
  readonly measures: Figure['measures'] | null;
}

const figuresMax = 20_000;

/**
 * A statistic's figures in the buckets that reach into a range. What is suppressed is decided over whole years
 * and all longer buckets, whatever part was asked for: subtracting one answer from another tells no more than
 * either.
 */
export async function figures<Row>(
  rows: Rows,
  statistic: Statistic<Row>,
  range: TimeRange,
  bucket: Bucket,
  smallestCell: number,
): Promise<ShownFigure[]> {
  requireEveryCustomer(rows.authority, statistic.scope);
  if (statistic.group !== undefined && bucket === 'DAY') {
    throw badInput('This is not told by days: ask for MONTH, QUARTER or YEAR.', 'bucket');
  }
  const { first, last, years } = periodsIn(range, bucket);
  const leaf = bucket === 'DAY' ? 'DAY' : 'MONTH';
  const grouped = statistic.group === undefined ? [false] : [false, true];
  const found = await Promise.all(
    grouped.flatMap((byGroup) =>
      bucketsDownTo(leaf).map((length) => aggregate(rows, statistic, length, byGroup, years)),
    ),
  );
  const all = withAtoms(found.flat(), leaf, statistic.group !== undefined);
  const shown = new Set<Figure>();
  for (const family of partition(all).values()) {
    for (const figure of toShow(family, smallestCell)) shown.add(figure);
    // Some milliseconds of arithmetic each: others get their turn in between.
    await setImmediate();
  }
  return all
    .filter((figure) => figure.bucket === bucket && first <= figure.period && figure.period <= last)
    .filter((figure) => (figure.group === null) === (statistic.group === undefined))
    .sort((a, b) => compareText(place(a), place(b)))
    .map((figure) => ({
      period: figure.period,
      group: figure.group,
      currency: figure.currency,
      measures: shown.has(figure) ? figure.measures : null,
    }));
}

type Counted = Omit<Figure, 'atoms'>;

async function aggregate<Row>(
  rows: Rows,
  statistic: Statistic<Row>,
  bucket: Bucket,
  byGroup: boolean,
  [firstYear, lastYear]: readonly [string, string],
): Promise<Counted[]> {
  const { year, rest } = periodSql(bucket, statistic.time);
  const keys = {
    year,
    rest,
    ...(statistic.currency !== undefined && { currency: statistic.currency }),
    ...(byGroup && statistic.group !== undefined && { group: statistic.group }),
  };
  const sums: Record<string, string> = Object.fromEntries(
    Object.entries(statistic.measures).map(([name, sql]) => [`sum_${name}`, `CAST(${sql} AS CHAR)`]),
  );
  const raw = await rows.aggregate(statistic.table, {
    scope: statistic.scope,
    select: { ...keys, customers: 'COUNT(DISTINCT t.`customer_id`)', ...sums },
    ...(statistic.joins !== undefined && { joins: statistic.joins }),
    where: {
      text: `${statistic.time} >= ? AND ${statistic.time} < ? AND ${statistic.where ?? '1 = 1'}`,
      params: [`${firstYear}-01-01 00:00:00.000`, `${String(Number(lastYear) + 1)}-01-01 00:00:00.000`],
    },
    groupBy: Object.values(keys),
    limit: figuresMax + 1,
  });
  if (raw.length > figuresMax) throw badInput('These are too many figures: ask for a shorter time.', 'to');
  const text = (value: unknown): string => String(value);
  return raw.map((row) => ({
    bucket,
    period: [text(row.year), text(row.rest)].filter((part) => part !== '').join('-'),
    group: byGroup ? text(row.group) : null,
    currency: statistic.currency === undefined ? '' : text(row.currency),
    customers: Number(row.customers),
    measures: Object.fromEntries(
      Object.keys(statistic.measures).map((name) => [name, BigInt(text(row[`sum_${name}`]))]),
    ),
  }));
}

/** The shortest buckets, by group where there is one, are the atoms; every figure is a sum of them. */
function withAtoms(counted: readonly Counted[], leaf: Bucket, grouped: boolean): Figure[] {
  const parts = counted.filter((figure) => figure.bucket === leaf && (figure.group !== null) === grouped);
  const sums = parts.flatMap((part) =>
    bucketsDownTo(leaf).flatMap((length) =>
      [...new Set([part.group, null])].map((group) => ({
        whole: place({ ...part, period: periodsOf(part.period)[length], group }),
        atom: place(part),
      })),
    ),
  );
  const atoms = groupBy(sums, (sum) => sum.whole);
  // A figure without atoms was counted a moment later than they were.
  return counted
    .map((figure) => ({ ...figure, atoms: (atoms.get(place(figure)) ?? []).map((sum) => sum.atom) }))
    .filter((figure) => figure.atoms.length > 0);
}

/** Figures of different years or currencies never add up to anything shown. */
const partition = (all: readonly Figure[]): Map<string, Figure[]> =>
  groupBy(all, (figure) => `${figure.period.slice(0, 4)} ${figure.currency}`);

function toShow(family: readonly Figure[], smallestCell: number): Set<Figure> {
  const byImportance = [...family].sort(
    (a, b) =>
      bucketsDownTo(a.bucket).length - bucketsDownTo(b.bucket).length ||
      b.customers - a.customers ||
      compareText(place(a), place(b)),
  );
  const byPlace = new Map(family.map((figure) => [place(figure), figure]));
  const stages = [false, true].map((ofGroups) => {
    const cells = byImportance.filter((figure) => (figure.group !== null) === ofGroups);
    return { cells, lines: linesOf(cells, byPlace) };
  });
  return cellsToShow(stages, smallestCell);
}

/** Buckets add up to the next longer one, groups to all of them together. */
function linesOf(cells: readonly Figure[], byPlace: ReadonlyMap<string, Figure>): Line<Figure>[] {
  const overTime = groupBy(cells, (part) => place({ ...part, period: wholeOf(part.period, part.bucket) }));
  const ofGroups = cells.filter((figure) => figure.group !== null);
  const overGroups = groupBy(ofGroups, (part) => place({ ...part, group: null }));
  return [...overTime, ...overGroups].flatMap(([at, parts]) => {
    const whole = byPlace.get(at);
    return whole === undefined ? [] : [{ whole, parts }];
  });
}

const place = (figure: Pick<Figure, 'period' | 'group' | 'currency'>): string =>
  JSON.stringify([figure.period, figure.group, figure.currency]);

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** Dimensions whose values choose customers. */
const choosing = ['customer', 'region'];

/**
 * Statistics are of all customers or of none: whoever may choose the customers, by name or by region, could ask twice,
 * with one more the second time, and learn what that one bought.
 */
function requireEveryCustomer(authority: Authority, scope: Scope): void {
  const isChosen = (boundaries: Boundaries): boolean =>
    boundaries.some((boundary) => choosing.some((dimension) => boundary.get(dimension) !== 'all'));
  if (!isChosen(authority.boundaries(scope))) return;
  const chooser = authority.layers.find((layer) => isChosen(layer.rights.get(scope) ?? []));
  const layer = chooser?.layer ?? 'delegation';
  throw refusalError(authority, { allow: false, reason: 'outside_boundary', scope, layer });
}
