import { setImmediate as nextTurn } from 'node:timers/promises';

/** Units of work in one turn of the event loop, each of some ten nanoseconds up to a microsecond. */
export const workInTurn = 20_000;

/**
 * Does work in turns of the event loop, so that others get theirs in between. The work yields how many units each of its
 * steps took.
 * @param before called before each further turn; where it throws, the work ends
 */
export async function inTurns<T>(work: Generator<number, T>, before: () => void): Promise<T> {
  let done = 0;
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    done += step.value;
    if (done < workInTurn) continue;
    done = 0;
    await nextTurn();
    before();
  }
}
