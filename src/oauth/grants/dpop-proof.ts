import type { AccessToken, TokenEndpointGrantContext } from 'oidc-provider';
import { errors } from '../library/oidc-provider.js';
import { checkDpopReplay, checkDpopRequired, validateDpop } from 'oidc-provider/lib/helpers/grants.js';

export type DpopProof = Awaited<ReturnType<typeof validateDpop>>;

/** The proof of a token request, if it has one (RFC 9449 section 5). */
export async function readDpopProof(ctx: TokenEndpointGrantContext): Promise<DpopProof> {
  const proof = await validateDpop(ctx.oidc.provider, ctx);
  checkDpopRequired(ctx.oidc.provider, ctx, proof);
  return proof;
}

/** Binds the token to the proof's key. A proof is good for one request. */
export async function applyDpopProof(
  ctx: TokenEndpointGrantContext,
  proof: DpopProof,
  token: AccessToken,
): Promise<void> {
  if (proof === undefined) return;
  await checkDpopReplay(ctx.oidc.provider, ctx, proof, ctx.oidc.client.clientId, errors.InvalidGrant);
  token.setThumbprint('jkt', proof.thumbprint);
}
