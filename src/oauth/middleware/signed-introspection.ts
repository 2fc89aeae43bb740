import type { KoaContextWithOIDC } from 'oidc-provider';
import { routeOf } from '../library/library-internals.js';
import type { SigningKeys } from '../signing/signing-keys.js';

const mediaType = 'application/token-introspection+jwt';

/** Whether the client asks for the JWT by name; `*` and `application/*` do not. */
const asksForJwt = (accept: string | undefined): boolean =>
  (accept ?? '').split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return type === mediaType && !parameters.some((parameter) => /^q=0(\.0{0,3})?$/.test(parameter));
  });

/**
 * RFC 9701: an answer to an introspection as a signed JWT for the client that asked, which it can show to others as proof.
 */
export const makeSignedIntrospection =
  (keys: SigningKeys, issuer: string) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    if (routeOf(ctx) !== 'introspection' || ctx.status !== 200 || !asksForJwt(ctx.headers.accept)) return;
    const { clientId } = ctx.oidc.client ?? {};
    const { body } = ctx;
    if (clientId === undefined || typeof body !== 'object' || body === null) return;
    ctx.body = await keys.sign(
      { iss: issuer, aud: clientId, token_introspection: JSON.parse(JSON.stringify(body)) as unknown },
      'token-introspection+jwt',
    );
    ctx.type = mediaType;
  };
