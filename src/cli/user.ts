import type { Command } from 'commander';
import { requireAdministrator } from '../admin/administrators.js';
import { assignRole, setGrantable, unassignRole } from '../admin/assignments.js';
import { createFirstAdministrator } from '../admin/bootstrap.js';
import { grantableOf, requireGrantable } from '../admin/grantable.js';
import { administratorRole } from '../admin/shipped-roles.js';
import { createUser, disableUser, enableUser, resetPassword, type NewUser } from '../admin/users.js';
import { BehalfError } from '../core/errors.js';
import { bumpEpoch } from '../delegation/epoch.js';
import { eq, isIn } from '../store/condition.js';
import type { Connection } from '../store/connection.js';
import { roles, userRoles, users, type RoleRow, type UserRow } from '../store/tables/identity.js';
import { change, changeAlone, type Deciding } from './operator/change.js';
import { findRole, findUser } from './operator/find.js';
import { listUsers } from './operator/lists.js';
import { withDatabase } from './operator/session.js';
import { command, group, type JsonOption } from './terminal/command.js';
import { CommandError } from './terminal/errors.js';
import { answer, clean, columns, paint } from './terminal/output.js';
import { handOver } from './terminal/secret-file.js';

interface AsOption extends JsonOption {
  readonly as?: string;
}
interface CreateOptions extends AsOption {
  readonly displayName?: string;
  readonly email?: string;
  readonly admin?: boolean;
  readonly role: readonly string[];
  readonly passwordFile?: string;
}
interface ResetOptions extends AsOption {
  readonly passwordFile?: string;
}

const asOption = ['--as <user>', 'the person who decides this, as the record will name them'] as const;
const at = (user: Pick<UserRow, 'id'>): ReadonlyMap<string, string> => new Map([['person', user.id]]);

export const userCommand = (): Command =>
  group(
    'user',
    'People’s accounts',
    command('user create', 'make an account', 'rosa --display-name "Rosa Lind" --role support-rep --as admin', 'admin --admin')
      .argument('<name>', 'what the person types to sign in')
      .option('--display-name <name>', 'the name as people write it; the account’s name unless said')
      .option('--email <address>', 'where the person can be reached')
      .option('--role <role...>', 'roles to assign', [])
      .option('--admin', 'an administrator who may assign what you may; the first one needs no --as')
      .option('--password-file <file>', 'write the password into this new file, for you alone, and do not print it')
      .option(...asOption)
      .action(create),
    command('user list', 'who there is', '').action(list),
    command('user disable', 'end an account with its sessions and tokens', 'rosa --as admin')
      .argument('<name>')
      .option(...asOption)
      .action(changing('user disable', 'users:manage', 'is disabled: no session, token or agent of theirs goes on', disableUser)),
    command('user enable', 'let a disabled account be used again', 'rosa --as admin')
      .argument('<name>')
      .option(...asOption)
      .action(changing('user enable', 'users:manage', 'is enabled', enableUser)),
    command('user reset-password', 'give an account a new password and end its sessions', 'rosa --as admin')
      .argument('<name>')
      .option('--password-file <file>', 'write the password into this new file, for you alone, and do not print it')
      .option(...asOption)
      .action(reset),
    command('user assign', 'give a person a role', 'rosa support-rep --as admin')
      .argument('<name>')
      .argument('<role>')
      .option(...asOption)
      .action(assigning('user assign', 'now holds', assignRole)),
    command('user unassign', 'take a role from a person', 'rosa support-rep --as admin')
      .argument('<name>')
      .argument('<role>')
      .option(...asOption)
      .action(assigning('user unassign', 'no longer holds', unassignRole)),
  );

async function create(name: string, options: CreateOptions): Promise<void> {
  const { displayName = name, email, passwordFile } = options;
  const input: NewUser = { name, displayName, ...(email === undefined ? {} : { email }) };
  await withDatabase(async (database) => {
    const detail = { user: name };
    const created =
      options.as === undefined
        ? await changeAlone(database, { command: 'user create', detail }, async (work) => {
            // One at a time, or two could both be the first.
            await bumpEpoch(work.tx);
            await requireNobody(work.tx, options);
            return createFirstAdministrator(work, input);
          })
        : await change(database, { command: 'user create', as: options.as, detail }, async (deciding) =>
            createAs(deciding, input, options),
          );
    const secret = handOver(created.password, passwordFile);
    const { id } = created.user;
    answer(options.json, { id, name, mustChangePassword: true, password: secret.value, passwordFile }, () => [
      `${paint('bold', name)} can sign in, and chooses a new password then.`,
      `Password: ${secret.told}`,
    ]);
  });
}

