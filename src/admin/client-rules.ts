import { isoTime } from '../core/clock.js';
import { badInput } from '../core/errors.js';
import { eq } from '../store/sql/condition.js';
import { clientRules, type ClientRuleRow } from '../store/tables/clients.js';
import type { RoleRow, UserRow } from '../store/tables/identity.js';
import { requireGrantable } from './grantable-roles.js';
import { add, shown, type UnitOfWork } from './unit-of-work.js';

export interface NewRule {
  readonly host: string;
  readonly role: RoleRow;
  readonly scopes: readonly string[];
  /** Answers for the agents. */
  readonly owner: Pick<UserRow, 'id' | 'status'>;
}

/** Admits clients whose document is at a host, from now on, each as an agent of its own with this role. */
export async function addClientRule(unit: UnitOfWork, by: string, input: NewRule): Promise<ClientRuleRow> {
  const { host, role, scopes, owner } = input;
  const url = `https://${host}/`;
  if (host.length > 255 || !URL.canParse(url) || new URL(url).href !== url)
    throw badInput(
      'A host is written as in URLs: in lower case, with its port where that is not 443.',
      'host',
    );
  if (role.holder !== 'agent') throw badInput('This role is for people.', 'roleId');
  await requireGrantable(unit.tx, by, [role]);
  const beyond = scopes.filter((scope) => !role.scopes.includes(scope));
  if (scopes.length === 0 || beyond.length > 0)
    throw badInput(
      `Give scopes of the role${beyond.length > 0 ? `, not ${beyond.join(', ')}` : ''}.`,
      'scopes',
    );
  if (owner.status !== 'active') throw badInput('The owner must be active.', 'ownerId');
  const row: ClientRuleRow = {
    ...{ id: unit.ids.next(), host, roleId: role.id, scopes: [...new Set(scopes)], ownerId: owner.id },
    ...{ addedBy: by, createdAt: isoTime(unit.clock.now()), version: 1 },
  };
  await add(unit, clientRules, row, 'There is a rule for this host already.');
  return row;
}

/** New clients of the host wait for admission again. Those that it admitted stay. */
export async function removeClientRule(unit: UnitOfWork, row: ClientRuleRow): Promise<void> {
  await unit.tx.delete(clientRules, eq<ClientRuleRow>('id', row.id));
  unit.trail.touched(clientRules.type, [row.id], 'delete');
  unit.trail.changed({ type: clientRules.type, id: row.id, before: shown(row), after: null });
}
