import { requireOverlap, rotateSecret } from '../admin/agents.js';
import { lookBeyond, type Beyond } from '../admin/credentials.js';
import { systemClock } from '../core/clock.js';
import type { Database } from '../store/sql/database.js';
import { change, findPerson, requireScope, type AsOption } from '../operator/recorded-change.js';
import { findAgent } from '../operator/find-by-name.js';
import { withDatabase } from './operator/with-database.js';
import { CommandError } from '../core/command-error.js';
import { answer, clean, columns, note, paint } from './terminal/output.js';
import { Prompt } from './terminal/prompt.js';
import { handingOver } from './terminal/secret-file.js';

export interface RotateOptions extends AsOption {
  readonly overlap: number;
  readonly secretFile?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** `behalf agent rotate-secret` */
export async function rotateAgentSecret(name: string, options: RotateOptions): Promise<void> {
  const { overlap, json, dryRun = false, yes = false } = options;
  requireOverlap(overlap);
  const expected = await withDatabase((database) => look(database, name, options.as));
  if (dryRun) {
    answer(json, { name, dryRun, ended: expected }, () => [
      ...linesOf(expected, 'would end'),
      'This was a dry run: nothing was changed.',
    ]);
    return;
  }
  if (!yes && expected.length > 0) await confirm(expected, json === true);
  let ended: readonly Beyond[] = [];
  const event = { command: 'agent rotate-secret', as: options.as, detail: { agent: name } };
  const handed = await handingOver('secret', options.secretFile, (keep) =>
    withDatabase((database) =>
      change(database, event, async (deciding) => {
        await deciding.require('agents:manage');
        const made = await rotateSecret(
          deciding,
          deciding.by.id,
          await findAgent(deciding.tx, name),
          overlap,
        );
        ({ ended } = made);
        if (!yes) requireExpected(ended, expected);
        keep(made.secret);
      }),
    ),
  );
  const until = overlap === 0 ? 'no longer work' : `work ${String(overlap)} seconds longer`;
  answer(json, { name, overlapSeconds: overlap, ended, ...handed.json }, () => [
    `${paint('bold', name)} has a new secret; earlier ones ${until}.`,
    ...linesOf(ended, 'ended'),
    handed.text,
  ]);
}

async function look(database: Database, name: string, as: string | undefined): Promise<readonly Beyond[]> {
  if (as === undefined) throw new CommandError('Name the person who decides this: `--as USER`.');
  const by = await findPerson(database.read, as);
  await requireScope(database, database.read, by, 'agents:manage');
  const agent = await findAgent(database.read, name);
  return lookBeyond({ tx: database.read, clock: systemClock }, by.id, agent);
}

async function confirm(expected: readonly Beyond[], isJson: boolean): Promise<void> {
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
function requireExpected(ended: readonly Beyond[], expected: readonly Beyond[]): void {
  const confirmed = new Set(expected.map(({ delegationId }) => delegationId));
  if (ended.every(({ delegationId }) => confirmed.has(delegationId))) return;
  throw new CommandError('More would end now than was told. Nothing was changed; run it again.');
}

function linesOf(ended: readonly Beyond[], verb: string): string[] {
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
