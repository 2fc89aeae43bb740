import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Configuration, DeviceCode, KoaContextWithOIDC } from 'oidc-provider';
import { isoTime, type Clock } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import type { Ids } from '../../core/ids.js';
import { all, eq } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import type { BackchannelRequestRow } from '../../store/tables/backchannel-requests.js';
import { users, type UserRow } from '../../store/tables/identity.js';
import { acrValuesParameter } from '../interactions/interaction-policy.js';
import { deviceInfoOf, type DeviceInfo } from '../library/device-codes.js';
import { agentIdOf, newDeviceCode } from '../library/library-internals.js';
import { errors } from '../library/oidc-provider.js';
import { noteAsked, userAgentOf } from '../middleware/recording.js';
import type { Notifications } from './notifications.js';
import { forgetWaiting, keepWaiting } from './waiting-requests.js';

type Ciba = NonNullable<NonNullable<Configuration['features']>['ciba']>;

interface BackchannelParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly addressOf: (request: IncomingMessage) => string;
  readonly notifications: Notifications;
}

/** How long a request waits unless it says otherwise, and the bounds of what it may say (`requested_expiry`). */
const waits = { usualSeconds: 600, minSeconds: 60, maxSeconds: 3_600 };
/** RFC 8628 section 3.2, OpenID CIBA section 7.3. */
const intervalSeconds = 5;

const userNameLengthMax = 100;
/** Stands for the person of a hint that names nobody. No account has this id. */
const nobody = 'nobody';

/** Texts that people can compare at a glance: without mark-up, invisible characters and signs that turn a line. */
const messagePattern = /^[A-Za-z0-9](?:[A-Za-z0-9 .,:;_+/#!?()-]{0,58}[A-Za-z0-9.!?)])?$/;

/** Parameters by which other servers find a person or hear more of a request. */
const unsupported = ['id_token_hint', 'login_hint_token', 'user_code', 'request_context'] as const;

/** The parameters that the person's decision needs. The others are secrets of the client, or have done their work. */
const kept = ['client_id', 'scope', 'authorization_details', 'resource', acrValuesParameter] as const;

interface Asked {
  readonly hint: string;
  readonly userId: string | undefined;
}

/**
 * Requests by which an agent asks a person who is elsewhere (OpenID CIBA). Each becomes a device code that nobody types: the
 * person finds the request at `/account`, and no other person can decide on it. A name that nobody has is answered like any
 * other: see docs/decisions/0121-requests-find-their-person.md.
 */
export class BackchannelRequests {
  private readonly asked = new WeakMap<object, Asked>();

  constructor(private readonly parts: BackchannelParts) {}

  readonly feature: Ciba = {
    enabled: true,
    deliveryModes: ['poll', 'ping'],
    validateRequestContext: (ctx) => {
      const given = unsupported.find((name) => ctx.oidc.params?.[name] !== undefined);
      if (given !== undefined)
        throw new errors.InvalidRequest(`${given} is not supported: name the person in login_hint`);
    },
    validateBindingMessage: (_ctx, message) => {
      if (message !== undefined && !messagePattern.test(message))
        throw new errors.InvalidBindingMessage(
          'binding_message has up to 60 characters: letters from A to Z, digits, spaces and . , : ; _ + / # ! ? ( ) -',
        );
    },
    processLoginHintToken: () => undefined,
    processLoginHint: async (ctx, hint) => {
      const name = (hint ?? '').trim();
      const userId = await this.personOf(name);
      this.asked.set(ctx, { hint: sha256(name), userId });
      return userId ?? nobody;
    },
    verifyUserCode: () => undefined,
    triggerAuthenticationDevice: (ctx) => this.begin(ctx),
  };

  /** Whether this id stands for the person of a hint in this request. */
  isNobody(ctx: object, userId: string): boolean {
    return userId === nobody && this.asked.has(ctx);
  }

  /** The request is answered: it waits no longer, and its client is told. */
  async decided(ctx: KoaContextWithOIDC, code: DeviceCode): Promise<void> {
    const { backchannel } = deviceInfoOf(code.deviceInfo);
    if (backchannel === undefined) return;
    this.parts.notifications.tell(await ctx.oidc.provider.Client.find(code.clientId ?? ''), backchannel);
    await this.forget(backchannel.request);
  }

  private forget(request: string): Promise<number> {
    return this.parts.database.transaction((tx) => forgetWaiting(tx, request));
  }

  private async personOf(name: string): Promise<string | undefined> {
    if (name.length > userNameLengthMax) return undefined;
    const isThis = all<UserRow>(eq('name', name), eq('status', 'active'));
    return (await this.parts.database.read.one(users, isThis))?.id;
  }

  private async begin(ctx: KoaContextWithOIDC): Promise<void> {
    const { client, params = {}, provider } = ctx.oidc;
    const [asked, agentId] = [this.asked.get(ctx), agentIdOf(client)];
    if (asked === undefined || agentId === undefined || client === undefined)
      throw new errors.InvalidRequest('this client acts as no agent');
    const { clock, ids, database } = this.parts;
    const seconds = secondsOf(params.requested_expiry);
    const message = typeof params.binding_message === 'string' ? params.binding_message : null;
    const from = this.whereFrom(ctx.req);
    const row: BackchannelRequestRow = {
      ...{ id: ids.next(), userId: asked.userId ?? null, hint: asked.hint, agentId, message },
      ...{ address: from.address.slice(0, 60), userAgent: from.userAgent ?? null, createdAt: from.at },
      expiresAt: isoTime(clock.now() + seconds * 1000),
    };
    noteAsked(ctx, { userId: asked.userId, detail: message === null ? undefined : `asks: ${message}` });
    await database.transaction((tx) => keepWaiting(tx, row));
    const authReqId = randomBytes(32).toString('base64url');
    const backchannel = {
      ...{ request: row.id, person: row.userId },
      ...(message === null ? {} : { message }),
      ...this.parts.notifications.sealed(row.id, authReqId, params.client_notification_token),
    };
    const code = newDeviceCode(provider, {
      ...{ jti: authReqId, client, userCode: row.id, expiresIn: seconds },
      ...{ params: keptOf(params), deviceInfo: { ...from, backchannel } },
    });
    await code.save().catch(async (error: unknown) => {
      await this.forget(row.id);
      throw error;
    });
    ctx.body = { auth_req_id: authReqId, expires_in: seconds, interval: intervalSeconds };
  }

  private whereFrom(request: IncomingMessage): DeviceInfo {
    const userAgent = userAgentOf(request);
    const at = isoTime(this.parts.clock.now());
    return {
      address: this.parts.addressOf(request),
      at,
      ...(userAgent === undefined ? {} : { userAgent }),
    };
  }
}

/** The library has checked that it is a whole number. */
function secondsOf(requested: unknown): number {
  const { usualSeconds, minSeconds, maxSeconds } = waits;
  return requested === undefined
    ? usualSeconds
    : Math.min(Math.max(Number(requested), minSeconds), maxSeconds);
}

/** `openid` is no scope of tokens here: see `adaptBackchannel`. */
function keptOf(params: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const scope = (typeof params.scope === 'string' ? params.scope : '')
    .split(' ')
    .filter((name) => name !== '' && name !== 'openid')
    .join(' ');
  const given: Readonly<Record<string, unknown>> = { ...params, scope: scope === '' ? undefined : scope };
  return Object.fromEntries(kept.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
}
