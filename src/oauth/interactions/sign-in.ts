import { clientKeyOf } from '../../core/client-address.js';
import { eq } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import { users, type UserRow } from '../../store/tables/identity.js';
import type { Guess, PasswordGuesses } from '../throttling/password-guesses.js';
import { busyPage, signInPage } from '../pages/sign-in-pages.js';
import { TooManyChecks, type PasswordChecks } from '../throttling/password-checks.js';
import type { SlowDown } from '../throttling/slow-down.js';
import type { Fault } from '../pages/page.js';
import { hashOfNobody, verifyPassword } from '../../core/passwords.js';
import type { Recorder } from '../contract/dependencies.js';
import type { KnownProviders } from '../identity-providers/known-providers.js';
import type { ProviderSignIn } from '../identity-providers/provider-sign-in.js';
import type { PasskeySignIn } from './passkey-sign-in.js';
import {
  done,
  eventBase,
  loginOf,
  page,
  type Step,
  type StepOutcome,
  type StepRequest,
} from '../step/step.js';

interface SignInParts {
  readonly database: Database;
  readonly recorder: Recorder;
  readonly guesses: PasswordGuesses;
  readonly checks: PasswordChecks;
  readonly begun: SlowDown;
  readonly providers: KnownProviders;
  readonly byProvider: ProviderSignIn;
  readonly byPasskey: PasskeySignIn;
  /** The names of those who may sign in with a password. Undefined: everybody. */
  readonly passwordUsers: ReadonlySet<string> | undefined;
}

const userNameLengthMax = 100;
/**
 * One sentence for a wrong name, a wrong password and a disabled account, so that it does not reveal which names exist.
 */
const wrong: readonly Fault[] = [{ field: 'username', message: 'The user name or the password is wrong.' }];

function tooEarly(waitSeconds: number): readonly Fault[] {
  const seconds = `${String(waitSeconds)} ${waitSeconds === 1 ? 'second' : 'seconds'}`;
  return [
    { field: 'password', message: `There were too many attempts. Wait ${seconds}, then sign in again.` },
  ];
}

function missing(userName: string, password: string): readonly Fault[] {
  return [
    ...(userName === '' ? [{ field: 'username', message: 'Enter your user name.' }] : []),
    ...(password === '' ? [{ field: 'password', message: 'Enter your password.' }] : []),
  ];
}

/** The person's user name and password, a passkey, or the answer of an identity provider. */
export class SignIn implements Step {
  /** Verified where there is no such user, so that the answer takes as long. */
  private readonly nobody = hashOfNobody();

  constructor(private readonly parts: SignInParts) {}

  async show(request: StepRequest): Promise<StepOutcome> {
    const { byProvider, byPasskey } = this.parts;
    if (request.query.has('passkey') && byPasskey.isOffered) return byPasskey.ask(request);
    const chosen = request.query.get('provider');
    if (request.query.has('state')) {
      const outcome = await byProvider.finish(request, request.query);
      if (outcome.kind === 'done') this.parts.begun.forgive(clientKeyOf(request.address));
      return outcome;
    }
    return chosen === null ? this.page(request, { faults: [] }) : byProvider.begin(request, chosen);
  }

  async submit(request: StepRequest, form: URLSearchParams): Promise<StepOutcome> {
    if (form.get('action') === 'passkey') return this.finishPasskey(request, form);
    const userName = (form.get('username') ?? '').trim();
    const password = form.get('password') ?? '';
    const faults = missing(userName, password);
    if (faults.length > 0) return this.page(request, { faults, userName });

    const guess = this.parts.guesses.of({ ...request, userName, signIn: request.action });
    const { waitSeconds } = guess;
    if (waitSeconds > 0)
      return this.page(request, { faults: tooEarly(waitSeconds), userName, retryAfterSeconds: waitSeconds });
    guess.count();

    const user = await this.find(userName);
    const matches = await this.verify(guess, password, user);
    if (matches === undefined) return page(busyPage);
    const mayUsePassword = this.parts.passwordUsers?.has(userName) !== false;
    if (user === undefined || !matches || user.status !== 'active' || !mayUsePassword)
      return this.refuse(request, userName, user);
    return this.accept(request, guess, user);
  }

  private async finishPasskey(request: StepRequest, form: URLSearchParams): Promise<StepOutcome> {
    const { byPasskey, begun } = this.parts;
    if (!byPasskey.isOffered) return this.page(request, { faults: [] });
    const outcome = await byPasskey.finish(request, form);
    if (outcome.kind === 'done') begun.forgive(clientKeyOf(request.address));
    return outcome;
  }

  private async page(
    request: StepRequest,
    form: Pick<Parameters<typeof signInPage>[0], 'faults' | 'userName' | 'retryAfterSeconds'>,
  ): Promise<StepOutcome> {
    const { providers, byPasskey } = this.parts;
    const hasPasskeys = byPasskey.isOffered;
    return page(signInPage({ ...request, ...form, hasPasskeys, providers: await providers.list() }));
  }

  /** Undefined where the password could not be checked. */
  private async verify(
    guess: Guess,
    password: string,
    user: UserRow | undefined,
  ): Promise<boolean | undefined> {
    const hash = user?.passwordHash ?? this.nobody;
    try {
      return await this.parts.checks.run(guess.isKnown, () => verifyPassword(password, hash));
    } catch (error) {
      if (!(error instanceof TooManyChecks)) throw error;
      guess.forgive();
      return undefined;
    }
  }

  private async accept(request: StepRequest, guess: Guess, user: UserRow): Promise<StepOutcome> {
    await this.parts.recorder.recordAuthEvent({
      ...eventBase(request),
      kind: 'sign_in',
      outcome: 'success',
      userId: user.id,
    });
    this.parts.begun.forgive(clientKeyOf(request.address));
    return done({ login: loginOf(user.id, user.version) }, guess.succeeded());
  }

  /** A name that no user has is not recorded: it may be a password typed into the wrong field. */
  private async refuse(
    request: StepRequest,
    userName: string,
    user: UserRow | undefined,
  ): Promise<StepOutcome> {
    await this.parts.recorder.recordAuthEvent({
      ...eventBase(request),
      kind: 'sign_in',
      outcome: 'refused',
      errorCode: 'invalid_credentials',
      ...(user === undefined ? {} : { userId: user.id }),
    });
    return this.page(request, { faults: wrong, userName });
  }

  private async find(userName: string): Promise<UserRow | undefined> {
    if (userName.length > userNameLengthMax) return undefined;
    return this.parts.database.read.one(users, eq<UserRow>('name', userName));
  }
}
