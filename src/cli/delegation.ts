import { systemClock } from '../core/clock.js';
import { CommandError } from '../core/command-error.js';
import { endAll, hasStatus, noteEnds, statusAt } from '../delegation/end-delegation.js';
import { change, type AsOption } from '../operator/recorded-change.js';
import { all, eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { delegations, roles, type DelegationRow } from '../store/tables/identity.js';
import { ownedBy, ownerNames, requireChosen, type OwnedOptions, type OwnerNames } from './operator/owned.js';
import { withDatabase } from './operator/with-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer, clean, columns, paint } from './terminal/output.js';

export interface ListOptions extends JsonOption, OwnedOptions {
  readonly status?: string;
  readonly limit: number;
}

export interface RevokeOptions extends AsOption, OwnedOptions {}

const newestFirst = [{ column: 'id', direction: 'desc' }] as const;

/** `behalf delegation list` */
export async function list({ json, status, limit, ...owned }: ListOptions): Promise<void> {
  const now = systemClock.now();
  const listed = await withDatabase(async ({ read }) => {
    const where = await ownedBy<DelegationRow>(read, owned);
    const chosen = await read.select(
      delegations,
      status === undefined ? where : all(where, hasStatus(status, now)),
      { order: newestFirst, limit },
    );
    const names = await ownerNames(read, chosen);
    return chosen.map((row) => summaryOf(row, names, now));
  });
  answer(json, listed, () =>
    columns([
      ['id', 'person', 'agent', 'status', 'until', 'task'],
      ...listed.map((one) => [
        ...[one.id, clean(one.user), clean(one.agent), one.status],
        ...[one.expiresAt, clean(one.task)],
      ]),
    ]),
  );
}

/** `behalf delegation show` */
export async function show(id: string, { json }: JsonOption): Promise<void> {
  const one = await withDatabase(async ({ read }) => {
    const row = await found(read, id);
    const role = await read.byId(roles, row.roleId);
    return {
      ...summaryOf(row, await ownerNames(read, [row]), systemClock.now()),
      ...{ purpose: row.purpose, role: role?.name ?? row.roleId, parent: row.parentId, depth: row.depth },
      ...{ scopes: row.scopes, boundary: row.boundary, createdAt: row.createdAt, endedAt: row.endedAt },
      operations: { used: row.operationsUsed, max: row.operationsMax },
      rows: { used: row.rowsUsed, max: row.rowsMax },
    };
  });
  answer(json, one, () => [
    `${paint('bold', clean(one.user))} → ${paint('bold', clean(one.agent))} as ${one.role}  ${one.status}`,
    clean(`${one.task}: ${one.purpose}`),
    ...columns([
      ['from', one.createdAt],
      ['until', one.endedAt ?? one.expiresAt],
      ['operations', `${String(one.operations.used)} of ${String(one.operations.max)}`],
      ['rows', `${String(one.rows.used)} of ${String(one.rows.max)}`],
      ['scopes', one.scopes.join(', ')],
      ...Object.entries(one.boundary).map(([dimension, values]) => [
        dimension,
        clean(values === 'all' ? 'all' : values.join(', ') || 'none'),
      ]),
    ]),
  ]);
}

/** `behalf delegation revoke` */
export async function revoke(id: string | undefined, options: RevokeOptions): Promise<void> {
  const { as, json, agent, user } = options;
  requireChosen(id, options);
  const event = { command: 'delegation revoke', as, detail: { delegation: id, agent, user } };
  const ended = await withDatabase((database) =>
    change(database, event, async (deciding) => {
      const { tx, clock, trail, by } = deciding;
      const rows = id === undefined ? await activeOf(tx, options) : [await found(tx, id)];
      for (const row of rows) await deciding.require('delegations:revoke', new Map([['person', row.userId]]));
      const ends = await endAll(
        { tx, clock, by: by.id },
        rows.map((row) => row.id),
      );
      noteEnds(trail, ends);
      return ends.map(({ after }) => after.id);
    }),
  );
  answer(json, { ended }, () => [
    ...ended,
    `${String(ended.length)} ended, with all that was handed on from them.`,
  ]);
}

async function activeOf(tx: Connection, owned: OwnedOptions): Promise<DelegationRow[]> {
  return tx.select(
    delegations,
    all<DelegationRow>(await ownedBy<DelegationRow>(tx, owned), eq('status', 'active')),
  );
}

async function found(tx: Connection, id: string): Promise<DelegationRow> {
  const row = await tx.byId(delegations, id);
  if (row !== undefined) return row;
  throw new CommandError(`There is no delegation ${id}. \`behalf delegation list\` shows which there are.`);
}

const summaryOf = (row: DelegationRow, names: OwnerNames, now: number) => ({
  ...{ id: row.id, user: names.user(row), agent: names.agent(row), status: statusAt(row, now) },
  ...{ task: row.task, standing: row.standing, expiresAt: row.expiresAt },
});
