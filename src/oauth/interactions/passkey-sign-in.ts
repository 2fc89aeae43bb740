import { eq } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import type { Database } from '../../store/sql/database.js';
import type { UserRow } from '../../store/tables/identity.js';
import { userIdentities, type UserIdentityRow } from '../../store/tables/identity-providers.js';
import type { PasskeyOutcome } from '../../delegation/proven-passkey.js';
import type { Passkeys, Recorder } from '../contract/dependencies.js';
import type { Fault } from '../pages/page.js';
import { passkeySignInPage, secondFactorPage } from '../pages/passkey-pages.js';
import { passkeyAcr } from '../../authority/chain.js';
import { requireSignIn } from '../step/current-sign-in.js';
import { done, eventBase, loginOf, page, type StepOutcome, type StepRequest } from '../step/step.js';
import type { RefusalRecords } from '../throttling/refusal-records.js';

export interface PasskeySignInParts {
  readonly database: Database;
  readonly recorder: Recorder;
  readonly refusals: RefusalRecords;
  readonly passkeys: Passkeys;
  /** The names of those who may sign in without an identity provider. Undefined: everybody whom no provider vouches for. */
  readonly passwordUsers: ReadonlySet<string> | undefined;
}

/** One sentence for every fault, so that it does not reveal which passkeys and accounts exist. */
const notAccepted: readonly Fault[] = [{ field: 'passkey', message: 'This passkey was not accepted.' }];
/** Whoever reads it has proven that the account is theirs. */
const needsProvider: readonly Fault[] = [
  {
    field: 'passkey',
    message: 'You sign in with an identity provider. Choose it among the other ways to sign in.',
  },
];

/** A passkey as the only factor, or as the second one of a person who is known already. */
export class PasskeySignIn {
  constructor(private readonly parts: PasskeySignInParts) {}

  get isOffered(): boolean {
    return this.parts.passkeys.areUsable;
  }

  async ask(request: StepRequest, faults: readonly Fault[] = []): Promise<StepOutcome> {
    const { database, passkeys } = this.parts;
    const userId = request.signedIn?.userId;
    const options = await database.transaction((tx) => passkeys.requestOptions(tx, request.uid, userId));
    const at = { ...request, options, faults };
    return page(userId === undefined ? passkeySignInPage(at) : secondFactorPage(at));
  }

  async finish(request: StepRequest, form: URLSearchParams): Promise<StepOutcome> {
    const outcome = await this.check(request, form.get('passkey') ?? '');
    if (outcome.kind === 'user') {
      const { id, version } = outcome.user;
      const earlier = request.login ?? { byPasskey: true };
      return done({ login: { ...earlier, ...loginOf(id, version, passkeyAcr) } });
    }
    await this.refuse(request, outcome.fault, outcome.userId);
    return this.ask(request, outcome.fault === 'provider_needed' ? needsProvider : notAccepted);
  }

  async refuse(request: StepRequest, fault: string, userId?: string): Promise<void> {
    await this.parts.refusals.record({
      ...eventBase(request),
      kind: 'sign_in',
      outcome: 'refused',
      errorCode: 'invalid_passkey',
      detail: fault,
      ...(userId === undefined ? {} : { userId }),
    });
  }

  /** The use of the passkey and the record of the sign-in commit together. */
  private check(request: StepRequest, response: string): Promise<PasskeyOutcome> {
    const { database, recorder, passkeys } = this.parts;
    const { signedIn } = request;
    return database.transaction(async (tx) => {
      if (signedIn !== undefined) await requireSignIn(tx, signedIn);
      const outcome = await passkeys.signIn(tx, request.uid, response, signedIn?.userId);
      if (outcome.kind !== 'user') return outcome;
      const { user } = outcome;
      if (signedIn === undefined && !(await this.mayComeWithoutProvider(tx, user)))
        return { kind: 'refused', fault: 'provider_needed', userId: user.id };
      await recorder.recordAuthEventIn(tx, {
        ...eventBase(request),
        kind: 'sign_in',
        outcome: 'success',
        userId: user.id,
        detail: 'passkey',
        changes: outcome.changes,
      });
      return outcome;
    });
  }

  /**
   * A provider takes roles away at each sign-in, and no longer signs in who has left. A passkey alone would go around both.
   */
  private async mayComeWithoutProvider(tx: Connection, { id, name }: UserRow): Promise<boolean> {
    const { passwordUsers } = this.parts;
    if (passwordUsers !== undefined) return passwordUsers.has(name);
    return (await tx.one(userIdentities, eq<UserIdentityRow>('userId', id))) === undefined;
  }
}
