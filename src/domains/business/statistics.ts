import type { Boundaries } from '../../authority/boundary.js';
import { refusalError } from '../../authority/explain.js';
import type { Scope } from '../../authority/scope.js';
import { badInput } from '../../core/errors.js';
import { inTurns } from '../../core/event-loop-turns.js';
import type { AggregateQuery } from '../../store/bounded/row-query.js';
import type { Rows } from '../../store/bounded/rows.js';
import type { Table } from '../../store/tables/table.js';
import {
  bucketsDownTo,
  periodSql,
  periodsIn,
  periodsOf,
  wholeOf,
  type Bucket,
  type Period,
  type TimeRange,
} from './time-buckets.js';
import { cellsToShow, type Cell, type Line } from './suppression.js';

/** The measures of a statistic, its grouping and its scope. All SQL is our own, over the alias `t` and the joins. */
export interface Statistic<Row> {
  /** A unique name. */
  readonly name: string;
  readonly scope: Scope;
  readonly table: Table<Row>;
  readonly joins?: AggregateQuery['joins'];
  readonly where?: string;
  readonly time: string;
  /** Sums that add up over buckets and groups. The suppression below protects nothing else. */
  readonly measures: Readonly<Record<string, string>>;
  readonly currency?: string;
  /** The fixed grouping, beside time. */
  readonly group?: string;
}

interface Figure extends Cell {
  readonly bucket: Bucket;
  /** Its period, currency and group as one text. */
  readonly place: string;
  readonly period: Period;
  readonly group: string | null;
  readonly currency: string;
  readonly measures: Readonly<Record<string, bigint>>;
}
export interface ShownFigure extends Pick<Figure, 'bucket' | 'period' | 'group' | 'currency'> {
  /** Null where the figure is suppressed. */
  readonly measures: Figure['measures'] | null;
}

/** For one bucket length in one year. */
const figuresMax = 10_000;

/**
 * A statistic's figures in the buckets that overlap a range. Suppression is always decided for whole years
 * and all longer buckets, whatever range is requested, so that subtracting one answer from another reveals no
 * more than either. All fields of an operation share the decisions of a year.
 */
export async function figures<Row>(
  rows: Rows,
  statistic: Statistic<Row>,
  range: TimeRange,
  bucket: Bucket,
  smallestCell: number,
): Promise<ShownFigure[]> {
  requireEveryCustomer(rows, statistic);
  if (statistic.group !== undefined && bucket === 'DAY') {
    throw badInput('This is not told by days: ask for MONTH, QUARTER or YEAR.', 'bucket');
  }
  const { first, last, years } = periodsIn(range, bucket);
  const leaf = bucket === 'DAY' ? 'DAY' : 'MONTH';
  const found: ShownFigure[] = [];
  for (const year of years) {
    const key = `${statistic.name} ${leaf} ${year}`;
    const ofYear = await rows.shared(key, () => decided(rows, statistic, leaf, year, smallestCell));
    for (const figure of ofYear.get(bucket) ?? []) {
      if (first <= figure.period && figure.period <= last) found.push(figure);
    }
  }
  return found;
}

type Decided = ReadonlyMap<Bucket, readonly ShownFigure[]>;

/** The figures of one year that may be shown, by bucket length, in order. */
async function decided<Row>(
  rows: Rows,
  statistic: Statistic<Row>,
  leaf: Bucket,
  year: string,
  smallestCell: number,
): Promise<Decided> {
  const isGrouped = statistic.group !== undefined;
  const leaves = await aggregate(rows, statistic, leaf, isGrouped, year);
  const counted = [...leaves];
  // Without parts there is no total.
  if (leaves.length > 0) {
    for (const byGroup of isGrouped ? [true, false] : [false]) {
      for (const length of bucketsDownTo(leaf)) {
        if (length === leaf && byGroup === isGrouped) continue;
        counted.push(...(await aggregate(rows, statistic, length, byGroup, year)));
      }
    }
  }
  return inTurns(deciding(counted, leaf, isGrouped, smallestCell), () => {
    rows.inTime();
  });
}

function* deciding(
  counted: readonly Counted[],
  leaf: Bucket,
  isGrouped: boolean,
  smallestCell: number,
): Generator<number, Decided> {
  const all = yield* withAtoms(counted, leaf, isGrouped);
  const shown = new Set<Figure>();
  for (const family of groupBy(all, (figure) => figure.currency).values()) {
    yield family.length * stepsOfFigure;
    for (const figure of yield* toShow(family, smallestCell)) shown.add(figure);
  }
  yield all.length * stepsOfFigure;
  const sorted = all
    .filter((figure) => (figure.group !== null) === isGrouped)
    .sort((a, b) => compareText(a.place, b.place))
    .map((figure) => ({
      bucket: figure.bucket,
      period: figure.period,
      group: figure.group,
      currency: figure.currency,
      measures: shown.has(figure) ? figure.measures : null,
    }));
  return groupBy(sorted, (figure) => figure.bucket);
}

/** The steps of work for one figure, relative to one step per number. */
const stepsOfFigure = 5;

/** An atom gets a key and a place in a list for each of the figures that it is part of. */
const stepsOfAtom = 40;

type Counted = Omit<Figure, 'atoms'>;

