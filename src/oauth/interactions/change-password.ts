import { all, eq } from '../../store/sql/condition.js';
import { users, type UserRow } from '../../store/tables/identity.js';
import { endUser, type PayloadStore } from '../library/payload-adapter.js';
import { expiredPage } from '../pages/dead-end-page.js';
import type { Fault } from '../pages/page.js';
import { changePasswordPage } from '../pages/sign-in-pages.js';
import { newPasswordFault } from '../../core/new-passwords.js';
import { hashPassword, verifyPassword } from '../../core/passwords.js';
import type { PasswordChecks } from '../throttling/password-checks.js';
import type { Recorder } from '../contract/dependencies.js';
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

interface ChangePasswordParts {
  readonly store: PayloadStore;
  readonly recorder: Recorder;
  readonly checks: PasswordChecks;
}

function faultsOf(password: string, repeated: string, user: UserRow): readonly Fault[] {
  const fault = newPasswordFault(password, user);
  if (fault !== undefined) return [{ field: 'new-password', message: fault }];
  if (password === repeated) return [];
  return [{ field: 'repeat-password', message: 'The two passwords are not the same.' }];
}

/** The person replaces a password that someone else set, before the sign-in goes on. */
export class ChangePassword implements Step {
  constructor(private readonly parts: ChangePasswordParts) {}

  async show(request: StepRequest): Promise<StepOutcome> {
    const user = await this.userOf(request);
    return page(
      user === undefined ? expiredPage : changePasswordPage({ ...request, userName: user.name, faults: [] }),
    );
  }

  async submit(request: StepRequest, form: URLSearchParams): Promise<StepOutcome> {
    const user = await this.userOf(request);
    if (user === undefined) return page(expiredPage);
    const password = form.get('new-password') ?? '';
    let faults = faultsOf(password, form.get('repeat-password') ?? '', user);
    if (
      faults.length === 0 &&
      (await this.parts.checks.run(true, () => verifyPassword(password, user.passwordHash)))
    ) {
      faults = [{ field: 'new-password', message: 'Choose a password other than the present one.' }];
    }
    if (faults.length > 0) return page(changePasswordPage({ ...request, userName: user.name, faults }));
    const isChanged = await this.change(
      request,
      user,
      await this.parts.checks.run(true, () => hashPassword(password)),
    );
    if (!isChanged) return page(expiredPage);
    return done({
      password: { changed: true },
      login: loginOf(user.id, user.version + 1, request.login?.acr),
    });
  }

  /**
   * Ends every other sign-in too, unfinished ones included. False where the account changed meanwhile: the newer state
   * wins.
   */
  private change(request: StepRequest, user: UserRow, passwordHash: string): Promise<boolean> {
    const { store, recorder } = this.parts;
    return store.database.transaction(async (tx) => {
      await requireSignIn(tx, request.signedIn);
      const asRead = all(eq<UserRow>('id', user.id), eq<UserRow>('version', user.version));
      const changes = { passwordHash, mustChangePassword: false, version: user.version + 1 };
      if ((await tx.update(users, asRead, changes)) === 0) return false;
      await endUser(store, tx, user.id);
      await recorder.recordAuthEventIn(tx, {
        ...eventBase(request),
        kind: 'password_change',
        outcome: 'success',
        userId: user.id,
      });
      return true;
    });
  }

  private async userOf(request: StepRequest): Promise<UserRow | undefined> {
    if (request.signedIn === undefined) return undefined;
    const active = all(eq<UserRow>('id', request.signedIn.userId), eq<UserRow>('status', 'active'));
    return this.parts.store.database.read.one(users, active);
  }
}
