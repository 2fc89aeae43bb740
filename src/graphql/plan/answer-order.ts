import type { ExecutionResult, GraphQLError } from 'graphql';

type Position = readonly (number | string)[];

/**
 * The result with its errors in the order of the answer. graphql-js orders them by the time at which promises ended,
 * and that would show the caller how the operation was run.
 */
export function inAnswerOrder(result: ExecutionResult): ExecutionResult {
  const { errors, data } = result;
  if (errors === undefined || errors.length < 2) return result;
  const orders = new Map<object, Map<string, number>>();
  const positioned = errors.map((error) => ({ error, position: positionOf(error, data, orders) }));
  positioned.sort((a, b) => compare(a.position, b.position));
  return { ...result, errors: positioned.map(({ error }) => error) };
}

/** The path of an error as numbers as far as the answer goes; below a null, the names themselves. */
function positionOf(error: GraphQLError, data: unknown, orders: Map<object, Map<string, number>>): Position {
  let at = data;
  return (error.path ?? []).map((step) => {
    if (typeof at !== 'object' || at === null) return step;
    const here: object = at;
    at = (here as Record<string, unknown>)[step];
    if (typeof step === 'number') return step;
    const order = orders.get(here) ?? new Map(Object.keys(here).map((key, index) => [key, index]));
    orders.set(here, order);
    return order.get(step) ?? step;
  });
}

function compare(a: Position, b: Position): number {
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const [mine, other] = [a[at] ?? 0, b[at] ?? 0];
    if (mine === other) continue;
    if (typeof mine === 'number' && typeof other === 'number') return mine - other;
    return String(mine) < String(other) ? -1 : 1;
  }
  return a.length - b.length;
}
