import { passkeyAcr } from '../authority/chain.js';
import type { UnitOfWork } from '../admin/unit-of-work.js';
import { insertRecords } from '../audit/record.js';
import { Trail } from '../audit/trail.js';
import type { DimensionValues } from '../authority/boundary.js';
import { refusalError } from '../authority/explain.js';
import type { Scope } from '../authority/scope.js';
import { systemClock } from '../core/clock.js';
import { makeIds } from '../core/ids.js';
import { Authorities } from '../delegation/authorities.js';
import { AuthorityEpoch } from '../delegation/authority-epoch.js';
import { eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import type { Database } from '../store/sql/database.js';
import { users, type UserRow } from '../store/tables/identity.js';
import { CommandError } from '../core/command-error.js';
import { commandRecord } from './command-record.js';

/** Options of a command that changes something. */
export interface AsOption {
  readonly as?: string;
  readonly json?: boolean;
}

/** A change made by a command. */
export interface Change {
  readonly command: string;
  /** The name of the person who decides; undefined only where there is no person yet. */
  readonly as: string | undefined;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The transaction of a change, and the person who decides it. */
export interface Deciding extends UnitOfWork {
  readonly by: UserRow;
  /** `FORBIDDEN` where the person could not do it through the server either. */
  require(scope: Scope, values?: DimensionValues): Promise<void>;
}

/**
 * Makes a change and its record in one transaction. A refusal or failure leaves a record of its own and nothing else.
 */
export async function change<T>(
  database: Database,
  change: Change,
  work: (deciding: Deciding) => Promise<T>,
): Promise<T> {
  return record(database, change, async (made, by) => {
    if (by === undefined) throw nobodyDecides();
    return work({
      ...made,
      by,
      require: (scope, values) => requireScope(database, made.tx, by, scope, values),
    });
  });
}

/** The same before there is any person to decide. */
export const changeAlone = <T>(
  database: Database,
  change: Omit<Change, 'as'>,
  work: (unit: UnitOfWork) => Promise<T>,
): Promise<T> => record(database, { ...change, as: undefined }, work);

async function record<T>(
  database: Database,
  { command, as, detail = {} }: Change,
  work: (unit: UnitOfWork, by: UserRow | undefined) => Promise<T>,
): Promise<T> {
  const by = as === undefined ? undefined : await findPerson(database.read, as);
  const base = { command, by, clock: systemClock, ids: makeIds(systemClock), detail };
  try {
    return await database.transaction(async (tx) => {
      const trail = new Trail();
      const result = await work({ tx, clock: base.clock, ids: base.ids, trail }, by);
      await insertRecords(tx, [commandRecord({ ...base, trail })]);
      return result;
    });
  } catch (error) {
    if (!(error instanceof CommandError)) {
      const failed = commandRecord({ ...base, trail: new Trail() }, error);
      // Nothing was changed. If this record fails too, the first error says more.
      await database.transaction((tx) => insertRecords(tx, [failed])).catch(() => undefined);
    }
    throw error;
  }
}

const nobodyDecides = (): CommandError => new CommandError('Name the person who decides this: `--as USER`.');

/** The person who would decide a change. Throws as `change` does where they may not. */
export async function findDecider(
  database: Database,
  as: string | undefined,
  scope: Scope,
): Promise<UserRow> {
  if (as === undefined) throw nobodyDecides();
  const by = await findPerson(database.read, as);
  await requireScope(database, database.read, by, scope);
  return by;
}

export async function findPerson(connection: Connection, name: string): Promise<UserRow> {
  const user = await connection.one(users, eq<UserRow>('name', name));
  if (user === undefined) {
    throw new CommandError(`There is no user ${name}. \`behalf user list\` shows who there is.`);
  }
  if (user.status === 'active') return user;
  throw new CommandError(`${name} is disabled, and decides nothing. Name someone else with \`--as\`.`);
}

/** `FORBIDDEN` where the person could not do it through the server either. */
export async function requireScope(
  database: Database,
  tx: Connection,
  by: UserRow,
  scope: Scope,
  values: DimensionValues = new Map(),
): Promise<void> {
  const epoch = new AuthorityEpoch(database.read);
  const authorities = new Authorities(database.read, epoch, systemClock, new Set());
  // The terminal is not a sign-in: the operator answers for it.
  const authority = await authorities.ofPerson(tx, by.id, [scope], passkeyAcr);
  const decision = authority.decideAt(scope, values);
  if (!decision.allow) throw refusalError(authority, decision);
}
