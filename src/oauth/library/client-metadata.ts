import { randomBytes } from 'node:crypto';
import type { ClientMetadata } from 'oidc-provider';
import type { AgentRow, StoredCertificateName } from '../../store/tables/identity.js';

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

interface ByCertificate {
  readonly authMethod: string;
  readonly jwks: { readonly keys: Record<string, unknown>[] } | null;
  readonly certificateName: StoredCertificateName | null;
}

/** RFC 8705 section 2. Undefined for a client that is not authenticated by a certificate. */
export function certificateMetadata({
  authMethod,
  jwks,
  certificateName,
}: ByCertificate): Partial<ClientMetadata> | undefined {
  if (authMethod === 'self_signed_tls_client_auth')
    return { token_endpoint_auth_method: authMethod, jwks: { keys: (jwks?.keys ?? []).map(asLibrary) } };
  if (authMethod !== 'tls_client_auth' || certificateName === null) return undefined;
  const { kind, value } = certificateName;
  return { token_endpoint_auth_method: authMethod, [`tls_client_auth_${kind}`]: value };
}

/** The kind of key to which the access tokens of a client must be bound (RFC 9449 section 5.2, RFC 8705 section 3.4). */
export const bindingMetadata = (tokenBinding: string): Partial<ClientMetadata> => ({
  dpop_bound_access_tokens: tokenBinding === 'dpop',
  tls_client_certificate_bound_access_tokens: tokenBinding === 'certificate',
});
