import type { Command } from 'commander';
import { assignRole, unassignRole } from '../admin/assignments.js';
import { disableUser, enableUser } from '../admin/users.js';
import type { UserRow } from '../store/tables/identity.js';
import { change, type AsOption, type Deciding } from '../operator/recorded-change.js';
import { findRole, findUser } from '../operator/find-by-name.js';
import { listUsers } from './operator/list-accounts.js';
import { withDatabase } from './operator/with-database.js';
import { command, group, type JsonOption } from './terminal/command.js';
import { answer, clean, columns, paint } from './terminal/output.js';
import { createAccount, giveNewPassword } from './user-create.js';

const asOption = ['--as <user>', 'the person who decides this, as the record will name them'] as const;
const passwordFile = [
  '--password-file <file>',
  'write the password into this new file, for you alone, and do not print it',
] as const;

export const userCommand = (): Command =>
  group(
    'user',
    'people’s accounts',
    command(
      'user create',
      'make an account',
      'rosa.lind --display-name "Rosa Lind" --role support-rep --as admin',
      'admin --admin',
    )
      .argument('<name>', 'what the person types to sign in')
      .option('--display-name <name>', 'the name as people write it (default: the account’s name)')
      .option('--email <address>', 'where the person can be reached')
      .option('--role <role...>', 'roles to assign', [])
      .option('--admin', 'an administrator who may assign what you may; the first one needs no --as')
      .option(...passwordFile)
      .option(...asOption)
      .action(createAccount),
    command('user list', 'who there is', '').action(list),
    command('user disable', 'end an account with its sessions and tokens', 'rosa.lind --as admin')
      .argument('<name>')
      .option(...asOption)
      .action(changing('user disable', 'is disabled: nothing goes on in their name', disableUser)),
    command('user enable', 'let a disabled account be used again', 'rosa.lind --as admin')
      .argument('<name>')
      .option(...asOption)
      .action(
        changing('user enable', 'is enabled', (deciding, user) => enableUser(deciding, deciding.by.id, user)),
      ),
    command(
      'user reset-password',
      'give an account a new password and end its sessions',
      'rosa.lind --as admin',
    )
      .argument('<name>')
      .option(...passwordFile)
      .option(...asOption)
      .action(giveNewPassword),
    command('user assign', 'give a person a role', 'rosa.lind support-rep --as admin')
      .argument('<name>')
      .argument('<role>')
      .option(...asOption)
      .action(assigning('user assign', 'now holds', assignRole)),
    command('user unassign', 'take a role from a person', 'rosa.lind support-rep --as admin')
      .argument('<name>')
      .argument('<role>')
      .option(...asOption)
      .action(assigning('user unassign', 'no longer holds', unassignRole)),
  );

async function list(options: JsonOption): Promise<void> {
  const all = await withDatabase((database) => listUsers(database.read));
  answer(options.json, all, () =>
    columns([
      ['name', 'display name', 'status', 'roles'],
      ...all.map((user) => [clean(user.name), clean(user.displayName), user.status, user.roles.join(', ')]),
    ]),
  );
}

const changing =
  (name: string, outcome: string, work: (deciding: Deciding, user: UserRow) => Promise<void>) =>
  async (userName: string, options: AsOption): Promise<void> => {
    const event = { command: name, as: options.as, detail: { user: userName } };
    await withDatabase((database) =>
      change(database, event, async (deciding) => {
        const user = await findUser(deciding.tx, userName);
        await deciding.require('users:manage', new Map([['person', user.id]]));
        await work(deciding, user);
      }),
    );
    answer(options.json, { name: userName, command: name }, () => `${paint('bold', userName)} ${outcome}.`);
  };

const assigning =
  (name: string, outcome: string, work: typeof assignRole) =>
  async (userName: string, roleName: string, options: AsOption): Promise<void> => {
    const event = { command: name, as: options.as, detail: { user: userName, role: roleName } };
    await withDatabase((database) =>
      change(database, event, async (deciding) => {
        const role = await findRole(deciding.tx, roleName, 'person');
        const user = await findUser(deciding.tx, userName);
        await deciding.require('roles:assign', new Map([['person', user.id]]));
        await work(deciding, deciding.by.id, user, role);
      }),
    );
    answer(
      options.json,
      { name: userName, role: roleName, command: name },
      () => `${paint('bold', userName)} ${outcome} the role ${roleName}.`,
    );
  };
