/** The smallest of several limits that all apply. Undefined where none is set. */
export function leastCost(bounds: readonly (number | undefined)[]): number | undefined {
  const set = bounds.filter((bound) => bound !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
}

/**
 * The largest of the limits of one person's roles: each role adds its own allowance, and a role without a
 * limit allows any cost.
 */
export function largestCost(bounds: readonly (number | undefined)[]): number | undefined {
  const set = bounds.filter((bound) => bound !== undefined);
  return set.length < bounds.length || set.length === 0 ? undefined : Math.max(...set);
}
