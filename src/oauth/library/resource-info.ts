import type { KoaContextWithOIDC } from 'oidc-provider';
import { eq } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import { signIns, type SignInRow } from '../../store/tables/sign-ins.js';
import type { OAuthDependencies } from '../contract/dependencies.js';
import { noteServer, type RegisteredServer, type Resources } from '../resources.js';
import { actingClientOf, resourceCeilingOf, routeOf, scopeCeilingOf } from './library-internals.js';
import { errors } from './oidc-provider.js';

/** A sign-in from before a server was registered is not for it. Delegations are compared where their tokens are issued. */
async function requireLaterSignIn(
  { oidc: { entities, client } }: KoaContextWithOIDC,
  database: Database,
  { sinceMs }: RegisteredServer,
): Promise<void> {
  const grantId = (entities.RefreshToken ?? entities.AuthorizationCode)?.grantId;
  if (grantId === undefined || actingClientOf(client) !== undefined) return;
  const signIn = await database.read.one(signIns, eq<SignInRow>('grantId', grantId));
  if (signIn === undefined || Date.parse(signIn.createdAt) < sinceMs)
    throw new errors.InvalidTarget('this sign-in is older than the resource: sign in again');
}

/** `openid` makes a back-channel request one of OpenID CIBA, and asks for nothing. */
const isProtocol = (ctx: KoaContextWithOIDC, scope: string): boolean =>
  scope === 'openid' && routeOf(ctx) === 'backchannel_authentication';

/** A resource as the library takes it (RFC 8707). Throws `invalid_target`, and `invalid_scope` for the request. */
export const makeResourceInfo = ({ settings, database }: OAuthDependencies, resources: Resources) => {
  const known = new Set(settings.scopes);
  return async (ctx: KoaContextWithOIDC, indicator: string) => {
    const { client } = ctx.oidc;
    const resource = await resources.find(indicator);
    if (resource === undefined) throw new errors.InvalidTarget();
    if (resourceCeilingOf(client)?.includes(indicator) === false)
      throw new errors.InvalidTarget('this client gets no tokens for this resource');
    if (resource.server !== undefined) {
      await requireLaterSignIn(ctx, database, resource.server);
      noteServer(ctx, indicator, resource.server);
    }
    const ceiling = scopeCeilingOf(client);
    const asked = [...ctx.oidc.requestParamScopes].filter((scope) => !isProtocol(ctx, scope));
    const unknown = asked.filter((scope) => !known.has(scope));
    if (unknown.length > 0) throw new errors.InvalidScope('unknown scope', unknown.join(' '));
    const beyond = asked.filter((scope) => ceiling?.includes(scope) === false);
    if (beyond.length > 0)
      throw new errors.InvalidScope('this client gets no tokens with this scope', beyond.join(' '));
    const { identifier: audience, scopes } = resource;
    return { scope: scopes.join(' '), audience, accessTokenFormat: 'opaque' as const };
  };
};
