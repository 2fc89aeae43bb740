import { clientKeyOf } from '../../core/client-address.js';
import { eq } from '../../store/sql/condition.js';
import type { Database } from '../../store/sql/database.js';
import { users, type UserRow } from '../../store/tables/identity.js';
import type { Guess, PasswordGuesses } from '../throttling/password-guesses.js';
import { busyPage, signInPage } from '../pages/sign-in-pages.js';
import { TooManyChecks, type PasswordChecks } from '../throttling/password-checks.js';
import type { SlowDown } from '../throttling/slow-down.js';
import type { Fault, Page } from '../pages/page.js';
import { hashOfNobody, verifyPassword } from '../../core/passwords.js';
import type { Recorder } from '../contract/dependencies.js';
import { done, eventBase, loginOf, page, type Step, type StepOutcome, type StepRequest } from './step.js';

export interface SignInParts {
  readonly database: Database;
  readonly recorder: Recorder;
  readonly guesses: PasswordGuesses;
  readonly checks: PasswordChecks;
  readonly begun: SlowDown;
}

const userNameLengthMax = 100;
/**
 * One sentence for a wrong name, a wrong password and a disabled account, so that it does not reveal which names exist.
 */
const wrong: readonly Fault[] = [{ field: 'username', message: 'The user name or the password is wrong.' }];

const show = (request: StepRequest, faults: readonly Fault[], userName?: string): Page =>
  signInPage({ ...request, faults, ...(userName === undefined ? {} : { userName }) });

const tooEarly = (request: StepRequest, userName: string, waitSeconds: number): Page => {
  const seconds = `${String(waitSeconds)} ${waitSeconds === 1 ? 'second' : 'seconds'}`;
  const message = `There were too many attempts. Wait ${seconds}, then sign in again.`;
  const faults = [{ field: 'password', message }];
  return signInPage({ ...request, faults, userName, retryAfterSeconds: waitSeconds });
};

function missing(userName: string, password: string): readonly Fault[] {
  return [
    ...(userName === '' ? [{ field: 'username', message: 'Enter your user name.' }] : []),
    ...(password === '' ? [{ field: 'password', message: 'Enter your password.' }] : []),
  ];
}

/** The person's user name and password. */
export class SignIn implements Step {
  /** Verified where there is no such user, so that the answer takes as long. */
  private readonly nobody = hashOfNobody();

  constructor(private readonly parts: SignInParts) {}

  show(request: StepRequest): Promise<StepOutcome> {
    return Promise.resolve(page(show(request, [])));
  }

  async submit(request: StepRequest, form: URLSearchParams): Promise<StepOutcome> {
    const userName = (form.get('username') ?? '').trim();
    const password = form.get('password') ?? '';
    const faults = missing(userName, password);
    if (faults.length > 0) return page(show(request, faults, userName));

    const guess = this.parts.guesses.of({ ...request, userName, signIn: request.action });
    if (guess.waitSeconds > 0) return page(tooEarly(request, userName, guess.waitSeconds));
    guess.count();

    const user = await this.find(userName);
    const matches = await this.verify(guess, password, user);
    if (matches === undefined) return page(busyPage);
    if (user === undefined || !matches || user.status !== 'active')
      return this.refuse(request, userName, user);
    return this.accept(request, guess, user);
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
    return page(show(request, wrong, userName));
  }

  private async find(userName: string): Promise<UserRow | undefined> {
    if (userName.length > userNameLengthMax) return undefined;
    return this.parts.database.read.one(users, eq<UserRow>('name', userName));
  }
}
