/** The largest cost of one operation under several bounds that all hold; undefined where none is set. */
export function leastCost(bounds: readonly (number | undefined)[]): number | undefined {
  const set = bounds.filter((bound) => bound !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
}

/** The same for one person's roles: each adds what it allows, and one without a bound allows any cost. */
export function largestCost(bounds: readonly (number | undefined)[]): number | undefined {
  const set = bounds.filter((bound) => bound !== undefined);
  return set.length < bounds.length || set.length === 0 ? undefined : Math.max(...set);
}
