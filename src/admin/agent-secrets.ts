import { isoTime, type Clock } from '../core/clock.js';
import { all, any, compare, eq, isNull } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { agentSecrets, type AgentSecretRow } from '../store/tables/identity.js';

interface Secrets {
  readonly count: number;
  /** When the oldest one was made. */
  readonly since: string;
}

/** The secrets that agents can use now, by agent: of all agents, or of one. */
export async function secretsInForce(
  connection: Connection,
  clock: Clock,
  agentId?: string,
): Promise<ReadonlyMap<string, Secrets>> {
  const isValid = any<AgentSecretRow>(isNull('expiresAt'), compare('expiresAt', '>', isoTime(clock.now())));
  const rows = await connection.select(
    agentSecrets,
    agentId === undefined ? isValid : all(isValid, eq('agentId', agentId)),
    { order: [{ column: 'createdAt', direction: 'asc' }] },
  );
  const byAgent = new Map<string, Secrets>();
  for (const row of rows) {
    const { count, since } = byAgent.get(row.agentId) ?? { count: 0, since: row.createdAt };
    byAgent.set(row.agentId, { count: count + 1, since });
  }
  return byAgent;
}
