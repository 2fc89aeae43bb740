import { randomBytes } from 'node:crypto';
import { isoTime, type Clock } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import { all, compare, eq, isNull, not, type Condition } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';

/** A request to a provider, kept until its answer comes. */
export interface SignInRequest {
  /** The interaction that sent the request. */
  readonly uid: string;
  readonly providerId: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly sentAt: string;
}

const model = 'ProviderRequest';
const secondsMax = 300;

const isRequest = (state: string): Condition<OAuthPayloadRow> =>
  all(eq('model', model), eq('id', sha256(state)));
const random = (): string => randomBytes(32).toString('base64url');

/**
 * The requests that wait for a provider's answer, under the digest of their `state`. An answer is taken once, by the
 * redirect URI, and redeemed once, by the interaction that sent the request. Only its browser can open the interaction.
 */
export class SignInRequests {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** An interaction has one request at a time: a new one replaces it. */
  async begin(uid: string, providerId: string): Promise<{ state: string; request: SignInRequest }> {
    const state = random();
    const now = this.clock.now();
    const request = { uid, providerId, nonce: random(), codeVerifier: random(), sentAt: isoTime(now) };
    const row: OAuthPayloadRow = {
      ...{ model, id: sha256(state), grantId: null, uid, userCode: null, accountId: null },
      payload: JSON.stringify(request),
      expiresAt: isoTime(now + secondsMax * 1000),
      consumedAt: null,
    };
    await this.database.transaction(async (tx) => {
      await tx.delete(oauthPayloads, all(eq<OAuthPayloadRow>('model', model), eq('uid', uid)));
      await tx.insert(oauthPayloads, [row]);
    });
    return { state, request };
  }

  /**
   * Takes the answer to a request to this provider. Undefined where there is no such request, or it is expired or taken
   * already. A request to another provider keeps waiting: only a taken answer can be redeemed.
   */
  take(state: string, providerId: string): Promise<SignInRequest | undefined> {
    const isWaiting = all(isRequest(state), isNull('consumedAt'), this.isFresh());
    return this.database.transaction(async (tx) => {
      const request = requestIn(await tx.one(oauthPayloads, isWaiting));
      if (request?.providerId !== providerId) return undefined;
      const consumedAt = isoTime(this.clock.now());
      return (await tx.update(oauthPayloads, isWaiting, { consumedAt })) > 0 ? request : undefined;
    });
  }

  /** Ends a request whose answer was taken. Undefined where no answer was taken, or it was redeemed before. */
  redeem(state: string): Promise<SignInRequest | undefined> {
    const isTaken = all(isRequest(state), not(isNull<OAuthPayloadRow>('consumedAt')), this.isFresh());
    return this.database.transaction(async (tx) => {
      const row = await tx.one(oauthPayloads, isTaken);
      return (await tx.delete(oauthPayloads, isTaken)) > 0 ? requestIn(row) : undefined;
    });
  }

  private isFresh(): Condition<OAuthPayloadRow> {
    return compare('expiresAt', '>', isoTime(this.clock.now()));
  }
}

const requestIn = (row: OAuthPayloadRow | undefined): SignInRequest | undefined =>
  row === undefined ? undefined : (JSON.parse(row.payload) as SignInRequest);
