import { assignRole, unassignRole } from '../admin/assignments.js';
import { disableUser, enableUser } from '../admin/users.js';
import type { UserRow } from '../store/tables/identity.js';
import { change, type AsOption, type Deciding } from '../operator/recorded-change.js';
import { findRole, findUser } from '../operator/find-by-name.js';
import { listUsers } from './operator/list-accounts.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer, clean, columns, paint } from './terminal/output.js';

/** `behalf user list` */
export async function list(options: JsonOption): Promise<void> {
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

/** `behalf user disable` */
export const disable = changing('user disable', 'is disabled: nothing goes on in their name', disableUser);

/** `behalf user enable` */
export const enable = changing('user enable', 'is enabled', (deciding, user) =>
  enableUser(deciding, deciding.by.id, user),
);

/** `behalf user assign` */
export const assign = assigning('user assign', 'now holds', assignRole);

/** `behalf user unassign` */
export const unassign = assigning('user unassign', 'no longer holds', unassignRole);
