import { setCredentials, type Credentials } from '../admin/agents.js';
import { lookBeyond, type Beyond } from '../admin/credentials.js';
import { CommandError } from '../core/command-error.js';
import { systemClock } from '../core/clock.js';
import { findAgent } from '../operator/find-by-name.js';
import { change, findPerson, requireScope, type AsOption } from '../operator/recorded-change.js';
import type { Database } from '../store/sql/database.js';
import type { AgentRow } from '../store/tables/identity.js';
import { withDatabase } from './operator/with-database.js';
import { answer, clean, columns, note } from './terminal/output.js';
import { Prompt } from './terminal/prompt.js';

export interface CredentialsOptions extends AsOption {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** New credentials of one agent. */
interface NewCredentials {
  /** As typed, without its arguments: `agent bind-workload`. */
  readonly command: string;
  readonly name: string;
  readonly credentialsFor: (agent: AgentRow) => Credentials;
}

/**
 * Gives an agent new credentials, once its person has agreed to what ends with the earlier ones. Undefined for a dry run,
 * which is answered here.
 */
export async function bindCredentials(
  { command, name, credentialsFor }: NewCredentials,
  { as, json, dryRun = false, yes = false }: CredentialsOptions,
): Promise<readonly Beyond[] | undefined> {
  const expected = await withDatabase((database) => look(database, name, as));
  if (dryRun) {
    answer(json, { name, dryRun, ended: expected }, () => [
      ...linesOf(expected, 'would end'),
      'This was a dry run: nothing was changed.',
    ]);
    return undefined;
  }
  if (!yes && expected.length > 0) await confirm(expected, json === true);
  return withDatabase((database) =>
    change(database, { command, as, detail: { agent: name } }, async (deciding) => {
      await deciding.require('agents:manage');
      const agent = await findAgent(deciding.tx, name);
      const gone = await setCredentials(deciding, deciding.by.id, agent, credentialsFor(agent));
      if (!yes) requireExpected(gone, expected);
      return gone;
    }),
  );
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
