import type { IncomingMessage } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Logger } from '../../core/logger.js';
import { clientKeyOf } from '../../core/client-address.js';
import { delegationDetails } from '../library/authorization-details.js';
import { agentIdOf, routeOf } from '../library/library-internals.js';
import type { AuthEvent, Recorder } from '../contract/dependencies.js';
import type { SlowDown } from '../throttling/slow-down.js';
import { clientIdLengthMax } from '../../core/client-ids.js';
import { cutText } from '../../core/cut-text.js';
import { tokenIdOf } from '../library/token-lookup.js';

const kinds = {
  token: 'token',
  pushed_authorization_request: 'token',
  device_authorization: 'token',
  backchannel_authentication: 'token',
  revocation: 'revocation',
} as const;
type Recorded = keyof typeof kinds;
/** Requests on which a person decides; a token comes later. */
const beginnings: ReadonlySet<Recorded> = new Set([
  ...(['pushed_authorization_request', 'device_authorization', 'backchannel_authentication'] as const),
]);
const isRecorded = (route: string): route is Recorded => Object.hasOwn(kinds, route);

/** Bounded, so that client input cannot swell a record. */
const bounded = (text: unknown, length: number): string | undefined =>
  typeof text === 'string' && text !== '' ? cutText(text, length) : undefined;

/** Leaves out undefined members. */
const present = <T extends object>(members: { [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;

export const userAgentOf = (request: IncomingMessage): string | undefined =>
  bounded(request.headers['user-agent'], 300);

const errorCodeOf = (body: unknown): string | undefined =>
  typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string'
    ? body.error
    : undefined;

const attestations = ['oauth-client-attestation', 'oauth-client-attestation-pop'];

/** False where the client may only have claimed its name: its proof was refused or not checked. */
function isProven({ status, body, headers }: KoaContextWithOIDC): boolean {
  if (status < 400) return true;
  // The library accepts the name before it refuses attestations, which are not supported here.
  const isAttested = attestations.some((name) => headers[name] !== undefined);
  return status < 500 && errorCodeOf(body) !== 'invalid_client' && !isAttested;
}

/** The person whom a request asks, as far as somebody has the name, and the words of the program. */
interface AskedPerson {
  readonly userId: string | undefined;
  readonly detail: string | undefined;
}

interface Noted {
  state: { foreignToken?: string; workload?: string; asked?: AskedPerson };
}

/** Notes a text about a token of another issuer for the record of this request. The text holds no token. */
export function noteForeignToken(ctx: object, detail: string): void {
  (ctx as Noted).state.foreignToken = detail;
}

/** Notes a text about the workload of the agent for the record of this request. The text holds no token. */
export function noteWorkload(ctx: object, detail: string): void {
  (ctx as Noted).state.workload = detail;
}

/** Notes for the record of this request whom it asks. */
export function noteAsked(ctx: object, asked: AskedPerson): void {
  (ctx as Noted).state.asked = asked;
}

function detailOf(ctx: object): string {
  const { workload, foreignToken, asked } = (ctx as Noted).state;
  return [workload, foreignToken, asked?.detail].filter((one) => one !== undefined).join(' | ');
}

function eventOf(ctx: KoaContextWithOIDC, route: Recorded, address: string): AuthEvent {
  const { client, entities, params } = ctx.oidc;
  const token = entities.AccessToken ?? entities.RefreshToken;
  const refused = ctx.status >= 400;
  return present<AuthEvent>({
    kind: kinds[route],
    outcome: ctx.status >= 500 ? 'failure' : refused ? 'refused' : 'success',
    userId: token?.accountId ?? (ctx as unknown as Noted).state.asked?.userId,
    agentId: isProven(ctx) ? agentIdOf(client) : undefined,
    clientName: client?.clientId ?? bounded(params?.client_id, clientIdLengthMax),
    delegationId: delegationDetails(token?.rar)?.delegation,
    // A refused request did not give out its refresh token.
    tokenId: entities.AccessToken?.jti === undefined ? undefined : tokenIdOf(entities.AccessToken.jti),
    grantType: bounded(beginnings.has(route) ? route : params?.grant_type, 100),
    errorCode: refused ? (errorCodeOf(ctx.body) ?? String(ctx.status)) : undefined,
    address,
    userAgent: userAgentOf(ctx.req),
    detail: bounded(detailOf(ctx), 2_000),
  });
}

interface RecordingParts {
  readonly recorder: Recorder;
  readonly logger: Logger;
  readonly refused: SlowDown;
  readonly addressOf: (request: IncomingMessage) => string;
}

function slowDown(ctx: KoaContextWithOIDC, waitSeconds: number): void {
  ctx.status = 429;
  ctx.set('retry-after', String(waitSeconds));
  ctx.body = { error: 'slow_down', error_description: 'too many refused requests' };
}

function unavailable(ctx: KoaContextWithOIDC): void {
  ctx.status = 503;
  ctx.body = {
    error: 'temporarily_unavailable',
    error_description: 'the server cannot record this now; try again later',
  };
}

/** A known client has its own count, so that a broken client does not hold up others at its address. */
const refusedKey = (ctx: KoaContextWithOIDC, address: string): string =>
  JSON.stringify([clientKeyOf(address), routeOf(ctx) === undefined ? undefined : ctx.oidc.client?.clientId]);

/**
 * Records every answer of the endpoints for clients before it leaves. Where that fails, the answer is dropped,
 * and the token stays unknown. A good request is always answered. Of too many refused ones, most get `slow_down` and no
 * record, so that garbage cannot fill the log.
 */
export const makeRecording =
  ({ recorder, logger, refused, addressOf }: RecordingParts) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const address = addressOf(ctx.req);
    await next();
    const route = routeOf(ctx);
    // RFC 8628 section 3.5: the answer to a client that polls in time. It refuses nothing.
    if (route === 'token' && errorCodeOf(ctx.body) === 'authorization_pending') return;
    if (ctx.method === 'POST' && ctx.status >= 400 && ctx.status < 500) {
      const key = refusedKey(ctx, address);
      const waitSeconds = refused.waitSeconds(key, key);
      if (waitSeconds > 0) {
        slowDown(ctx, waitSeconds);
        return;
      }
      refused.count(key, key);
    }
    if (route === undefined || !isRecorded(route)) return;
    try {
      await recorder.recordAuthEvent(eventOf(ctx, route, address));
    } catch (error) {
      logger.error({ err: error }, 'an authorization event could not be recorded; the response was dropped');
      unavailable(ctx);
    }
  };
