import { Trail } from '../audit/trail.js';
import { visibleLine } from '../core/checked-text.js';
import { isoTime, type Clock } from '../core/clock.js';
import { sha256 } from '../core/digest.js';
import { BehalfError, conflict } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import type { PasskeyFault, PasskeyOutcome } from '../delegation/proven-passkey.js';
import { eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { users, type UserRow } from '../store/tables/identity.js';
import { passkeys, type PasskeyRow } from '../store/tables/passkeys.js';
import { challengeSeconds, PasskeyChallenges } from './passkey-challenges.js';
import { add, store, type UnitOfWork } from './unit-of-work.js';
import {
  algorithms,
  parseAssertion,
  PasskeyRefused,
  relyingPartyOf,
  userHandleOf,
  verifyAssertion,
  verifyCreation,
  type RelyingParty,
} from './webauthn.js';

/** The most passkeys of one person. */
const passkeysMax = 20;

const timeout = challengeSeconds * 1000;

/**
 * Adds passkeys and signs people in with them. A session has one challenge for each ceremony at a time. All passkeys are
 * discoverable and verify their user, so a person can sign in without saying who they are.
 */
export class Passkeys {
  private readonly party: RelyingParty | undefined;
  private readonly challenges: PasskeyChallenges;

  constructor(
    private readonly clock: Clock,
    private readonly ids: Ids,
    publicUrl: string,
  ) {
    this.party = relyingPartyOf(publicUrl);
    this.challenges = new PasskeyChallenges(clock);
  }

  /** Whether browsers have passkeys for the server's public URL. */
  get areUsable(): boolean {
    return this.party !== undefined;
  }

  /** A `PublicKeyCredentialCreationOptionsJSON`, as text. */
  async creationOptions(tx: Connection, user: UserRow, session: string): Promise<string> {
    const { id } = this.requireParty();
    const challenge = await this.challenges.begin(tx, { ceremony: 'create', session, userId: user.id });
    return JSON.stringify({
      rp: { id, name: 'Behalf' },
      user: { id: userHandleOf(user.id), name: user.name, displayName: user.displayName },
      challenge,
      pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
      timeout,
      excludeCredentials: (await passkeysOf(tx, user.id)).map(describe),
      authenticatorSelection: {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
      },
      attestation: 'none',
    });
  }

  /** Adds the passkey that a browser has made for this session. Throws `PasskeyRefused`. */
  async add(
    unit: UnitOfWork,
    user: UserRow,
    session: string,
    { name, response }: { readonly name: string; readonly response: string },
  ): Promise<PasskeyRow> {
    const label = visibleLine(name, 100, 'name');
    const owner = { ceremony: 'create', session, userId: user.id } as const;
    const challenge = await this.challenges.take(unit.tx, owner);
    if (challenge === undefined) throw new PasskeyRefused('no_challenge');
    const { credentialId, ...made } = await verifyCreation(this.requireParty(), challenge, response);
    if ((await passkeysOf(unit.tx, user.id)).length >= passkeysMax) throw new PasskeyRefused('too_many');
    const credentialDigest = sha256(credentialId);
    const row: PasskeyRow = {
      id: this.ids.next(),
      userId: user.id,
      name: label,
      credentialDigest,
      credentialId,
      ...made,
      createdAt: isoTime(this.clock.now()),
      lastUsedAt: null,
      version: 1,
    };
    if ((await unit.tx.one(passkeys, eq<PasskeyRow>('credentialDigest', credentialDigest))) !== undefined)
      throw new PasskeyRefused('already_added');
    await add(unit, passkeys, row, 'This passkey was added already.');
    return row;
  }

  /** Adds the first passkey of a person whom the caller has locked. The challenge is used up whatever comes of it. */
  async addFirst(
    tx: Connection,
    user: UserRow,
    session: string,
    made: { readonly name: string; readonly response: string },
  ): Promise<PasskeyOutcome> {
    const unit: UnitOfWork = { tx, clock: this.clock, ids: this.ids, trail: new Trail() };
    if (await this.hasAny(tx, user.id)) return refused('already_added', user.id);
    try {
      await this.add(unit, user, session, made);
      return { kind: 'user', user, changes: unit.trail.changes };
    } catch (error) {
      if (error instanceof PasskeyRefused) return refused(error.fault, user.id);
      throw error;
    }
  }

  async hasAny(tx: Connection, userId: string): Promise<boolean> {
    return (await tx.one(passkeys, eq<PasskeyRow>('userId', userId))) !== undefined;
  }

  /**
   * A `PublicKeyCredentialRequestOptionsJSON`, as text.
   * @param userId who has proven a password or come from a provider. Without it, any person may answer, and the options
   *   name no passkey.
   */
  async requestOptions(tx: Connection, session: string, userId?: string): Promise<string> {
    const { id } = this.requireParty();
    const challenge = await this.challenges.begin(tx, { ceremony: 'get', session, ...known(userId) });
    const own = userId === undefined ? [] : await passkeysOf(tx, userId);
    return JSON.stringify({
      challenge,
      timeout,
      rpId: id,
      allowCredentials: own.map(describe),
      userVerification: 'required',
    });
  }

  /** Takes the answer to a challenge of this session, through `tx` alone. The challenge is used up whatever comes of it. */
  async signIn(tx: Connection, session: string, response: string, userId?: string): Promise<PasskeyOutcome> {
    const challenge = await this.challenges.take(tx, { ceremony: 'get', session, ...known(userId) });
    if (challenge === undefined) return refused('no_challenge');
    let row: PasskeyRow | undefined;
    try {
      const assertion = parseAssertion(response);
      row = await tx.one(passkeys, eq<PasskeyRow>('credentialDigest', sha256(assertion.id)), {
        lock: 'update',
      });
      if (row === undefined) return refused('unknown_credential');
      if (userId !== undefined && row.userId !== userId) return refused('wrong_person', row.userId);
      const { userHandle } = assertion.response;
      // Only a passkey that was asked for by its id may leave the handle out (WebAuthn section 7.2, step 6).
      if (userHandle !== userHandleOf(row.userId) && (userId === undefined || typeof userHandle === 'string'))
        return refused('wrong_person', row.userId);
      const signCount = await verifyAssertion(this.requireParty(), challenge, assertion, row);
      const user = await tx.one(users, eq<UserRow>('id', row.userId), { lock: 'update' });
      if (user?.status !== 'active') return refused('disabled', row.userId);
      const unit: UnitOfWork = { tx, clock: this.clock, ids: this.ids, trail: new Trail() };
      await store(unit, passkeys, row, { signCount, lastUsedAt: isoTime(this.clock.now()) });
      return { kind: 'user', user, changes: unit.trail.changes };
    } catch (error) {
      if (error instanceof PasskeyRefused) return refused(error.fault, row?.userId);
      throw error;
    }
  }

  private requireParty(): RelyingParty {
    if (this.party !== undefined) return this.party;
    throw new BehalfError('CONFLICT', 'Browsers have no passkeys for the address of this server.', {
      hint: 'The operator sets BEHALF_PUBLIC_URL to an https URL with a host name, or to http://localhost.',
    });
  }
}

export const passkeysOf = (tx: Connection, userId: string): Promise<PasskeyRow[]> =>
  tx.select(passkeys, eq('userId', userId), { order: [{ column: 'id', direction: 'asc' }] });

const describe = ({ credentialId, transports }: PasskeyRow) => ({
  type: 'public-key',
  id: credentialId,
  transports,
});

const known = (userId: string | undefined): { readonly userId?: string } =>
  userId === undefined ? {} : { userId };

const refused = (fault: PasskeyFault, userId?: string): PasskeyOutcome => ({
  kind: 'refused',
  fault,
  ...known(userId),
});

/** A refusal to add a passkey, for the person who adds it. */
export function tellRefusal({ fault }: PasskeyRefused): BehalfError {
  switch (fault) {
    case 'no_challenge':
      return conflict('This passkey was made too late, or sent before. Begin again.');
    case 'already_added':
      return conflict('This passkey was added already.');
    case 'too_many':
      return conflict(`One person may have ${String(passkeysMax)} passkeys. Remove one that is not in use.`);
    default:
      return new BehalfError('BAD_USER_INPUT', 'This passkey was not accepted.', {
        path: 'response',
        hint: 'Begin again in a browser, on a page of this server.',
      });
  }
}
