import { lookBeyond, type Beyond } from '../admin/credentials.js';
import { CommandError } from '../core/command-error.js';
import { systemClock } from '../core/clock.js';
import { findAgent } from '../operator/find-by-name.js';
import { findPerson, requireScope, type AsOption } from '../operator/recorded-change.js';
import type { Database } from '../store/sql/database.js';
import { clean, columns, note } from './terminal/output.js';
import { Prompt } from './terminal/prompt.js';

export interface CredentialsOptions extends AsOption {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** The live delegations that new credentials of the agent would end. */
export async function look(
  database: Database,
  name: string,
  as: string | undefined,
): Promise<readonly Beyond[]> {
  if (as === undefined) throw new CommandError('Name the person who decides this: `--as USER`.');
  const by = await findPerson(database.read, as);
  await requireScope(database, database.read, by, 'agents:manage');
  const agent = await findAgent(database.read, name);
  return lookBeyond({ tx: database.read, clock: systemClock }, by.id, agent);
}

/** Asks whether these delegations may end. Throws where they may not. */
export async function confirm(expected: readonly Beyond[], isJson: boolean): Promise<void> {
  for (const line of linesOf(expected, 'would end')) note(line);
  const prompt = new Prompt();
  if (isJson || !prompt.isTerminal)
    throw new CommandError('Nothing was changed. Say --yes if these delegations may end.');
  const isAgreed = await prompt.confirm('Go on?').finally(() => {
    prompt.close();
  });
  if (!isAgreed) throw new CommandError('Nothing was changed.');
}

/** Throws where more delegations would end than the person has confirmed. */
export function requireExpected(ended: readonly Beyond[], expected: readonly Beyond[]): void {
  const confirmed = new Set(expected.map(({ delegationId }) => delegationId));
  if (ended.every(({ delegationId }) => confirmed.has(delegationId))) return;
  throw new CommandError('More would end now than was told. Nothing was changed; run it again.');
}

export function linesOf(ended: readonly Beyond[], verb: string): string[] {
  if (ended.length === 0) return [];
  const rows = ended.map(({ delegationId, missingRoles }) => [
    `  ${delegationId}`,
    clean(missingRoles.join(', ')),
  ]);
  return [
    `${String(ended.length)} live delegations ${verb}: they use roles that are not yours to grant.`,
    ...columns(rows),
  ];
}
