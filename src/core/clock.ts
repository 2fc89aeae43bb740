/** The source of time, so that tests can freeze it. Milliseconds since the epoch, UTC. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** ISO 8601 in UTC with milliseconds: the only form in which times leave the process. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();
