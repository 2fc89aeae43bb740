import { passkeyAcr } from '../../authority/chain.js';
import { isoTime, type Clock } from '../../core/clock.js';
import { eq } from '../../store/sql/condition.js';
import { users, type UserRow } from '../../store/tables/identity.js';
import { deadEndPage, expiredPage } from '../pages/dead-end-page.js';
import type { Fault } from '../pages/page.js';
import { firstPasskeyPage } from '../pages/passkey-pages.js';
import { requireSignIn } from '../step/current-sign-in.js';
import {
  done,
  eventBase,
  loginOf,
  page,
  type Step,
  type StepOutcome,
  type StepRequest,
} from '../step/step.js';
import type { PasskeySignIn, PasskeySignInParts } from './passkey-sign-in.js';

interface PasskeyStepParts extends PasskeySignInParts {
  readonly clock: Clock;
  readonly byPasskey: PasskeySignIn;
}

const unusablePage = deadEndPage(
  409,
  'A passkey is needed',
  'This sign-in needs a passkey, and browsers have none for the address of this server. Tell the operator.',
);

/**
 * A person who is known by a password or a provider uses a passkey as well. Who has none adds the first one here: then the
 * password or the provider vouches for it.
 */
export class Passkey implements Step {
  constructor(private readonly parts: PasskeyStepParts) {}

  async show(request: StepRequest): Promise<StepOutcome> {
    const user = await this.userOf(request);
    if (user === undefined) return page(expiredPage);
    if (!this.parts.passkeys.areUsable) return page(unusablePage);
    return (await this.hasPasskey(user))
      ? this.parts.byPasskey.ask(request)
      : this.askForFirst(request, user);
  }

  async submit(request: StepRequest, form: URLSearchParams): Promise<StepOutcome> {
    const user = await this.userOf(request);
    if (user === undefined) return page(expiredPage);
    if (await this.hasPasskey(user)) return this.parts.byPasskey.finish(request, form);
    const fault = await this.addFirst(request, user, form.get('passkey') ?? '');
    if (fault === undefined)
      return done({ login: { ...request.login, ...loginOf(user.id, user.version, passkeyAcr) } });
    await this.parts.byPasskey.refuse(request, fault, user.id);
    return this.askForFirst(request, user, [{ field: 'passkey', message: 'This passkey was not accepted.' }]);
  }

  private async askForFirst(
    request: StepRequest,
    user: UserRow,
    faults: readonly Fault[] = [],
  ): Promise<StepOutcome> {
    const { database, passkeys } = this.parts;
    const options = await database.transaction((tx) => passkeys.creationOptions(tx, user, request.uid));
    return page(firstPasskeyPage({ ...request, options, faults }));
  }

  /** Why it was not added. The challenge is used up in any case. */
  private addFirst(request: StepRequest, user: UserRow, response: string): Promise<string | undefined> {
    const { database, recorder, passkeys, clock } = this.parts;
    return database.transaction(async (tx) => {
      await requireSignIn(tx, request.signedIn);
      const name = `Added ${isoTime(clock.now()).slice(0, 10)}`;
      const outcome = await passkeys.addFirst(tx, user, request.uid, { name, response });
      if (outcome.kind === 'refused') return outcome.fault;
      await recorder.recordAuthEventIn(tx, {
        ...eventBase(request),
        kind: 'sign_in',
        outcome: 'success',
        userId: user.id,
        detail: 'first passkey',
        changes: outcome.changes,
      });
      return undefined;
    });
  }

  private hasPasskey({ id }: UserRow): Promise<boolean> {
    return this.parts.passkeys.hasAny(this.parts.database.read, id);
  }

  private async userOf({ signedIn }: StepRequest): Promise<UserRow | undefined> {
    if (signedIn === undefined) return undefined;
    const user = await this.parts.database.read.one(users, eq<UserRow>('id', signedIn.userId));
    return user?.status === 'active' ? user : undefined;
  }
}