async function aggregate<Row>(
  rows: Rows,
  statistic: Statistic<Row>,
  bucket: Bucket,
  byGroup: boolean,
  year: string,
): Promise<Counted[]> {
  const period = periodSql(bucket, statistic.time);
  const keys = {
    ...period,
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
      text: `${statistic.time} >= ? AND ${statistic.time} <= ? AND ${statistic.where ?? '1 = 1'}`,
      params: [`${year}-01-01 00:00:00.000`, `${year}-12-31 23:59:59.999`],
    },
    groupBy: Object.values(keys),
    limit: figuresMax + 1,
  });
  if (raw.length > figuresMax) throw badInput('These are too many figures for one year.', 'bucket');
  const text = (value: unknown): string => String(value);
  const found = raw.map((row) => ({
    bucket,
    period: [text(row.year), text(row.rest)].filter((part) => part !== '').join('-'),
    group: byGroup ? text(row.group) : null,
    currency: statistic.currency === undefined ? '' : text(row.currency),
    customers: Number(row.customers),
    measures: Object.fromEntries(
      Object.keys(statistic.measures).map((name) => [name, BigInt(text(row[`sum_${name}`]))]),
    ),
  }));
  return found.map((figure) => ({ ...figure, place: place(figure) }));
}

/**
 * The shortest buckets, divided by group where there is one, are the atoms. Every figure is a sum of atoms.
 */
function* withAtoms(
  counted: readonly Counted[],
  leaf: Bucket,
  isGrouped: boolean,
): Generator<number, Figure[]> {
  const atoms = new Map<string, string[]>();
  for (const part of counted) {
    if (part.bucket !== leaf || (part.group !== null) !== isGrouped) continue;
    yield stepsOfAtom;
    const periods = periodsOf(part.period);
    for (const length of bucketsDownTo(leaf)) {
      for (const group of new Set([part.group, null])) {
        const whole = place({ ...part, period: periods[length], group });
        const known = atoms.get(whole);
        if (known === undefined) atoms.set(whole, [part.place]);
        else known.push(part.place);
      }
    }
  }
  // A figure without atoms is from rows that were added after the atoms were counted.
  return counted.flatMap((figure) => {
    const mine = atoms.get(figure.place);
    return mine === undefined ? [] : [{ ...figure, atoms: mine }];
  });
}

/**
 * Decides for the figures of one year and currency. Those of other years and currencies never add up with
 * them to a shown figure.
 */
function* toShow(family: readonly Figure[], smallestCell: number): Generator<number, Set<Figure>> {
  const rank = new Map(bucketsDownTo('DAY').map((bucket, at) => [bucket, at]));
  const rankOf = ({ bucket }: Figure): number => rank.get(bucket) ?? 0;
  const byImportance = [...family].sort(
    (a, b) => rankOf(a) - rankOf(b) || b.customers - a.customers || compareText(a.place, b.place),
  );
  yield family.length * stepsOfFigure;
  const byPlace = new Map(family.map((figure) => [figure.place, figure]));
  yield family.length * stepsOfFigure;
  const stages: { readonly cells: readonly Figure[]; readonly lines: readonly Line<Figure>[] }[] = [];
  for (const ofGroups of [false, true]) {
    const cells = byImportance.filter((figure) => (figure.group !== null) === ofGroups);
    stages.push({ cells, lines: linesOf(cells, byPlace) });
    yield family.length * stepsOfFigure;
  }
  return yield* cellsToShow(stages, smallestCell);
}

/** The sums: buckets add up to the next longer bucket, and groups to the total of all groups. */
function linesOf(cells: readonly Figure[], byPlace: ReadonlyMap<string, Figure>): Line<Figure>[] {
  const overTime = groupBy(cells, (part) => place({ ...part, period: wholeOf(part.period, part.bucket) }));
  const ofGroups = cells.filter((figure) => figure.group !== null);
  const overGroups = groupBy(ofGroups, (part) => place({ ...part, group: null }));
  return [...overTime, ...overGroups].flatMap(([at, parts]) => {
    const whole = byPlace.get(at);
    return whole === undefined ? [] : [{ whole, parts }];
  });
}

/** A key that sorts by period, then group, then currency. */
const place = ({ period, group, currency }: Pick<Figure, 'period' | 'group' | 'currency'>): string =>
  `${period} ${group === null ? '' : `=${group}`} ${currency}`;

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function groupBy<T, Key>(items: readonly T[], keyOf: (item: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/**
 * Requires a boundary without restrictions in every dimension. A caller who may see only some rows, such as
 * customers of chosen names or regions, could ask twice, the second time with one customer more, and learn
 * what that customer bought.
 */
function requireEveryCustomer<Row>(rows: Rows, { scope, table, joins = [] }: Statistic<Row>): void {
  const { authority } = rows;
  const dimensions = new Set(
    [table, ...joins.map((join) => join.table)].flatMap((one) => rows.dimensionsOf(one)),
  );
  const isChosen = (boundaries: Boundaries): boolean =>
    boundaries.some((boundary) => [...dimensions].some((name) => boundary.get(name) !== 'all'));
  if (!isChosen(authority.boundaries(scope))) return;
  const chooser = authority.layers.find((layer) => isChosen(layer.rights.get(scope) ?? []));
  const layer = chooser?.layer ?? 'delegation';
  throw refusalError(authority, { allow: false, reason: 'outside_boundary', scope, layer });
}
