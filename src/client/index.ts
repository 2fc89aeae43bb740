import { AgentClient, type AgentOptions } from './agent-client.js';
import { realTiming } from './patience.js';

export type { AgentClient, AgentOptions, NextOptions, Operation } from './agent-client.js';
export { AgentError, type ServerError } from './agent-error.js';
export type { Credentials, PrivateJwk } from './credentials.js';
export type { Task } from './tokens.js';

/**
 * A client for one agent: its token, renewal, proofs of possession, exchange, patience and idempotency keys.
 *
 *     import { agentClient } from 'behalf/client';
 *     const agent = agentClient({ server, agent: 'helpdesk-assistant', secret, delegation });
 *     const { ticketByNumber } = await agent.request('{ ticketByNumber(number: "T-4021") { subject } }');
 */
export const agentClient = (options: AgentOptions): AgentClient => new AgentClient(options, realTiming);