/** Without `--as` there may be nobody who could decide, and then only an administrator can be made. */
async function requireNobody(tx: Connection, { admin, role }: CreateOptions): Promise<void> {
  const hasAdministrator = await requireAdministrator(tx).then(
    () => true,
    (error: unknown) => {
      if (error instanceof BehalfError) return false;
      throw error;
    },
  );
  if (hasAdministrator) throw new CommandError('Name the person who decides this: `--as USER`.');
  if (admin === true && role.length === 0) return;
  throw new CommandError('There is no administrator yet. Make one first: `behalf user create NAME --admin`.');
}

async function createAs(deciding: Deciding, input: NewUser, options: CreateOptions) {
  const created = await createUser(deciding, input);
  await deciding.require('users:manage', at(created.user));
  const names = [...options.role, ...(options.admin === true ? [administratorRole] : [])];
  if (names.length > 0) await deciding.require('roles:assign', at(created.user));
  for (const name of names) {
    await assignRole(deciding, deciding.by.id, created.user, await findRole(deciding.tx, name, 'person'));
  }
  if (options.admin === true) {
    await setGrantable(deciding, deciding.by.id, created.user, await grantableOf(deciding.tx, deciding.by.id));
  }
  return created;
}

async function list(options: JsonOption): Promise<void> {
  const all = await withDatabase((database) => listUsers(database.read));
  answer(options.json, all, () =>
    columns([
      ['name', 'display name', 'status', 'roles'],
      ...all.map((user) => [clean(user.name), clean(user.displayName), user.status, user.roles.join(', ')]),
    ]),
  );
}

function changing(
  name: string,
  scope: string,
  outcome: string,
  work: (deciding: Deciding, user: UserRow) => Promise<void>,
) {
  return (userName: string, options: AsOption): Promise<void> =>
    withDatabase(async (database) => {
      const asked = { command: name, as: options.as, detail: { user: userName } };
      await change(database, asked, async (deciding) => {
        const user = await findUser(deciding.tx, userName);
        await deciding.require(scope, at(user));
        await work(deciding, user);
      });
      answer(options.json, { name: userName, done: name }, () => `${paint('bold', userName)} ${outcome}.`);
    });
}

async function reset(name: string, options: ResetOptions): Promise<void> {
  await withDatabase(async (database) => {
    const asked = { command: 'user reset-password', as: options.as, detail: { user: name } };
    const password = await change(database, asked, async (deciding) => {
      const user = await findUser(deciding.tx, name);
      await deciding.require('users:manage', at(user));
      // Whoever sets a password could sign in with it: so no one for whom that would be a gain.
      const held = [...(await rolesOf(deciding.tx, user)), ...(await grantableOf(deciding.tx, user.id))];
      await requireGrantable(deciding.tx, deciding.by.id, held);
      return resetPassword(deciding, user);
    });
    const secret = handOver(password, options.passwordFile);
    answer(options.json, { name, password: secret.value, passwordFile: options.passwordFile }, () => [
      `${paint('bold', name)} signs in with the new password once, and chooses another then.`,
      `Password: ${secret.told}`,
    ]);
  });
}

async function rolesOf(tx: Connection, user: UserRow): Promise<RoleRow[]> {
  const held = await tx.select(userRoles, eq('userId', user.id));
  const ids = held.map((row) => row.roleId);
  return tx.select(roles, isIn<RoleRow>('id', ids));
}

function assigning(name: string, outcome: string, work: typeof assignRole) {
  return (userName: string, roleName: string, options: AsOption): Promise<void> =>
    withDatabase(async (database) => {
      const detail = { user: userName, role: roleName };
      await change(database, { command: name, as: options.as, detail }, async (deciding) => {
        const role = await findRole(deciding.tx, roleName, 'person');
        const user = await findUser(deciding.tx, userName);
        await deciding.require('roles:assign', at(user));
        await work(deciding, deciding.by.id, user, role);
      });
      answer(options.json, { name: userName, role: roleName, done: name }, () =>
        `${paint('bold', userName)} ${outcome} the role ${roleName}.`,
      );
    });
}
