import type { AuditBody } from '../../src/audit/record.js';
import { stockMovements, products } from '../../src/domains/business/tables.js';
import { all, compare, eq, isIn } from '../../src/store/sql/condition.js';
import type { Database } from '../../src/store/sql/database.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { delegations } from '../../src/store/tables/identity.js';
import type { Acknowledged } from './crash-load.js';
import { misfound } from './records.js';

/** Differences between the log, the data and the answers that clients got; empty if all is well. */
export async function faultsOf(
  { read }: Pick<Database, 'read'>,
  acknowledged: readonly Acknowledged[],
  stockAtFirst: number,
): Promise<string[]> {
  const faults: string[] = [];
  const rows = await read.select(auditRecords, eq('kind', 'graphql'));
  const records = new Map(rows.map((row) => [row.id, JSON.parse(row.body) as AuditBody]));
  const movements = await read.select(stockMovements, all());
  const byKey = new Map(movements.map((movement) => [movement.reason, movement]));
  const made = new Map(
    [...records.values()].flatMap(({ operationId, resources }) =>
      resources
        .filter(({ type, action }) => type === 'StockMovement' && action === 'create')
        .flatMap(({ ids }) => ids.map((id) => [id, operationId] as const)),
    ),
  );

  if (byKey.size !== movements.length) faults.push('a key has two changes');
  if (made.size !== movements.length)
    faults.push(`${String(movements.length)} changes, ${String(made.size)} told by records`);
  for (const { id, reason } of movements) {
    const record = records.get(made.get(id) ?? '');
    if (record?.outcome !== 'succeeded') faults.push(`the change ${reason} has no record of success`);
  }
  for (const one of await misfound({ read }))
    faults.push(`a search by ${one} does not give the records that name it`);
  for (const record of records.values()) {
    if (record.operation?.type !== 'mutation' || record.outcome !== 'succeeded') continue;
    // The key is also the reason of the change, so a record keeps it as a value.
    const { key } = JSON.parse(record.variables ?? '{}') as { key?: { value?: string } };
    if (!byKey.has(key?.value ?? ''))
      faults.push(`the record ${record.operationId} of success has no change`);
  }
  for (const { operationId, job, movementId } of acknowledged) {
    const record = records.get(operationId);
    if (record?.outcome !== 'succeeded') faults.push(`the response ${operationId} has no record of success`);
    if (job.kind === 'mutation' && byKey.get(job.key)?.id !== movementId)
      faults.push(`the response ${operationId} tells a change that is not there`);
  }
  for (const product of await read.select(
    products,
    isIn('id', [...new Set(movements.map((one) => one.productId))]),
  )) {
    const count = movements.filter((one) => one.productId === product.id).length;
    if (product.stock !== stockAtFirst + count || product.version !== 1 + count)
      faults.push(`the stock of ${product.sku} is not what its changes make it`);
  }
  for (const row of await read.select(delegations, compare('operationsUsed', '>', 0))) {
    const told = rows.filter((record) => record.delegationId === row.id).length;
    if (row.operationsUsed !== told)
      faults.push(
        `${row.id} was charged ${String(row.operationsUsed)} operations, ${String(told)} have a record`,
      );
  }
  return faults;
}
