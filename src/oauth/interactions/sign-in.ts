import { randomBytes } from 'node:crypto';
import { eq } from '../../store/condition.js';
import type { Database } from '../../store/database.js';
import { users, type UserRow } from '../../store/tables/identity.js';
import type { Attempts } from '../attempts.js';
import { signInPage, tooManyPage } from '../pages/sign-in-pages.js';
import type { Fault, Page } from '../pages/page.js';
import { hashPassword, verifyPassword } from '../../core/passwords.js';
import type { Recorder } from '../ports.js';
import { done, eventBase, loginOf, page, type Step, type StepOutcome, type StepRequest } from './step.js';

export interface SignInParts {
  readonly database: Database;
  readonly recorder: Recorder;
  readonly perAddress: Attempts;
  readonly perAccount: Attempts;
  readonly begun: Attempts;
}

const userNameLengthMax = 100;
/** One sentence for a wrong name, a wrong password and a disabled account: it tells nobody which names exist. */
const wrong: readonly Fault[] = [{ field: 'username', message: 'The user name or the password is wrong.' }];

const show = (request: StepRequest, faults: readonly Fault[], userName?: string): Page =>
  signInPage({ ...request, faults, ...(userName === undefined ? {} : { userName }) });

function missing(userName: string, password: string): readonly Fault[] {
  return [
    ...(userName === '' ? [{ field: 'username', message: 'Enter your user name.' }] : []),
    ...(password === '' ? [{ field: 'password', message: 'Enter your password.' }] : []),
  ];
}

/** The person's user name and password. */
export class SignIn implements Step {
  /** Compared with where there is no such user, so that the answer takes as long. */
  private readonly nobody = hashPassword(randomBytes(24).toString('base64url'));

  constructor(private readonly parts: SignInParts) {}

  show(request: StepRequest): Promise<StepOutcome> {
    return Promise.resolve(page(show(request, [])));
  }

  async submit(request: StepRequest, form: URLSearchParams): Promise<StepOutcome> {
    const userName = (form.get('username') ?? '').trim();
    const password = form.get('password') ?? '';
    const faults = missing(userName, password);
    if (faults.length > 0) return page(show(request, faults, userName));

    const waitSeconds = this.countAttempt(request.address, userName);
    if (waitSeconds > 0) return page(tooManyPage(waitSeconds));

    const user = await this.find(userName);
    const matches = await verifyPassword(password, user?.passwordHash ?? (await this.nobody));
    if (user === undefined || !matches || user.status !== 'active')
      return this.refuse(request, userName, user);
    return this.accept(request, userName, user);
  }

  private async accept(request: StepRequest, userName: string, user: UserRow): Promise<StepOutcome> {
    await this.parts.recorder.recordAuthEvent({
      ...eventBase(request),
      kind: 'sign_in',
      outcome: 'success',
      userId: user.id,
    });
    this.parts.perAddress.forgive(request.address);
    this.parts.perAccount.forgive(userName);
    this.parts.begun.forgive(request.address);
    return done({ login: loginOf(user.id, user.version) });
  }

  /** A name that nobody has is not recorded: it may be a password typed into the wrong field. */
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

  private countAttempt(address: string, userName: string): number {
    const { perAddress, perAccount } = this.parts;
    const waitSeconds = Math.max(perAddress.waitSeconds(address), perAccount.waitSeconds(userName));
    if (waitSeconds === 0) {
      perAddress.count(address);
      perAccount.count(userName);
    }
    return waitSeconds;
  }

  private async find(userName: string): Promise<UserRow | undefined> {
    if (userName.length > userNameLengthMax) return undefined;
    return this.parts.database.read.one(users, eq<UserRow>('name', userName));
  }
}
