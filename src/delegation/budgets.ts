import type { Authority } from '../authority/authority.js';
import { BehalfError } from '../core/errors.js';
import { Lru } from '../core/lru.js';

export type BudgetLimit = 'operations' | 'rows';

interface Budget {
  readonly operationsMax: number;
  readonly operationsUsed: number;
  readonly rowsMax: number;
  readonly rowsUsed: number;
}

/** The limit that a delegation has used up, if any. */
export function spentLimit(row: Budget): BudgetLimit | undefined {
  if (row.operationsUsed >= row.operationsMax) return 'operations';
  return row.rowsUsed >= row.rowsMax ? 'rows' : undefined;
}

/** A used-up limit never recovers. The person must delegate again; waiting does not help. */
export const spent = (limit: BudgetLimit, left = 0): BehalfError =>
  left > 0
    ? new BehalfError('LIMIT_EXCEEDED', `The task has ${String(left)} ${limit} left, and this takes more.`, {
        limit,
        hint: `Ask for fewer ${limit}, or ask the person who delegated it for a new delegation.`,
      })
    : new BehalfError('LIMIT_EXCEEDED', `The task has no ${limit} left.`, {
        limit,
        hint: 'Ask the person who delegated it for a new delegation.',
      });

const keptMax = 10_000;

/**
 * Delegations that this process has seen used up, so that it can refuse their operations at once. A charge is
 * noted once it is durable. A newly computed authority reads its limits from the rows.
 */
export class SpentBudgets {
  readonly known = new Lru<string, { readonly limit: BudgetLimit; readonly version: number }>(keptMax);

  note(delegationId: string, limit: BudgetLimit, version: number): void {
    this.known.set(delegationId, { limit, version });
  }

  /** Why an operation need not begin. Undefined where it may. */
  refusal({ task, version }: Authority): BehalfError | undefined {
    if (task === undefined) return undefined;
    if (task.spent !== undefined) return spent(task.spent);
    for (const id of task.delegationIds) {
      const known = this.known.get(id);
      // A note for another version may be out of date: every change of a delegation moves the version.
      if (known?.version === version) return spent(known.limit);
    }
    return undefined;
  }
}
