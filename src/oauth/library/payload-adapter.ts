import type { Adapter, AdapterPayload } from 'oidc-provider';
import { errors, Provider } from './oidc-provider.js';
import { noteUse } from './kept-sign-ins.js';
import { isoTime, type Clock } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import { all, any, compare, eq, isNull, not, type Condition } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { isDuplicate, type Database } from '../../store/sql/database.js';
import { deleteInBatches } from '../../store/sql/delete-in-batches.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../store/tables/identity.js';

export interface PayloadStore {
  readonly database: Database;
  readonly clock: Clock;
  epochBump(tx: Connection): Promise<void>;
}

/** Deleting one of these ends rights. */
const endsRights: ReadonlySet<string> = new Set(['AccessToken', 'RefreshToken', 'Grant']);

/**
 * Stands for the id inside a stored payload. JSON text never holds a raw control character, so no client input can
 * equal it.
 */
const idMark = '\u0001';

const isKey = (model: string, digest: string): Condition<OAuthPayloadRow> =>
  all(eq('model', model), eq('id', digest));
const ofGrant = (grantId: string): Condition<OAuthPayloadRow> => eq('grantId', grantId);

/** As JSON text has it. */
const inJson = (id: string): string => JSON.stringify(id).slice(1, -1);

/** The payload as text, without the token, codes or cookie value that its holder has. */
function seal(id: string, payload: AdapterPayload): string {
  const { session, userCode: _, ...rest } = payload;
  const kept = session === undefined ? rest : { ...rest, session: { ...session, cookie: undefined } };
  return JSON.stringify(kept).replaceAll(inJson(id), idMark);
}

/** The reverse of `seal`. Without an id, the payload has empty text in its place. */
export const parsePayload = (text: string, id = ''): AdapterPayload =>
  JSON.parse(text.replaceAll(idMark, inJson(id))) as AdapterPayload;

/**
 * A device code is found by its user code, whose holder must not learn it. What stands for it there is the mark and the
 * digest. No request may bring such a text: the endpoints take tokens of 43 characters alone.
 */
const standInOf = (digest: string): string => `${idMark}${digest}`;
const isStandIn = (id: string): boolean => id.startsWith(idMark);

const digestOf = (model: string, id: string): string =>
  model === 'DeviceCode' && isStandIn(id) ? id.slice(idMark.length) : sha256(id);

/** The row of a payload; of a device code also by what stands for it. */
export const keyOf = (model: string, id: string): Condition<OAuthPayloadRow> =>
  isKey(model, digestOf(model, id));

/** Whether it is a token of a sign-in. A token under a delegation describes the delegation. */
const isOfSignIn = (
  model: string,
  payload: AdapterPayload,
): payload is AdapterPayload & { grantId: string } =>
  model === 'AccessToken' && payload.grantId !== undefined && payload.rar === undefined;

/** So long an expired device code is still known, so that its client is told that it has expired (RFC 8628 section 3.5). */
const knownExpiredSeconds = 600;

/** A request that names its person may be opened again by them: closing a page decides nothing. */
const mayBeOpenedAgain = ({ deviceInfo }: AdapterPayload): boolean =>
  (deviceInfo as { readonly backchannel?: unknown } | undefined)?.backchannel !== undefined;

/** How long a used refresh token gives its client the first answer again. */
export const graceSeconds = 10;

/** The same client used the refresh token at the same moment or just before: nothing ends. */
export class UsedJustNow extends errors.InvalidGrant {
  constructor() {
    super('already used just now');
  }
}

/** `id` is unknown where a session is found by its uid; the payload then lacks it. */
function unseal(row: OAuthPayloadRow, id: string | undefined, nowMs: number): AdapterPayload {
  const payload = parsePayload(row.payload, id);
  if (id === undefined) delete payload.jti;
  // The library would end the family; `consume` decides that instead.
  if (row.consumedAt !== null && !isInGrace(row, nowMs))
    payload.consumed = Math.floor(Date.parse(row.consumedAt) / 1000);
  return payload;
}

