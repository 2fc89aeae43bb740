import { isoTime } from '../core/clock.js';
import { sha256 } from '../core/digest.js';
import type { ProviderSession } from '../delegation/proven-identity.js';
import { all, compare, eq, isIn } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { oauthPayloads, type OAuthPayloadRow } from '../store/tables/identity.js';
import type { UnitOfWork } from './unit-of-work.js';

/** Who has signed out at a provider: a person, or one session there. */
type Left = Pick<ProviderSession, 'providerId'> & Partial<Pick<ProviderSession, 'subject' | 'session'>>;

const model = 'ProviderLogout';
/** Longer than a sign-in can be under way. */
const keptSeconds = 1_200;

const keysOf = ({ providerId, subject, session }: Left): string[] => [
  ...(subject === undefined ? [] : [sha256(JSON.stringify([providerId, 'sub', subject]))]),
  ...(session === undefined ? [] : [sha256(JSON.stringify([providerId, 'sid', session]))]),
];

const marksOf = (left: Left) => all<OAuthPayloadRow>(eq('model', model), isIn('id', keysOf(left)));

/** Remembers a logout for as long as a sign-in from before can be under way. */
export async function markLogout({ tx, clock }: Pick<UnitOfWork, 'tx' | 'clock'>, left: Left): Promise<void> {
  const now = clock.now();
  const row = {
    ...{ model, grantId: null, uid: null, userCode: null, accountId: null, consumedAt: null },
    payload: JSON.stringify({ at: isoTime(now) }),
    expiresAt: isoTime(now + keptSeconds * 1000),
  };
  await tx.delete(oauthPayloads, marksOf(left));
  await tx.insert(
    oauthPayloads,
    keysOf(left).map((id) => ({ ...row, id })),
  );
}

/** Whether a logout of the person or the session has been marked since the sign-in's request was sent. */
export async function isMarked(
  tx: Connection,
  session: Pick<ProviderSession, 'providerId' | 'subject' | 'session' | 'requestedAt'>,
  now: number,
): Promise<boolean> {
  const alive = all(marksOf(session), compare<OAuthPayloadRow>('expiresAt', '>', isoTime(now)));
  const marks = await tx.select(oauthPayloads, alive);
  return marks.some(({ payload }) => session.requestedAt <= (JSON.parse(payload) as { at: string }).at);
}
