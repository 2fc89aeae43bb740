import type { TokenEndpointGrantContext } from 'oidc-provider';
import { requestedResource } from './requested-resource.js';

/**
 * A refresh by a person's program names a resource that there is (RFC 8707 section 2.2). The library uses the refresh token
 * up before it looks, and the program would lose its sign-in.
 */
export async function requireResource(ctx: TokenEndpointGrantContext): Promise<void> {
  const { provider, client, params } = ctx.oidc;
  const { refresh_token: value } = params;
  const token = typeof value === 'string' ? await provider.RefreshToken.find(value) : undefined;
  const granted = [token?.resource ?? []].flat();
  if (token?.clientId !== client.clientId || granted.length === 0) return;
  ctx.oidc.entity('RefreshToken', token);
  await requestedResource(ctx, granted);
}