const isInGrace = ({ model, consumedAt }: OAuthPayloadRow, nowMs: number): boolean =>
  model === 'RefreshToken' && consumedAt !== null && nowMs - Date.parse(consumedAt) < graceSeconds * 1000;

/**
 * Keeps the library's payloads in one table, under the SHA-256 of their ids: reading the table reveals no token, code
 * or session. A code or refresh token is consumed by one conditional update, so of two requests at the same moment one
 * loses (RFC 6749 section 4.1.2, RFC 9700 section 4.14).
 */
export class PayloadAdapter implements Adapter {
  constructor(
    private readonly model: string,
    private readonly store: PayloadStore,
  ) {}

  async upsert(id: string, payload: AdapterPayload, expiresIn?: number): Promise<void> {
    const row = this.row(id, payload, expiresIn);
    const { model, id: digest, consumedAt: _, userCode: __, ...changes } = row;
    await this.store.database.transaction(async (tx) => {
      if (isOfSignIn(model, payload)) await noteUse(tx, payload.grantId, this.store.clock.now());
      if (isStandIn(id)) await this.requireOpen(tx, isKey(model, digest), payload);
      if ((await tx.update(oauthPayloads, isKey(model, digest), changes)) > 0) return;
      await tx.insert(oauthPayloads, [row]).catch(async (error: unknown) => {
        if (!isDuplicate(error)) throw error;
        await tx.update(oauthPayloads, isKey(model, digest), changes);
      });
    });
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const row = await this.unexpired(this.keyOf(id));
    return row === undefined ? undefined : unseal(row, id, this.store.clock.now());
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const row = await this.unexpired(all(eq('model', this.model), eq('uid', uid)));
    return row === undefined ? undefined : unseal(row, undefined, this.store.clock.now());
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    const row = await this.unexpired(all(eq('model', this.model), eq('userCode', sha256(userCode))));
    if (row === undefined) return undefined;
    const payload = unseal(row, standInOf(row.id), this.store.clock.now());
    if (mayBeOpenedAgain(payload)) delete payload.inFlight;
    return { ...payload, userCode };
  }

  async consume(id: string): Promise<void> {
    const key = this.keyOf(id);
    const now = this.store.clock.now();
    const consumedAt = isoTime(now);
    const lost = await this.store.database.transaction(async (tx) => {
      if ((await tx.update(oauthPayloads, all(key, isNull('consumedAt')), { consumedAt })) > 0)
        return undefined;
      const row = await tx.one(oauthPayloads, key);
      if (row !== undefined && isInGrace(row, now)) return new UsedJustNow();
      // A second use means that someone else has the token: everything of the grant ends, the winner's tokens too.
      if (typeof row?.grantId === 'string') await endGrant(this.store, tx, row.grantId);
      return new errors.InvalidGrant('already used');
    });
    if (lost !== undefined) throw lost;
    const { ctx } = Provider;
    if (ctx !== undefined) usedUp.set(ctx, { key, consumedAt });
  }

  async destroy(id: string): Promise<void> {
    await this.store.database.transaction(async (tx) => {
      await this.ending(tx, this.keyOf(id), id);
      const count = await tx.delete(oauthPayloads, this.keyOf(id));
      if (count > 0 && endsRights.has(this.model)) await this.store.epochBump(tx);
    });
  }

  /** The library calls this once for each model; the first call ends all of them. */
  async revokeByGrantId(grantId: string): Promise<void> {
    await this.store.database.transaction(async (tx) => {
      const count = await tx.delete(oauthPayloads, all(ofGrant(grantId), not(eq('model', 'Grant'))));
      if (count > 0) await this.store.epochBump(tx);
    });
  }

  /** Throws where a payload that was found by its user code must not be changed any more. */
  protected requireOpen(
    _tx: Connection,
    _key: Condition<OAuthPayloadRow>,
    _payload: AdapterPayload,
  ): Promise<void> {
    return Promise.resolve();
  }

