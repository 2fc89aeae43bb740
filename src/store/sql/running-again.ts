import { setTimeout as pause } from 'node:timers/promises';
import { overloaded } from '../../core/errors.js';
import { isLockConflict } from '../drivers/lock-conflicts.js';

/**
 * Runs a transaction again for as long as it loses to others, after a pause that grows and is never the same for two.
 * Throws `LIMIT_EXCEEDED` where it still loses at `until` or has lost too often.
 * @param until on the clock of `performance.now()`
 */
export async function againWhileLost<T>(attempt: () => Promise<T>, until: number): Promise<T> {
  for (let lost = 0; ; lost += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isLockConflict(error)) throw error;
      if (lost + 1 >= attemptsMax || performance.now() >= until) throw overloaded(error);
    }
    // The first loser mostly finds the winner gone.
    if (lost > 0) await pause(Math.random() * Math.min(pauseMaxMs, 2 ** lost));
  }
}

const attemptsMax = 20;
const pauseMaxMs = 100;
