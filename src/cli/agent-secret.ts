import { requireOverlap, rotateSecret } from '../admin/agents.js';
import type { Beyond } from '../admin/credentials.js';
import { findAgent } from '../operator/find-by-name.js';
import { change } from '../operator/recorded-change.js';
import { credentialRules } from './credential-rules.js';
import { confirm, linesOf, look, requireExpected, type CredentialsOptions } from './new-credentials.js';
import { withDatabase } from './operator/with-database.js';
import { answer, paint } from './terminal/output.js';
import { handingOver } from './terminal/secret-file.js';

export interface RotateOptions extends CredentialsOptions {
  readonly overlap: number;
  readonly secretFile?: string;
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
          credentialRules(),
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
