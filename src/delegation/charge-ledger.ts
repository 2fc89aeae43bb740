import type { Authority } from '../authority/authority.js';
import { unauthenticated, type BehalfError } from '../core/errors.js';
import { isIn, padded, quote } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { authorityEpoch, delegations, type DelegationRow } from '../store/tables/identity.js';
import { spent, spentLimit, type BudgetLimit } from './budgets.js';
import { noEpoch, readEpoch } from './authority-epoch.js';

const chargedTable = quote(delegations.name);

/** The amount that one operation takes from each delegation of its chain. */
interface Charge {
  readonly authority: Authority | undefined;
  readonly rows: number;
}

interface Amount {
  operations: number;
  rows: number;
}

/**
 * Charges a batch of finished operations to their delegations. All are charged at once; that is enough where
 * every limit suffices. Otherwise `oneByOne` finds which operations the limits suffice for.
 */
export class ChargeLedger {
  private constructor(
    private readonly tx: Connection,
    private readonly amounts: ReadonlyMap<string, Amount>,
    /** The version of all rights. It is locked until the transaction has ended. */
    readonly version: number,
    /** Whether every delegation exists and its limits suffice for the whole batch. */
    readonly isCovered: boolean,
    /** If so, the delegations that are used up now. */
    readonly spent: ReadonlyMap<string, BudgetLimit>,
  ) {}

  /** Locks delegations in the order of ids and before the version, as revocations do, to avoid deadlocks. */
  static async charge(tx: Connection, all: readonly Charge[]): Promise<ChargeLedger> {
    const amounts = new Map<string, Amount>();
    for (const { authority, rows } of all) {
      for (const id of authority?.task?.delegationIds ?? []) {
        const amount = amounts.get(id) ?? { operations: 0, rows: 0 };
        amounts.set(id, { operations: amount.operations + 1, rows: amount.rows + rows });
      }
    }
    if (tx.dialect === 'sqlite') {
      const { covered, spent } = await addEach(tx, amounts);
      const { version } = await readEpoch(tx);
      return new ChargeLedger(tx, amounts, version, covered === amounts.size, spent);
    }
    await update(tx, 'add', amounts);
    const { version, covered, spent } = await look(tx, [...amounts.keys()]);
    return new ChargeLedger(tx, amounts, version, covered === amounts.size, spent);
  }

  /**
   * Takes the batch's charge back, to charge one operation at a time in order. Only amounts charged again
   * remain.
   */
  async oneByOne(): Promise<OneByOne> {
    const rows = await this.tx.selectColumns(delegations, spending, isIn('id', [...this.amounts.keys()]));
    for (const row of rows) {
      const amount = this.amounts.get(row.id);
      row.operationsUsed -= amount?.operations ?? 0;
      row.rowsUsed -= amount?.rows ?? 0;
    }
    return new OneByOne(this.tx, new Map(rows.map((row) => [row.id, row])));
  }
}

class OneByOne {
  constructor(
    private readonly tx: Connection,
    private readonly byId: ReadonlyMap<string, Spending>,
  ) {}

  /**
   * Charges one operation. Returns why the limits do not suffice, if so. An operation that reads more rows
   * than are left is still charged as one operation: its refusal reveals that the rows exist, so attempts
   * must be limited.
   */
  charge({ authority, rows }: Charge): BehalfError | undefined {
    const mine: Spending[] = [];
    for (const id of authority?.task?.delegationIds ?? []) {
      const row = this.byId.get(id);
      if (row === undefined) return unauthenticated('The delegation of this token has ended.');
      mine.push(row);
    }
    if (mine.some((row) => row.operationsUsed >= row.operationsMax)) return spent('operations');
    const left = Math.min(...mine.map((row) => row.rowsMax - row.rowsUsed));
    for (const row of mine) {
      row.operationsUsed += 1;
      if (rows <= left) row.rowsUsed += rows;
    }
    return rows <= left ? undefined : spent('rows', left);
  }

  /** The delegations that are used up. */
  get spent(): ReadonlyMap<string, BudgetLimit> {
    return new Map(
      [...this.byId.values()].flatMap((row) => {
        const limit = spentLimit(row);
        return limit === undefined ? [] : [[row.id, limit] as const];
      }),
    );
  }

  write(): Promise<void> {
    const used = [...this.byId.values()].map(
      (row) => [row.id, { operations: row.operationsUsed, rows: row.rowsUsed }] as const,
    );
    return update(this.tx, 'set', new Map(used));
  }
}

