import { linkIdentity, removeProvider, unlinkIdentity } from '../admin/identity-providers.js';
import { mapGroup, unmapGroup } from '../admin/provided-roles.js';
import { findProvider, findRole, findUser } from '../operator/find-by-name.js';
import { change, type AsOption } from '../operator/recorded-change.js';
import { listProviders } from './operator/list-providers.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer, clean, columns, paint } from './terminal/output.js';

/** `behalf provider list` */
export async function list(options: JsonOption): Promise<void> {
  const all = await withDatabase((database) => listProviders(database.read));
  answer(options.json, all, () => [
    ...columns([
      ['name', 'issuer', 'client id', 'creates accounts', 'signals', 'people'],
      ...all.map((provider) => [
        ...[provider.name, clean(provider.issuer), clean(provider.clientId)],
        ...[provider.mayCreateUsers ? 'yes' : 'no', provider.signals === null ? 'no' : 'yes'],
        String(provider.people),
      ]),
    ]),
    ...all.flatMap(({ name, groups }) =>
      groups.map(({ group, role, inForce }) =>
        inForce
          ? `${name}: ${clean(group)} gives ${role}`
          : `${name}: ${clean(group)} gives ${role} no more, because its administrator cannot grant it. Remove the entry, and map the group again.`,
      ),
    ),
  ]);
}

/** `behalf provider remove` */
export async function remove(name: string, options: AsOption): Promise<void> {
  const event = { command: 'provider remove', as: options.as, detail: { provider: name } };
  const people = await withDatabase((database) =>
    change(database, event, async (deciding) => {
      await deciding.require('users:manage');
      const provider = await findProvider(deciding.tx, name);
      return removeProvider(deciding, deciding.by.id, provider);
    }),
  );
  answer(
    options.json,
    { name, command: event.command, people: people.map((user) => user.name).sort() },
    () =>
      `${paint('bold', name)} is trusted no more. ${String(people.length)} people keep their accounts, and are signed out.`,
  );
}

/** `behalf provider link` */
export async function link(
  name: string,
  userName: string,
  subject: string,
  options: AsOption,
): Promise<void> {
  const detail = { provider: name, user: userName, subject };
  const event = { command: 'provider link', as: options.as, detail };
  await withDatabase((database) =>
    change(database, event, async (deciding) => {
      const provider = await findProvider(deciding.tx, name);
      const user = await findUser(deciding.tx, userName);
      await deciding.require('users:manage', new Map([['person', user.id]]));
      await linkIdentity(deciding, deciding.by.id, provider, user, subject);
    }),
  );
  answer(
    options.json,
    { command: event.command, ...detail },
    () => `${paint('bold', userName)} can sign in with ${name}.`,
  );
}

/** `behalf provider unlink` */
export async function unlink(name: string, subject: string, options: AsOption): Promise<void> {
  const detail = { provider: name, subject };
  const event = { command: 'provider unlink', as: options.as, detail };
  const user = await withDatabase((database) =>
    change(database, event, async (deciding) => {
      await deciding.require('users:manage');
      const provider = await findProvider(deciding.tx, name);
      return unlinkIdentity(deciding, deciding.by.id, provider, subject);
    }),
  );
  answer(
    options.json,
    { command: event.command, ...detail, user: user.name },
    () => `${paint('bold', user.name)} is not known by this subject any more, and is signed out.`,
  );
}

const mapping =
  (command: string, outcome: string, work: typeof mapGroup) =>
  async (name: string, group: string, roleName: string, options: AsOption): Promise<void> => {
    const detail = { provider: name, group, role: roleName };
    await withDatabase((database) =>
      change(database, { command, as: options.as, detail }, async (deciding) => {
        await deciding.require('roles:assign');
        const provider = await findProvider(deciding.tx, name);
        const role = await findRole(deciding.tx, roleName, 'person');
        await work(deciding, deciding.by.id, provider, group, role);
      }),
    );
    answer(
      options.json,
      { command, ...detail },
      () => `People of ${clean(group)} ${outcome} the role ${roleName} at their next sign-in with ${name}.`,
    );
  };

/** `behalf provider map` */
export const map = mapping('provider map', 'get', mapGroup);

/** `behalf provider unmap` */
export const unmap = mapping('provider unmap', 'lose', unmapGroup);
