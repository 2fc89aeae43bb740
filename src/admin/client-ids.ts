import { isPlainClientId } from '../core/client-ids.js';
import { badInput, conflict } from '../core/errors.js';
import { eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { clients, type ClientRow } from '../store/tables/clients.js';
import { agents, type AgentRow } from '../store/tables/identity.js';

/** The name of an agent is its client id, and the server's own programs have client ids too. */
export function requirePlainClientId(text: string, path: 'clientId' | 'name'): void {
  if (!isPlainClientId(text))
    throw badInput('This has lower-case letters, digits and `. _ -`, up to 100 characters.', path);
  if (text.startsWith('behalf-')) throw badInput('Ids that begin with `behalf-` are reserved.', path);
}

/**
 * Agents and clients are in two tables, and no unique key spans both. Each is added first and then looks for the other with
 * a lock: of two that are added at the same moment, one waits for the other here.
 */
const withLock = { lock: 'share' } as const;

/** For an agent that was just added. */
export async function requireNoClient(tx: Connection, { name }: Pick<AgentRow, 'name'>): Promise<void> {
  if ((await tx.one(clients, eq<ClientRow>('clientId', name), withLock)) !== undefined)
    throw conflict('There is a client of this name already.');
}

/** For a client that was just added. It may act as an agent of the same name. */
export async function requireNoAgent(
  tx: Connection,
  { clientId, agentId }: Pick<ClientRow, 'clientId' | 'agentId'>,
): Promise<void> {
  const agent = await tx.one(agents, eq<AgentRow>('name', clientId), withLock);
  if (agent !== undefined && agent.id !== agentId)
    throw conflict('There is an agent of this name already, and its name is its client id.');
}
