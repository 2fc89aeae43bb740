import { isoTime } from '../core/clock.js';
import { makeRandom, type Random, type SeedIds } from './seeded-random.js';

/**
 * A moment in working days before today: -1 is the opening of the last working day before today, -0.5 its
 * middle, 0 the end of the scenario. So the scenario has no weekends, and it is the same whatever today is.
 */
export type Moment = number;

/** The age of the oldest orders: 18 months. */
export const scenarioDays = 390;

export interface Scenario {
  readonly now: number;
  /** Only `at`, because ids follow the row's own time. */
  readonly ids: SeedIds;
  random(label: string): Random;
  ms(moment: Moment): number;
  iso(moment: Moment): string;
  /** An id for a row created at this moment. */
  id(moment: Moment): string;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const openingMs = 7.5 * hourMs;
const workdayMs = 10 * hourMs;
/** 1 January 1970 was a Thursday. */
const daysFromMonday = 3;

export function makeScenario(seed: number, now: number, ids: SeedIds): Scenario {
  const today = Math.floor(now / dayMs) + daysFromMonday;
  const workdaysSoFar = Math.floor(today / 7) * 5 + Math.min(today % 7, 5);

  const ms = (moment: Moment): number => {
    if (moment >= 0) throw new RangeError(`The story ends before ${String(moment)}.`);
    const whole = Math.floor(moment);
    const workday = workdaysSoFar + whole;
    const day = Math.floor(workday / 5) * 7 + (workday % 5) - daysFromMonday;
    return day * dayMs + openingMs + Math.round((moment - whole) * workdayMs);
  };

  return {
    now,
    ids,
    random: (label) => makeRandom(seed, label),
    ms,
    iso: (moment) => isoTime(ms(moment)),
    id: (moment) => ids.at(ms(moment)),
  };
}

export const byMoment =
  <T>(moment: (item: T) => Moment) =>
  (a: T, b: T): number =>
    moment(a) - moment(b);
