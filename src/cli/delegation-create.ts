import { passkeyAcr } from '../authority/chain.js';
import { shown } from '../admin/unit-of-work.js';
import { systemClock } from '../core/clock.js';
import { Authorities } from '../delegation/authorities.js';
import { AuthorityEpoch, readEpoch } from '../delegation/authority-epoch.js';
import { makeDelegation } from '../delegation/create-delegation.js';
import { change, type AsOption } from '../operator/recorded-change.js';
import { delegations, type DelegationRow, type StoredBoundary } from '../store/tables/identity.js';
import { servedSchema } from './operator/served-schema.js';
import { withDatabase } from './operator/with-database.js';
import { answer, clean, paint } from './terminal/output.js';

export interface CreateOptions extends AsOption {
  readonly task: string;
  readonly purpose: string;
  readonly scope: readonly string[];
  readonly role?: string;
  readonly boundary?: StoredBoundary;
  readonly operations?: number;
  readonly rows?: number;
  readonly depth?: number;
  readonly expiresIn?: number;
  readonly standing?: boolean;
}

/** `behalf delegation create` */
export async function create(agent: string, options: CreateOptions): Promise<void> {
  const { as, json, scope: scopes, expiresIn: expiresInSeconds, ...request } = options;
  const event = { command: 'delegation create', as, detail: { agent, task: request.task } };
  const row = await withDatabase(async (database) => {
    const { catalog, peopleOnly } = await servedSchema(database);
    return change(database, event, async (deciding): Promise<DelegationRow> => {
      await deciding.require('delegations:create');
      const { tx, trail } = deciding;
      // No right changes between what is read here and what is made of it.
      await readEpoch(tx, true);
      const authorities = new Authorities(
        database.read,
        new AuthorityEpoch(database.read),
        systemClock,
        peopleOnly,
      );
      const giver = await authorities.ofPerson(
        tx,
        deciding.by.id,
        [...catalog.definitions.keys()],
        passkeyAcr,
      );
      const context = { tx, clock: deciding.clock, ids: deciding.ids, catalog };
      const made = await makeDelegation(context, giver, { ...request, agent, scopes, expiresInSeconds });
      trail.touched(delegations.type, [made.id], 'create');
      trail.changed({ type: delegations.type, id: made.id, before: null, after: shown(made) });
      return made;
    });
  });
  answer(json, { id: row.id, agent, scopes: row.scopes, expiresAt: row.expiresAt }, () => [
    `${paint('bold', clean(agent))} has the task ${clean(row.task)} until ${row.expiresAt}.`,
    `Delegation: ${row.id}`,
  ]);
}