const spending = ['id', 'operationsMax', 'operationsUsed', 'rowsMax', 'rowsUsed'] as const;
type Spending = { -readonly [K in (typeof spending)[number]]: DelegationRow[K] };

async function update(
  tx: Connection,
  how: 'add' | 'set',
  amounts: ReadonlyMap<string, Amount>,
): Promise<void> {
  if (amounts.size === 0) return;
  const rows = padded([...amounts]);
  const cases = `CASE \`id\` ${rows.map(() => 'WHEN ? THEN ?').join(' ')} END`;
  const set = (column: string) => `\`${column}\` = ${how === 'add' ? `\`${column}\` + ` : ''}${cases}`;
  await tx.affecting(
    `UPDATE ${chargedTable} SET ${set('operations_used')}, ${set('rows_used')} ` +
      `WHERE \`id\` IN (${rows.map(() => '?').join(', ')})`,
    [
      ...rows.flatMap(([id, { operations }]) => [id, operations]),
      ...rows.flatMap(([id, amount]) => [id, amount.rows]),
      ...rows.map(([id]) => id),
    ],
    true,
  );
}

interface Charged {
  /** The number of delegations within their limits. */
  readonly covered: number;
  /** The delegations that are used up. */
  readonly spent: ReadonlyMap<string, BudgetLimit>;
}

/** Where a statement costs almost nothing (SQLite), one statement per delegation is cheaper. */
async function addEach(tx: Connection, amounts: ReadonlyMap<string, Amount>): Promise<Charged> {
  let covered = 0;
  const spent = new Map<string, BudgetLimit>();
  for (const [id, { operations, rows }] of amounts) {
    const [row] = await tx.query(addOne, [operations, rows, id], true);
    covered += Number(row?.covered ?? 0);
    if (Number(row?.noRows ?? 0) > 0) spent.set(id, 'rows');
    if (Number(row?.noOperations ?? 0) > 0) spent.set(id, 'operations');
  }
  return { covered, spent };
}

const addOne =
  `UPDATE ${chargedTable} SET \`operations_used\` = \`operations_used\` + ?, \`rows_used\` = \`rows_used\` + ? WHERE \`id\` = ? ` +
  'RETURNING `operations_used` <= `operations_max` AND `rows_used` <= `rows_max` AS `covered`, ' +
  '`operations_used` >= `operations_max` AS `noOperations`, `rows_used` >= `rows_max` AS `noRows`';

/** Reads the version, with a lock, and the state of these delegations, in one statement. */
async function look(tx: Connection, ids: readonly string[]): Promise<Charged & { readonly version: number }> {
  const params = padded(ids);
  const among = `FROM ${chargedTable} d WHERE d.\`id\` IN (${params.map(() => '?').join(', ')})`;
  const covered = `SELECT COUNT(*) ${among} AND d.\`operations_used\` <= d.\`operations_max\` AND d.\`rows_used\` <= d.\`rows_max\``;
  // GROUP_CONCAT truncates a very long list. The remaining delegations are then found one at a time.
  const without = (limit: string): string =>
    `SELECT GROUP_CONCAT(d.\`id\`) ${among} AND d.\`${limit}_used\` >= d.\`${limit}_max\``;
  const columns =
    ids.length === 0
      ? ['0', 'NULL', 'NULL']
      : [covered, without('operations'), without('rows')].map((sql) => `(${sql})`);
  const [row] = await tx.query(
    `SELECT e.\`version\` AS \`version\`, ${columns[0] ?? ''} AS \`covered\`, ${columns[1] ?? ''} AS \`noOperations\`, ${columns[2] ?? ''} AS \`noRows\` ` +
      `FROM ${quote(authorityEpoch.name)} e WHERE e.\`id\` = 1 LOCK IN SHARE MODE`,
    ids.length === 0 ? [] : [...params, ...params, ...params],
    true,
  );
  if (row === undefined) throw noEpoch();
  const named = (list: unknown): string[] => (typeof list === 'string' ? list.split(',') : []);
  const spent = new Map<string, BudgetLimit>();
  for (const id of named(row.noRows)) spent.set(id, 'rows');
  for (const id of named(row.noOperations)) spent.set(id, 'operations');
  return { version: Number(row.version), covered: Number(row.covered), spent };
}
