import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import { errors } from './oidc-provider.js';
import { resourceOfClient, serverMember } from './resource-server-clients.js';

interface IntrospectedToken {
  readonly kind: string;
  readonly clientId?: string | undefined;
  readonly aud?: unknown;
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * RFC 7662 section 4: no client learns about tokens of others, and public clients learn nothing. Registered servers learn of
 * tokens for themselves, but not of those for an earlier server at their address, nor of those of clients that are no more.
 */
export async function introspectionPolicy(
  ctx: KoaContextWithOIDC,
  client: Client,
  token: IntrospectedToken,
): Promise<boolean> {
  if (client.clientAuthMethod === 'none') return false;
  if (client.clientId === token.clientId) return true;
  const isForIt =
    token.kind === 'AccessToken' &&
    token.aud === resourceOfClient(client) &&
    token.extra?.[serverMember] === client.clientId;
  return isForIt && isKnown(ctx, token.clientId);
}

/** The library takes it for granted that the client of a token is there. */
async function isKnown({ oidc: { provider } }: KoaContextWithOIDC, clientId = ''): Promise<boolean> {
  try {
    return (await provider.Client.find(clientId)) !== undefined;
  } catch (error) {
    if (error instanceof errors.OIDCProviderError) return false;
    throw error;
  }
}
