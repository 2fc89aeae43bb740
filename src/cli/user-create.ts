import { requireAdministrator } from '../admin/administrators.js';
import { assignRole, setGrantable } from '../admin/assignments.js';
import { createFirstAdministrator } from '../admin/bootstrap.js';
import { grantableOf } from '../admin/grantable-roles.js';
import { administratorRole } from '../admin/shipped-roles.js';
import { createUser, resetPassword, type NewUser } from '../admin/users.js';
import { BehalfError } from '../core/errors.js';
import { bumpEpoch } from '../delegation/authority-epoch.js';
import type { Connection } from '../store/sql/connection.js';
import type { Database } from '../store/sql/database.js';
import type { UserRow } from '../store/tables/identity.js';
import { change, changeAlone, type AsOption } from '../operator/recorded-change.js';
import { findRole, findUser } from '../operator/find-by-name.js';
import { withDatabase } from './operator/with-database.js';
import { CommandError } from '../core/command-error.js';
import { answer, paint } from './terminal/output.js';
import { handingOver } from './terminal/secret-file.js';

export interface CreateOptions extends AsOption {
  readonly displayName?: string;
  readonly email?: string;
  readonly admin?: boolean;
  readonly role: readonly string[];
  readonly passwordFile?: string;
}
export interface ResetOptions extends AsOption {
  readonly passwordFile?: string;
}

interface Created {
  readonly user: UserRow;
  readonly password: string;
}

/** `behalf user create` */
export async function createAccount(name: string, options: CreateOptions): Promise<void> {
  const { displayName = name, email } = options;
  const input: NewUser = { name, displayName, ...(email === undefined ? {} : { email }) };
  const handed = await handingOver('password', options.passwordFile, (keep) =>
    withDatabase(async (database) => {
      const make = options.as === undefined ? createFirst : createAs;
      await make(database, input, options, keep);
    }),
  );
  answer(options.json, { name, mustChangePassword: true, ...handed.json }, () => [
    `${paint('bold', name)} can sign in, and chooses a new password then.`,
    handed.text,
  ]);
}

type Keep = (password: string) => void;

async function createFirst(
  database: Database,
  input: NewUser,
  options: CreateOptions,
  keep: Keep,
): Promise<void> {
  const event = { command: 'user create', detail: { user: input.name, first: true } };
  await changeAlone(database, event, async (unit) => {
    // One at a time, or two could both be the first.
    await bumpEpoch(unit.tx);
    if (await hasAdministrator(unit.tx)) {
      throw new CommandError('Name the person who decides this: `--as USER`.');
    }
    if (options.admin !== true || options.role.length > 0) {
      throw new CommandError(
        'There is no administrator who could decide this. Make one: `behalf user create NAME --admin`.',
      );
    }
    keep((await createFirstAdministrator(unit, input)).password);
  });
}

async function createAs(
  database: Database,
  input: NewUser,
  options: CreateOptions,
  keep: Keep,
): Promise<void> {
  const roleNames = [...options.role, ...(options.admin === true ? [administratorRole] : [])];
  const event = { command: 'user create', as: options.as, detail: { user: input.name, roles: roleNames } };
  await change(database, event, async (deciding) => {
    const created: Created = await createUser(deciding, input);
    const place = new Map([['person', created.user.id]]);
    await deciding.require('users:manage', place);
    if (roleNames.length > 0) await deciding.require('roles:assign', place);
    for (const name of roleNames) {
      await assignRole(deciding, deciding.by.id, created.user, await findRole(deciding.tx, name, 'person'));
    }
    if (options.admin === true) {
      const mine = await grantableOf(deciding.tx, deciding.by.id);
      await setGrantable(deciding, deciding.by.id, created.user, mine);
    }
    keep(created.password);
  });
}

function hasAdministrator(tx: Connection): Promise<boolean> {
  return requireAdministrator(tx).then(
    () => true,
    (error: unknown) => {
      if (error instanceof BehalfError) return false;
      throw error;
    },
  );
}

/** `behalf user reset-password` */
export async function giveNewPassword(name: string, options: ResetOptions): Promise<void> {
  const event = { command: 'user reset-password', as: options.as, detail: { user: name } };
  const handed = await handingOver('password', options.passwordFile, (keep) =>
    withDatabase((database) =>
      change(database, event, async (deciding) => {
        const user = await findUser(deciding.tx, name);
        await deciding.require('users:manage', new Map([['person', user.id]]));
        keep(await resetPassword(deciding, deciding.by.id, user));
      }),
    ),
  );
  answer(options.json, { name, mustChangePassword: true, ...handed.json }, () => [
    `${paint('bold', name)} signs in with the new password once, and chooses another then.`,
    handed.text,
  ]);
}
