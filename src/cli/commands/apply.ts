import type { Command } from 'commander';
import type { ApplyOptions } from '../apply.js';
import { command } from '../terminal/command.js';

const about = `
A folder is company policy to be reviewed in git: each file in roles/ is a role, each file in operations/ an operation to
be registered under its name. Everything is checked first, and every fault is told with its file and line. Then all of it
is made so in one transaction with one record, or nothing is. Nothing is asked: --dry-run shows the plan alone.

A role that was made from the folder and has no file any more loses its scopes, such an operation is retired; the records
of earlier runs tell which those are. What was made in another way is left alone, unless a file has its name. A folder
without roles/ says nothing about roles, and one without operations/ nothing about operations.`;

export const applyCommand = (): Command =>
  command(
    'apply',
    'make the roles and registered operations of a company folder so',
    'company --as admin --dry-run',
    'company --as admin',
  )
    .argument('<folder>', 'the company folder')
    .requiredOption('--as <user>', 'the person who decides this; it stays within what they may grant')
    .option('--dry-run', 'check everything and show the plan, without changing anything')
    .addHelpText('after', about)
    .action(async (folder: string, options: ApplyOptions) =>
      (await import('../apply.js')).apply(folder, options),
    );
