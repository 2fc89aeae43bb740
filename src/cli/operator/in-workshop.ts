import { systemClock } from '../../core/clock.js';
import { makeIds } from '../../core/ids.js';
import { InputRefused } from '../../operator/input-faults.js';
import type { Workshop } from '../../operator/recorded-run.js';
import { dryRunLine } from '../terminal/agreement.js';
import { print, progress } from '../terminal/output.js';
import { withDatabase } from './with-database.js';

/**
 * Runs what brings files into the database. With `--json`, a refusal is answered as JSON too, fault by fault, beside
 * the text on standard error.
 */
export async function inWorkshop<T>(
  json: boolean | undefined,
  work: (workshop: Workshop) => Promise<T>,
): Promise<T> {
  try {
    return await withDatabase((database) =>
      work({ database, clock: systemClock, ids: makeIds(systemClock), progress }),
    );
  } catch (error) {
    if (json === true && error instanceof InputRefused)
      print(JSON.stringify({ error: { code: error.code, faults: error.faults } }, null, 2));
    throw error;
  } finally {
    progress('');
  }
}

/** Tells which record such a change has. */
export const recordLine = (operationId: string | null): string =>
  operationId === null ? dryRunLine : `Audit record: ${operationId}`;
