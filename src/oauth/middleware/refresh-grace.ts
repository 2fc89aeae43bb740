import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { AccessToken, KoaContextWithOIDC, Provider, TokenEndpointGrantContext } from 'oidc-provider';
import { validateDpop } from 'oidc-provider/lib/helpers/grants.js';
import { isoTime } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import type { Logger } from '../../core/logger.js';
import { all, compare, eq } from '../../store/sql/condition.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';
import { graceSeconds, UsedJustNow, type PayloadStore } from '../library/payload-adapter.js';
import { routeOf } from '../library/library-internals.js';
import type { IssueParts } from '../grants/issue-token.js';
import { bindingFault } from '../grants/presented-token.js';

interface Answer {
  /** The other parameters of the request. A request with different ones does not get this answer. */
  readonly asked: string;
  readonly at: number;
  readonly body: { readonly access_token: string; readonly expires_in: number };
}

const model = 'RefreshAnswer';

/** Another replica may still be making the answer. */
const triesMax = 40;
const tryEveryMs = 50;

/** Only the holder of the refresh token can read its answer: the table has just the token's digest. */
const keyOf = (token: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', token, '', 'the answer to a refresh', 32));

function seal(token: string, answer: Answer): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(token), nonce);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(answer), 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
}

function open(token: string, text: string): Answer {
  const bytes = Buffer.from(text, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', keyOf(token), bytes.subarray(0, 12));
  decipher.setAuthTag(bytes.subarray(12, 28));
  const opened = Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]);
  return JSON.parse(opened.toString('utf8')) as Answer;
}

async function keep(
  { database, clock }: PayloadStore,
  ctx: KoaContextWithOIDC,
  token: string,
): Promise<void> {
  const { RotatedRefreshToken: rotated } = ctx.oidc.entities;
  const answer: Answer = { asked: parametersOf(ctx), at: clock.now(), body: ctx.body as Answer['body'] };
  const row: OAuthPayloadRow = {
    model,
    id: sha256(token),
    grantId: rotated?.grantId ?? null,
    uid: null,
    userCode: null,
    accountId: rotated?.accountId ?? null,
    payload: seal(token, answer),
    expiresAt: isoTime(clock.now() + graceSeconds * 1000),
    consumedAt: null,
  };
  await database.transaction((tx) => tx.insert(oauthPayloads, [row]));
}

async function find({ database, clock }: PayloadStore, token: string): Promise<Answer | undefined> {
  const key = all(eq<OAuthPayloadRow>('model', model), eq('id', sha256(token)));
  for (let tries = 0; tries < triesMax; tries += 1) {
    const row = await database.read.one(
      oauthPayloads,
      all(key, compare('expiresAt', '>', isoTime(clock.now()))),
    );
    if (row !== undefined) return open(token, row.payload);
    await setTimeout(tryEveryMs);
  }
  return undefined;
}

const parametersOf = ({ oidc: { params } }: KoaContextWithOIDC): string =>
  JSON.stringify([params?.scope, params?.resource]);

/**
 * Parallel refreshes of one token get the same answer. The first uses the token up. A later one within the grace has
 * passed every check of the library (client, key, grant, scopes) before it fails as used, and gets the first one's
 * answer. Later use of the token ends its whole family (RFC 9700 section 4.14).
 */
export function makeRefreshGrace(
  provider: Provider,
  store: PayloadStore,
  parts: Pick<IssueParts, 'certificateOf'> & { readonly logger: Logger },
) {
  /** The token is used up: its client gets the answer even where it cannot be kept for others. */
  const keepIfPossible = async (ctx: KoaContextWithOIDC, token: string): Promise<void> => {
    try {
      await keep(store, ctx, token);
    } catch (error) {
      parts.logger.error({ err: error }, 'the answer to a refresh could not be kept');
    }
  };
  /** An answer is for the key or certificate of the request that it was made for. */
  const mayUse = async (ctx: KoaContextWithOIDC, token: AccessToken): Promise<boolean> => {
    const asked = ctx as TokenEndpointGrantContext;
    return bindingFault(asked, token, await validateDpop(provider, asked), parts) === undefined;
  };
  const usedJustNow = new WeakSet<object>();
  provider.on('grant.error', (ctx, error) => {
    if (error instanceof UsedJustNow) usedJustNow.add(ctx);
  });
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    if (routeOf(ctx) !== 'token') return;
    const { grant_type: grantType, refresh_token: token } = ctx.oidc.params ?? {};
    if (grantType !== 'refresh_token' || typeof token !== 'string') return;
    if (ctx.status === 200) await keepIfPossible(ctx, token);
    if (!usedJustNow.has(ctx)) return;
    const answer = await find(store, token);
    if (answer?.asked !== parametersOf(ctx)) return;
    const { body, at } = answer;
    const given = await provider.AccessToken.find(body.access_token);
    if (given === undefined || !(await mayUse(ctx, given))) return;
    ctx.oidc.entity('AccessToken', given);
    ctx.status = 200;
    ctx.body = { ...body, expires_in: body.expires_in - Math.floor((store.clock.now() - at) / 1000) };
  };
}
