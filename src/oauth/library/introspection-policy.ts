import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import { sha256 } from '../../core/digest.js';
import { all, eq } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';
import { errors } from './oidc-provider.js';
import { resourceOfClient } from './resource-server-clients.js';

interface IntrospectedToken {
  readonly kind: string;
  readonly jti?: string | undefined;
  readonly clientId?: string | undefined;
  readonly aud?: unknown;
  readonly iat?: number | undefined;
  readonly exp?: number | undefined;
}

/**
 * RFC 7662 section 4: no client learns about tokens of others, and public clients learn nothing. Registered servers learn of
 * tokens for themselves, but not of those from before they were registered, nor of those of clients that are no more.
 */
export const introspectionPolicy =
  (connection: Connection) =>
  async (ctx: KoaContextWithOIDC, client: Client, token: IntrospectedToken): Promise<boolean> => {
    if (client.clientAuthMethod === 'none') return false;
    if (client.clientId === token.clientId) return true;
    const resource = resourceOfClient(client);
    if (resource === undefined || token.kind !== 'AccessToken' || token.aud !== resource.identifier)
      return false;
    const isBefore = await isFromBefore(connection, token, resource.sinceMs);
    return !isBefore && (await isKnown(ctx, token.clientId));
  };

/** The time of issue is in whole seconds. Within the second, the row has the rest: it ends after whole seconds. */
async function isFromBefore(
  connection: Connection,
  { jti = '', iat = 0, exp = 0 }: IntrospectedToken,
  sinceMs: number,
): Promise<boolean> {
  if (iat !== Math.floor(sinceMs / 1000)) return iat * 1000 < sinceMs;
  const isToken = all<OAuthPayloadRow>(eq('model', 'AccessToken'), eq('id', sha256(jti)));
  const { expiresAt = null } = (await connection.one(oauthPayloads, isToken)) ?? {};
  return expiresAt === null || Date.parse(expiresAt) - exp * 1000 < sinceMs % 1000;
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
