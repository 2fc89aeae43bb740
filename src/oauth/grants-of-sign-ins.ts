import type { Grant, KoaContextWithOIDC } from 'oidc-provider';
import type { Clock } from '../core/clock.js';
import { cutText } from '../core/cut-text.js';
import type { HandedOver, OAuthDependencies } from './contract/dependencies.js';
import { handedOver } from './library/handed-over.js';
import { decisionsOf } from './interactions/interaction-policy.js';
import { decisionOf, deviceInfoOf, isForAnother } from './library/device-codes.js';
import { keepSignIn, type NewSignIn } from './library/kept-sign-ins.js';
import { newDelegationGrant } from './library/library-internals.js';
import { userAgentOf } from './middleware/recording.js';
import { isLoginCurrent, type Login } from './step/current-sign-in.js';

/**
 * One grant for each sign-in, so that ending one sign-in leaves the person's others. Undefined where the sign-in has
 * ended.
 */
export const newGrant =
  (dependencies: OAuthDependencies) =>
  async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { account, client, provider, entities } = ctx.oidc;
    const { login, consent } = decisionsOf(ctx);
    if (account === undefined || client === undefined || login === undefined) return undefined;
    if (isForAnother(entities.DeviceCode?.deviceInfo, account.accountId)) return undefined;
    const earlier = entities.Interaction?.grantId;
    const begun = earlier === undefined ? undefined : await provider.Grant.find(earlier);
    if (begun?.accountId === account.accountId && begun.clientId === client.clientId) {
      if (consent?.delegationId === undefined) return begun;
      const last = await lastHandedOver(ctx, dependencies);
      return (
        last &&
        grantOfDelegation(ctx, begun, secondsUntil(last.expiresAt, dependencies.clock), last.delegationId)
      );
    }
    const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
    for (const [identifier, { scopes }] of Object.entries(ctx.oidc.resourceServers ?? {}))
      grant.addResourceScope(
        identifier,
        [...ctx.oidc.requestParamScopes].filter((name) => scopes.has(name)).join(' '),
      );
    await grant.save();
    // Checked after saving: a transaction that ends the person's sign-ins either finds the grant or is seen here.
    const isKept = await dependencies.database.transaction(async (tx) => {
      const { provider: by } = login;
      if (by !== undefined && (await dependencies.identities.hasEnded(tx, by))) return false;
      if (!(await isLoginCurrent(tx, login))) return false;
      await keepSignIn(tx, dependencies, signInOf(ctx, dependencies, grant, login));
      return true;
    });
    if (isKept) return grant;
    await grant.destroy();
    return undefined;
  };

/** The task of the person's last decision, whichever tab of theirs comes back first. Undefined where they took it back. */
async function lastHandedOver(
  { oidc: { entities } }: KoaContextWithOIDC,
  { database }: Pick<OAuthDependencies, 'database'>,
): Promise<HandedOver | undefined> {
  const { Interaction: interaction, DeviceCode: code } = entities;
  if (interaction === undefined) return undefined;
  const device = code === undefined ? undefined : deviceInfoOf(code.deviceInfo);
  return (await handedOver(database.read, decisionOf({ uid: interaction.uid, device })))?.handed;
}

const secondsUntil = (iso: string, clock: Clock): number =>
  Math.max(1, Math.floor((Date.parse(iso) - clock.now()) / 1000));

/** The answer to an agent's request belongs to the delegation that came of it, and no longer to the sign-in. */
async function grantOfDelegation(
  { oidc: { provider } }: KoaContextWithOIDC,
  begun: Grant,
  expiresIn: number,
  jti: string,
): Promise<Grant> {
  const { accountId = '', clientId = '' } = begun;
  const grant = newDelegationGrant(provider, { jti, accountId, clientId, expiresIn });
  await grant.save();
  await begun.destroy();
  return grant;
}

function signInOf(
  { req, oidc: { client } }: KoaContextWithOIDC,
  { settings, addressOf }: OAuthDependencies,
  { jti: grantId }: Grant,
  { accountId: userId, provider, byPasskey }: Login,
): NewSignIn {
  const clientId = client?.clientId ?? '';
  return {
    ...{ userId, grantId, clientId },
    program: cutText(client?.clientName ?? clientId, 200),
    method: byPasskey === true ? 'passkey' : provider === undefined ? 'password' : 'provider',
    providerId: provider?.providerId ?? null,
    provider: provider?.label ?? null,
    providerSession: provider?.session ?? null,
    address: addressOf(req).slice(0, 60),
    userAgent: userAgentOf(req) ?? null,
    lifeSeconds: settings.refreshTokenTtlSeconds,
  };
}
