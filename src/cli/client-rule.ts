import { addClientRule, removeClientRule } from '../admin/client-rules.js';
import { CommandError } from '../core/command-error.js';
import { findRole, findUser } from '../operator/find-by-name.js';
import type { AsOption } from '../operator/recorded-change.js';
import { all, eq } from '../store/sql/condition.js';
import { clientRules, type ClientRuleRow } from '../store/tables/clients.js';
import { roles, users } from '../store/tables/identity.js';
import { changing } from './client.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer, clean, columns, paint } from './terminal/output.js';

export interface RuleOptions extends AsOption {
  readonly role: string;
  readonly scope: readonly string[];
  readonly owner: string;
}

/** `behalf client add-rule` */
export async function addRule(
  host: string,
  { role, scope: scopes, owner, as, json }: RuleOptions,
): Promise<void> {
  const detail = { host, role, scopes, owner };
  await changing('client add-rule', as, detail, async (deciding) => {
    for (const needed of ['agents:manage', 'roles:assign'] as const) await deciding.require(needed);
    const rule = { host, scopes, role: await findRole(deciding.tx, role, 'agent') };
    await addClientRule(deciding, deciding.by.id, { ...rule, owner: await findUser(deciding.tx, owner) });
  });
  answer(json, { command: 'client add-rule', ...detail }, () => [
    `Clients of ${paint('bold', clean(host))} are admitted from now on, with the role ${role}.`,
  ]);
}

/** `behalf client list-rules` */
export async function listRules({ json }: JsonOption): Promise<void> {
  const listed = await withDatabase(async ({ read }) =>
    Promise.all(
      (await read.select(clientRules, all())).map(async ({ host, roleId, scopes, ownerId }) => ({
        ...{ host, scopes },
        role: (await read.byId(roles, roleId))?.name ?? roleId,
        owner: (await read.byId(users, ownerId))?.name ?? ownerId,
      })),
    ),
  );
  answer(json, listed, () =>
    columns([
      ['host', 'role', 'scopes', 'owner'],
      ...listed.map(({ host, role, scopes, owner }) => [clean(host), role, scopes.join(' '), clean(owner)]),
    ]),
  );
}

/** `behalf client remove-rule` */
export async function removeRule(host: string, { as, json }: AsOption): Promise<void> {
  await changing('client remove-rule', as, { host }, async (deciding) => {
    const rule = await deciding.tx.one(clientRules, eq<ClientRuleRow>('host', host), { lock: 'update' });
    if (rule === undefined)
      throw new CommandError(
        `There is no rule for ${host}. \`behalf client list-rules\` shows which there are.`,
      );
    await removeClientRule(deciding, rule);
  });
  answer(json, { command: 'client remove-rule', host }, () => [
    `New clients of ${paint('bold', clean(host))} wait for admission again.`,
  ]);
}
