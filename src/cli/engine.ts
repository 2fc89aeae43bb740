import { setFlagsFromString } from 'node:v8';

/**
 * Sets what the engine decides by heuristics to what suits a server. Some of it counts from the first collection on, so
 * it has to be called before the program is loaded.
 */
export function tuneEngine(): void {
  // While the process is small and its code new, the engine takes for long-lived what requests make, and goes on to put
  // all later objects of that kind where only a collection of the whole heap finds them.
  setFlagsFromString('--no-allocation-site-pretenuring');
  // When there is little work, and a hundred seconds after a collection of the whole heap, the engine makes one that
  // saves all it can: it throws away much of the optimized code, as that relies on objects which only requests have.
  setFlagsFromString(`--gc-memory-reducer-start-delay-ms=${String(longestDelayMs)}`);
}

/** What the flag can hold: 24 days. */
const longestDelayMs = 2 ** 31 - 1;
