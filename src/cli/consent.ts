import { systemClock } from '../core/clock.js';
import { CommandError } from '../core/command-error.js';
import { isInForce } from '../delegation/consent.js';
import { noteEnds, withdrawConsent } from '../delegation/end-delegation.js';
import { change, type AsOption, type Deciding } from '../operator/recorded-change.js';
import { all, eq, isIn } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { consents, roles, type ConsentRow, type RoleRow } from '../store/tables/identity.js';
import { ownedBy, ownerNames, requireChosen, type OwnedOptions } from './operator/owned.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer, clean, columns } from './terminal/output.js';

export interface ListOptions extends JsonOption, OwnedOptions {
  readonly all?: boolean;
}

export interface WithdrawOptions extends AsOption, OwnedOptions {}

/** `behalf consent list` */
export async function list({ json, all: isAll, ...owned }: ListOptions): Promise<void> {
  const listed = await withDatabase(async ({ read }) => {
    const chosen = await ownedBy<ConsentRow>(read, owned);
    const rows = await read.select(
      consents,
      isAll === true ? chosen : all(chosen, isInForce(systemClock.now())),
      {
        order: [{ column: 'id', direction: 'desc' }],
      },
    );
    const names = await ownerNames(read, rows);
    const roleIds = [...new Set(rows.map(({ roleId }) => roleId))];
    const roleNames = new Map(
      (await read.select(roles, isIn<RoleRow>('id', roleIds))).map((role) => [role.id, role.name]),
    );
    return rows.map((row) => ({
      ...{ id: row.id, user: names.user(row), agent: names.agent(row) },
      ...{ role: roleNames.get(row.roleId) ?? row.roleId, scopes: row.scopes, boundary: row.boundary },
      ...{ createdAt: row.createdAt, expiresAt: row.expiresAt, revokedAt: row.revokedAt },
    }));
  });
  answer(json, listed, () =>
    columns([
      ['id', 'person', 'agent', 'role', 'since', 'until', 'withdrawn', 'scopes'],
      ...listed.map((one) => [
        ...[one.id, clean(one.user), clean(one.agent), one.role, one.createdAt, one.expiresAt],
        ...[one.revokedAt ?? '', one.scopes.join(', ')],
      ]),
    ]),
  );
}

/** `behalf consent withdraw` */
export async function withdraw(id: string | undefined, options: WithdrawOptions): Promise<void> {
  const { as, json, agent, user } = options;
  requireChosen(id, options);
  const event = { command: 'consent withdraw', as, detail: { consent: id, agent, user } };
  const outcome = await withDatabase((database) =>
    change(database, event, async (deciding) => {
      const { tx, clock, trail, by } = deciding;
      const rows = id === undefined ? await activeOf(deciding, options) : [await found(tx, id)];
      const withdrawn: string[] = [];
      const ended: string[] = [];
      for (const row of rows) {
        await deciding.require('delegations:revoke', new Map([['person', row.userId]]));
        if (row.revokedAt !== null) continue;
        const { consent, ended: ends } = await withdrawConsent({ tx, clock, by: by.id }, row.id);
        const { revokedAt } = consent;
        trail.touched(consents.type, [row.id], 'update');
        trail.changed({ type: consents.type, id: row.id, before: { revokedAt: null }, after: { revokedAt } });
        noteEnds(trail, ends);
        withdrawn.push(row.id);
        ended.push(...ends.map(({ after }) => after.id));
      }
      return { withdrawn, ended };
    }),
  );
  answer(json, outcome, () => [
    ...outcome.withdrawn,
    `${String(outcome.withdrawn.length)} withdrawn; ${String(outcome.ended.length)} delegations ended with them.`,
  ]);
}

async function activeOf({ tx, clock }: Deciding, owned: OwnedOptions): Promise<ConsentRow[]> {
  const chosen = await ownedBy<ConsentRow>(tx, owned);
  return tx.select(consents, all<ConsentRow>(chosen, isInForce(clock.now())));
}

async function found(tx: Connection, id: string): Promise<ConsentRow> {
  const row = await tx.one(consents, eq<ConsentRow>('id', id));
  if (row !== undefined) return row;
  throw new CommandError(`There is no consent ${id}. \`behalf consent list --all\` shows which there are.`);
}
