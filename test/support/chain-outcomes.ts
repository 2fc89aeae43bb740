import type { Limits } from './chain-limits.js';
import type { TokenAnswer } from './office.js';
import type { Answer } from './server.js';

/** What came of an operation; `wider`: it gave more than the chain has. */
export interface Outcome {
  readonly kind: 'worked' | 'refused' | 'wider' | 'neither';
  /** The answer, for a fault. */
  readonly answer: unknown;
}

const refusals = new Set<unknown>(['UNAUTHENTICATED', 'FORBIDDEN', 'BAD_USER_INPUT']);

/** Of a query for customers. */
export function outcomeOf({ status, data, errors }: Answer, limits: Limits | undefined): Outcome {
  const answer = { status, data: data as unknown, errors };
  const { customers } = (data ?? {}) as { customers?: { nodes: readonly { region: string }[] } | null };
  const rows = customers?.nodes ?? [];
  const reach = limits?.boundary.region ?? 'all';
  if (rows.some(({ region }) => reach !== 'all' && !reach.includes(region))) return { kind: 'wider', answer };
  if (errors.length === 0 && rows.length > 0) return { kind: 'worked', answer };
  const isRefused = errors.length > 0 && errors.every(({ extensions: { code } }) => refusals.has(code));
  return { kind: rows.length === 0 && isRefused ? 'refused' : 'neither', answer };
}

interface Actors {
  readonly sub?: string;
  readonly client_id?: string;
  readonly act?: Actors;
}

/** The client ids of nested actors, the first one first. */
const namesIn = (act: Actors | undefined): string[] =>
  act === undefined ? [] : [...namesIn(act.act), act.client_id ?? ''];

interface Expected extends Partial<Pick<Limits, 'scopes'>> {
  readonly actors: readonly string[];
  readonly userId: string;
}

/** Of an introspection by the server that the token is for (RFC 7662). */
export function outcomeOfIntrospection(
  { status, body }: TokenAnswer,
  { scopes = [], actors, userId }: Expected,
): Outcome {
  const answer = { status, body };
  const told = body as { active?: boolean; scope?: string; sub?: string; act?: Actors };
  if (status === 401 || (status === 200 && told.active === false)) return { kind: 'refused', answer };
  if (status !== 200 || told.active !== true) return { kind: 'neither', answer };
  const isInside = (told.scope ?? '').split(' ').every((scope) => scopes.includes(scope));
  const isTheirs = told.sub === userId && namesIn(told.act).join(' ') === actors.join(' ');
  return { kind: isInside && isTheirs ? 'worked' : 'wider', answer };
}
