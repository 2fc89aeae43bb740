import { CommandError } from '../../core/command-error.js';
import { note } from './output.js';
import { Prompt } from './prompt.js';

/** Options of a command that ends something, so that its person agrees first. */
export interface AgreementOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export const dryRunLine = 'This was a dry run: nothing was changed.';

/**
 * Says what would end, and asks whether it may. Throws where it may not, and where nobody can be asked.
 * @param lines what would end; none: nothing is asked
 * @param what is in the question: `these delegations`
 */
export async function agree(
  lines: readonly string[],
  what: string,
  { yes = false, json = false }: AgreementOptions,
): Promise<void> {
  if (yes || lines.length === 0) return;
  for (const line of lines) note(line);
  const prompt = new Prompt();
  if (json || !prompt.isTerminal)
    throw new CommandError(`Nothing was changed. Say --yes if ${what} may end.`);
  const isAgreed = await prompt.confirm('Go on?').finally(() => {
    prompt.close();
  });
  if (!isAgreed) throw new CommandError('Nothing was changed.');
}
