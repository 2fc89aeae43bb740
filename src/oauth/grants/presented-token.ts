import type { AccessToken, RefreshToken, TokenEndpointGrantContext } from 'oidc-provider';
import { certificateThumbprint } from '../../core/certificates.js';
import type { DpopProof } from './token-binding.js';
import type { IssueParts } from './issue-token.js';

/** Why this request may not use a token that is bound to a key or a certificate. Undefined where it may. */
export function bindingFault(
  { req }: TokenEndpointGrantContext,
  { jkt, 'x5t#S256': bound }: AccessToken | RefreshToken,
  proof: DpopProof,
  { certificateOf }: Pick<IssueParts, 'certificateOf'>,
): string | undefined {
  if (jkt !== undefined && jkt !== proof?.thumbprint)
    return 'is bound to a key that this request does not prove (RFC 9449)';
  if (bound === undefined) return undefined;
  const certificate = certificateOf(req);
  return certificate !== undefined && certificateThumbprint(certificate) === bound
    ? undefined
    : 'is bound to a certificate that this request does not come with (RFC 8705)';
}