  /** Does what belongs to the end of a payload, in its transaction. */
  protected ending(_tx: Connection, _key: Condition<OAuthPayloadRow>, _id: string): Promise<void> {
    return Promise.resolve();
  }

  private keyOf(id: string): Condition<OAuthPayloadRow> {
    return keyOf(this.model, id);
  }

  private async unexpired(condition: Condition<OAuthPayloadRow>): Promise<OAuthPayloadRow | undefined> {
    const now = isoTime(this.store.clock.now());
    const alive = any<OAuthPayloadRow>(isNull('expiresAt'), compare('expiresAt', '>', now));
    return this.store.database.read.one(oauthPayloads, all(condition, alive));
  }

  private kept(expiresIn: number): number {
    return this.model === 'DeviceCode' ? expiresIn + knownExpiredSeconds : expiresIn;
  }

  private row(id: string, payload: AdapterPayload, expiresIn: number | undefined): OAuthPayloadRow {
    return {
      model: this.model,
      id: digestOf(this.model, id),
      grantId: this.model === 'Grant' ? id : (payload.grantId ?? null),
      uid: payload.uid ?? null,
      userCode: payload.userCode === undefined ? null : sha256(payload.userCode),
      accountId: payload.accountId ?? null,
      payload: seal(id, payload),
      expiresAt:
        expiresIn === undefined ? null : isoTime(this.store.clock.now() + this.kept(expiresIn) * 1000),
      consumedAt: null,
    };
  }
}

interface Used {
  readonly key: Condition<OAuthPayloadRow>;
  readonly consumedAt: string;
}

/** The code or refresh token that a request has used up, by request. */
const usedUp = new WeakMap<object, Used>();

/** Makes what a request used up good again. Nothing that came of it may have left the server. */
export async function giveBack({ database }: Pick<PayloadStore, 'database'>, ctx: object): Promise<void> {
  const used = usedUp.get(ctx);
  if (used === undefined) return;
  const { key, consumedAt } = used;
  usedUp.delete(ctx);
  await database.transaction((tx) =>
    tx.update(oauthPayloads, all(key, eq('consumedAt', consumedAt)), { consumedAt: null }),
  );
}

/** Ends a grant and every token issued under it. */
async function endGrant(
  store: Pick<PayloadStore, 'epochBump'>,
  tx: Connection,
  grantId: string,
): Promise<void> {
  const count = await tx.delete(oauthPayloads, ofGrant(grantId));
  if (count > 0) await store.epochBump(tx);
}

/**
 * Whether a code or refresh token is there, used or not. Ending its grant deletes it with everything else of the grant, and
 * this waits for a transaction that does so. So what was saved before a `true` ends with the grant.
 */
export const isThere = (
  { database }: Pick<PayloadStore, 'database'>,
  model: string,
  id: string,
): Promise<boolean> =>
  database.transaction(async (tx) => {
    const row = await tx.one(oauthPayloads, isKey(model, digestOf(model, id)), { lock: 'update' });
    return row !== undefined;
  });

/** Deletes expired rows, which are never returned anyway. Returns how many. */
export function purgeExpired(
  { database, clock }: Pick<PayloadStore, 'database' | 'clock'>,
  signal?: AbortSignal,
): Promise<number> {
  const expired = compare<OAuthPayloadRow>('expiresAt', '<=', isoTime(clock.now()));
  return deleteInBatches(
    database,
    { table: oauthPayloads, key: ['model', 'id'], which: expired, still: expired },
    signal,
  );
}

/**
 * Ends every token of a person, those of their agents included. An agent with an active delegation can get a new one.
 * Sessions stay: they give no access, since every authorization request asks for the password.
 */
export async function endUser(
  store: Pick<PayloadStore, 'epochBump'>,
  tx: Connection,
  userId: string,
): Promise<void> {
  const theirs = all<OAuthPayloadRow>(eq('accountId', userId), not(eq('model', 'Session')));
  const count = await tx.delete(oauthPayloads, theirs);
  if (count > 0) await store.epochBump(tx);
}
