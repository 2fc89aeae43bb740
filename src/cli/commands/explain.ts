import type { Command } from 'commander';
import type { ExplainOptions } from '../explain.js';
import { command } from '../terminal/command.js';
import { idOf } from '../terminal/options.js';

export const explainCommand = (): Command =>
  command(
    'explain',
    'what a delegation or a person may do now, and which layer says so',
    '--delegation 01J… --scope invoices:read',
    '--user rosa.lind',
  )
    .option('--delegation <id>', 'the rights of whoever acts under this delegation', idOf)
    .option('--user <name>', 'the rights of a person who acts in person')
    .option('--scope <scope>', 'the decision about this one scope')
    .action(async (options: ExplainOptions) => (await import('../explain.js')).explain(options));
