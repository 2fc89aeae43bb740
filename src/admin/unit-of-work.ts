import type { Trail } from '../audit/trail.js';
import type { Scope } from '../authority/scope.js';
import type { Clock } from '../core/clock.js';
import { BehalfError, conflict, internal } from '../core/errors.js';
import type { Ids } from '../core/ids.js';
import type { Operation } from '../delegation/resolver-context.js';
import { eq } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { isDuplicate } from '../store/sql/database.js';
import type { Table } from '../store/tables/table.js';

/** The transaction of a mutation or a command, with the services that administration needs. */
export interface UnitOfWork {
  readonly tx: Connection;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Gets every change; none holds a secret. */
  readonly trail: Trail;
}

export function unitOfWork(operation: Operation): UnitOfWork {
  const { transaction, clock, ids, trail } = operation;
  if (transaction === undefined) throw internal(new Error('Administration outside a mutation.'));
  return { tx: transaction, clock, ids, trail };
}

interface Versioned {
  readonly id: string;
  readonly version: number;
}

/** Locks a row inside the boundary of `scope`, lets `work` change it, and reads it again. */
export async function changing<R extends Versioned>(
  operation: Operation,
  table: Table<R>,
  id: string,
  scope: Scope,
  work: (before: R, unit: UnitOfWork) => Promise<unknown>,
): Promise<R> {
  const before = await operation.rows.inside(table, id, scope, true);
  await work(before, unitOfWork(operation));
  operation.rows.forget();
  return operation.rows.inside(table, id, scope);
}

export function requireVersion(what: string, row: Versioned, expected: number): void {
  if (row.version === expected) return;
  throw new BehalfError('CONFLICT', `${what} has changed meanwhile.`, {
    hint: 'Read it again and repeat the change on what you find.',
  });
}

/** Adds a row; `CONFLICT` with the message `taken` where a unique key refuses it. */
export async function add<R extends Versioned>(
  unit: UnitOfWork,
  table: Table<R>,
  row: R,
  taken: string,
): Promise<void> {
  await insert(unit, table, row).catch((error: unknown) => {
    throw isDuplicate(error) ? conflict(taken) : error;
  });
}

/** Adds a row. The error of a unique key stays as it is, for callers that try again. */
export async function insert<R extends Versioned>(unit: UnitOfWork, table: Table<R>, row: R): Promise<void> {
  await unit.tx.insert(table, [row]);
  unit.trail.touched(table.type, [row.id], 'create');
  unit.trail.changed({ type: table.type, id: row.id, before: null, after: shown(row) });
}

/** Changes a row that the transaction has locked, and moves its version. */
export async function store<R extends Versioned>(
  unit: UnitOfWork,
  table: Table<R>,
  before: R,
  changes: Partial<R>,
): Promise<R> {
  const after: R = { ...before, ...changes, version: before.version + 1 };
  await unit.tx.update(table, eq<R>('id', before.id), { ...changes, version: after.version });
  unit.trail.touched(table.type, [before.id], 'update');
  const keys = Object.keys(changes);
  if (keys.length === 0) return after;
  unit.trail.changed({
    type: table.type,
    id: before.id,
    before: shown(before, keys),
    after: shown(after, keys),
  });
  return after;
}

const unshown = new Set(['passwordHash', 'secretHash', 'credentialId', 'publicKey']);
const personal = new Set(['email', 'displayName']);

/** A row as a record may show it: without secrets and keys of passkeys; of personal values, only whether there is one. */
export const shown = (
  row: object,
  keys: readonly string[] = Object.keys(row),
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(row)
      .filter(([key]) => keys.includes(key) && !unshown.has(key))
      .map(([key, value]: [string, unknown]) => [
        key,
        personal.has(key) && value !== null ? 'redacted' : value,
      ]),
  );
