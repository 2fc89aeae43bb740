import { randomBytes } from 'node:crypto';
import type { ClientMetadata } from 'oidc-provider';
import type { AgentRow } from '../../store/tables/identity.js';

/** A member of client metadata: the agent's id. Absent for people's programs. */
export const agentIdMember = 'behalf_agent_id';
/** A member of client metadata: the agent's name. */
export const agentNameMember = 'behalf_agent_name';
/** A member of client metadata: the generation of the agent's tokens when the client was read. */
export const agentGenerationMember = 'behalf_agent_generation';

/** The members by which a client acts as an agent. */
export const actingMembers = (agent: AgentRow): Partial<ClientMetadata> => ({
  [agentIdMember]: agent.id,
  [agentNameMember]: agent.name,
  [agentGenerationMember]: agent.tokenGeneration,
});

/** The library requires a secret for `client_secret_basic`. This one is random and never compared. */
export const unusedSecret = randomBytes(32).toString('base64url');

/**
 * `EdDSA` and `Ed25519` are one algorithm here, and two to the library, which looks at the curve where a key has no
 * `alg`.
 */
export const asLibrary = (key: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  key.kty === 'OKP' ? { ...key, alg: undefined } : key;
