import type { IncomingMessage } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Clock } from '../../core/clock.js';
import { clientKeyOf } from '../../core/client-address.js';
import type { OAuthSettings } from '../contract/dependencies.js';
import { errors } from '../library/oidc-provider.js';
import { SlowDown } from './slow-down.js';

export const tooMany = 'too many requests of this client; wait as Retry-After says';

class TooManyRequests extends errors.OIDCProviderError {
  constructor() {
    super(429, 'slow_down');
    this.expose = true;
    this.error_description = tooMany;
  }
}

/**
 * Requests of authenticated clients at the token and introspection endpoints. They cost no operation, so each kind has a
 * limit of its own.
 */
export class RequestLimits {
  readonly tokens: SlowDown;
  readonly introspections: SlowDown;

  constructor(
    clock: Clock,
    { tokensPerClient, introspectionsPerClient }: OAuthSettings['limits'],
    private readonly addressOf: (request: IncomingMessage) => string,
  ) {
    this.tokens = new SlowDown(clock, tokensPerClient);
    this.introspections = new SlowDown(clock, introspectionsPerClient);
  }

  /** Seconds until the client may ask again; 0 where this request counts. */
  waitSeconds(kind: 'tokens' | 'introspections', ctx: KoaContextWithOIDC): number {
    const key = this.keyOf(ctx);
    const waitSeconds = this[kind].waitSeconds(key, key);
    if (waitSeconds === 0) this[kind].count(key, key);
    return waitSeconds;
  }

  /** Counts a token request. Throws where the client has to wait. */
  takeToken(ctx: KoaContextWithOIDC): void {
    const waitSeconds = this.waitSeconds('tokens', ctx);
    if (waitSeconds === 0) return;
    ctx.set('retry-after', String(waitSeconds));
    throw new TooManyRequests();
  }

  /** Anybody may say the name of a public client, so each address counts for itself. */
  private keyOf({ req, oidc: { client } }: KoaContextWithOIDC): string {
    const isPublic = client?.clientAuthMethod === 'none';
    return JSON.stringify([client?.clientId, ...(isPublic ? [clientKeyOf(this.addressOf(req))] : [])]);
  }
}
