import type { IncomingMessage } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { normalize } from 'oidc-provider/lib/helpers/user_codes.js';
import { clientKeyOf } from '../../core/client-address.js';
import type { Clock } from '../../core/clock.js';
import { isId } from '../../core/ids.js';
import { paths } from '../contract/paths.js';
import type { AttemptLimit, Recorder } from '../contract/dependencies.js';
import { deviceCodeGrant } from '../library/device-codes.js';
import { userAgentOf } from '../middleware/recording.js';
import { deadEndPage } from '../pages/dead-end-page.js';
import { pageHeaders, pageText, type Page } from '../pages/page.js';
import { checkOrigin, FormError } from '../step/form.js';
import { SlowDown } from '../throttling/slow-down.js';

interface WithCode {
  state: { userCode?: string; isUnknown?: true };
}

/** The user code in the address of the page (RFC 8628 section 3.3.1). */
export const typedCodeOf = (ctx: object): string | undefined => (ctx as WithCode).state.userCode;

/** A code was entered that no open request has. */
export function noteUnknownCode(ctx: object): void {
  (ctx as WithCode).state.isUnknown = true;
}

/** Only the person of a request that names one refuses it, after signing in. Its id is longer than the codes that are typed. */
export function formOfPerson(path: string, form: Buffer): Buffer {
  if (path !== paths.device) return form;
  const fields = new URLSearchParams(form.toString());
  if (!isId(normalize(fields.get('user_code') ?? ''))) return form;
  fields.delete('abort');
  return Buffer.from(fields.toString());
}

interface UserCodesParts {
  readonly clock: Clock;
  readonly issuer: string;
  readonly recorder: Recorder;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly limits: {
    readonly userCodesPerAddress: AttemptLimit;
    readonly userCodes: AttemptLimit;
  };
}

const everybody = 'everybody';

/**
 * Holds guesses of user codes up (RFC 8628 section 5.1): of one address, and of all together. Each that gets through is
 * recorded, so the limits bound the records, too. A code that is there counts for nothing, as does a form without one.
 */
export class UserCodes {
  readonly perAddress: SlowDown;
  readonly together: SlowDown;

  constructor(private readonly parts: UserCodesParts) {
    this.perAddress = new SlowDown(parts.clock, parts.limits.userCodesPerAddress);
    this.together = new SlowDown(parts.clock, parts.limits.userCodes);
  }

  readonly middleware = async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    if (ctx.path !== paths.device) return next();
    const typed = new URLSearchParams(ctx.querystring).get('user_code');
    ctx.querystring = '';
    if (ctx.method === 'GET' && (typed === null || typed === '')) return next();
    if (ctx.method === 'GET') (ctx as unknown as WithCode).state.userCode = typed ?? '';
    else if (!this.isOwnForm(ctx)) return;
    await this.guess(ctx, next);
  };

  private async guess(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
    const party = clientKeyOf(this.parts.addressOf(ctx.req));
    const waitSeconds = Math.max(
      this.perAddress.waitSeconds(party, party),
      this.together.waitSeconds(everybody, party),
    );
    if (waitSeconds > 0) {
      show(ctx, { ...tooMany, retryAfterSeconds: waitSeconds });
      return;
    }
    this.perAddress.count(party, party);
    this.together.count(everybody, party);
    await next();
    if ((ctx as unknown as WithCode).state.isUnknown === true) {
      await this.record(ctx);
      return;
    }
    this.perAddress.forgive(party);
    this.together.forgive(everybody);
  }

  /** Without the code: a typing error is a code of somebody else, almost. */
  private record({ req }: KoaContextWithOIDC): Promise<void> {
    const userAgent = userAgentOf(req);
    return this.parts.recorder.recordAuthEvent({
      ...{ kind: 'token', outcome: 'refused', grantType: deviceCodeGrant, errorCode: 'unknown_user_code' },
      ...{ address: this.parts.addressOf(req), detail: 'a user code was entered that no open request has' },
      ...(userAgent === undefined ? {} : { userAgent }),
    });
  }

  private isOwnForm(ctx: KoaContextWithOIDC): boolean {
    try {
      checkOrigin(ctx.req, this.parts.issuer);
      return true;
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      show(ctx, deadEndPage(error.status, 'That did not work', error.message));
      return false;
    }
  }
}

const tooMany = deadEndPage(
  429,
  'Too many codes',
  'Many codes were tried that nobody has. Wait a little, then enter the code again.',
);

function show(ctx: KoaContextWithOIDC, page: Page): void {
  ctx.status = page.status;
  ctx.set(pageHeaders(page));
  ctx.body = pageText(page);
}
