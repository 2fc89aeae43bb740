import { randomBytes } from 'node:crypto';
import { isoTime, type Clock } from '../core/clock.js';
import { sha256 } from '../core/digest.js';
import { all, compare, eq, type Condition } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { isDuplicate } from '../store/sql/database.js';
import { oauthPayloads, type OAuthPayloadRow } from '../store/tables/identity.js';

/** Whom a challenge is for: it answers no other request. */
interface ChallengeOwner {
  readonly ceremony: 'create' | 'get';
  /** The sign-in under way, or the finished sign-in of an access token. */
  readonly session: string;
  /** Where the person is known already. */
  readonly userId?: string;
}

const model = 'PasskeyChallenge';
export const challengeSeconds = 300;

const keyOf = ({ ceremony, session }: ChallengeOwner): Condition<OAuthPayloadRow> =>
  all(eq('model', model), eq('id', sha256(JSON.stringify([ceremony, session]))));

/** The challenges that wait for a passkey's answer: one for each ceremony of a session. A new one replaces it. */
export class PasskeyChallenges {
  constructor(private readonly clock: Clock) {}

  async begin(tx: Connection, owner: ChallengeOwner): Promise<string> {
    const challenge = randomBytes(32).toString('base64url');
    const { ceremony, session, userId = null } = owner;
    const changes = {
      accountId: userId,
      payload: challenge,
      expiresAt: isoTime(this.clock.now() + challengeSeconds * 1000),
    };
    if ((await tx.update(oauthPayloads, keyOf(owner), changes)) > 0) return challenge;
    const id = sha256(JSON.stringify([ceremony, session]));
    const row = { model, id, grantId: null, uid: session, userCode: null, consumedAt: null, ...changes };
    await tx.insert(oauthPayloads, [row]).catch(async (error: unknown) => {
      if (!isDuplicate(error)) throw error;
      await tx.update(oauthPayloads, keyOf(owner), changes);
    });
    return challenge;
  }

  /** Uses the challenge up. Undefined where none waits, or it is for another person. */
  async take(tx: Connection, owner: ChallengeOwner): Promise<string | undefined> {
    const isWaiting = all(
      keyOf(owner),
      eq<OAuthPayloadRow>('accountId', owner.userId ?? null),
      compare<OAuthPayloadRow>('expiresAt', '>', isoTime(this.clock.now())),
    );
    const row = await tx.one(oauthPayloads, isWaiting, { lock: 'update' });
    return (await tx.delete(oauthPayloads, isWaiting)) > 0 ? row?.payload : undefined;
  }
}
