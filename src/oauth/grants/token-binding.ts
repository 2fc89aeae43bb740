import type { AccessToken, TokenEndpointGrantContext } from 'oidc-provider';
import { errors } from '../library/oidc-provider.js';
import {
  checkDpopReplay,
  checkDpopRequired,
  checkMtlsCert,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js';

export type DpopProof = Awaited<ReturnType<typeof validateDpop>>;

/**
 * Refuses a token request without the proof or certificate that the client's tokens must be bound to. Returns its proof, if
 * it has one (RFC 9449 section 5).
 */
export async function requireBinding(ctx: TokenEndpointGrantContext): Promise<DpopProof> {
  const { provider } = ctx.oidc;
  const proof = await validateDpop(provider, ctx);
  checkDpopRequired(provider, ctx, proof);
  if (checkMtlsCert(provider, ctx) !== undefined && proof !== undefined)
    throw new errors.InvalidRequest('tokens of this client are bound to its certificate: send no DPoP proof');
  return proof;
}

/** Binds the token to the proof's key, or to the client's certificate. A proof is good for one request. */
export async function bindToken(
  ctx: TokenEndpointGrantContext,
  proof: DpopProof,
  token: AccessToken,
): Promise<void> {
  const { provider, client } = ctx.oidc;
  const certificate = checkMtlsCert(provider, ctx);
  if (certificate !== undefined) token.setThumbprint('x5t', certificate);
  if (proof === undefined) return;
  await checkDpopReplay(provider, ctx, proof, client.clientId, errors.InvalidGrant);
  token.setThumbprint('jkt', proof.thumbprint);
}
