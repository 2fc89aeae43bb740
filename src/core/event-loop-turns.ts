import { setImmediate as nextTurn } from 'node:timers/promises';

/** The units of work in one turn of the event loop. A unit takes from ten nanoseconds up to a microsecond. */
export const workInTurn = 20_000;

/**
 * Splits work over several turns of the event loop, so that other work runs in between. The generator yields
 * the units of work that each step took.
 * @param before called before each further turn; an error from it ends the work
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
