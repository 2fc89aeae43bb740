import type { Command } from 'commander';
import type { GrantsOptions } from '../grants.js';
import { command } from '../terminal/command.js';

export const grantsCommand = (): Command =>
  command(
    'grants',
    'the least rights in MySQL with which a server can serve a company folder, as statements to run',
    "company --account \"'behalf'@'10.0.0.%'\"",
  )
    .argument('<folder>', 'the company folder')
    .requiredOption('--account <account>', 'the account of the server, with quotes as MySQL writes it')
    .action(async (folder: string, options: GrantsOptions) =>
      (await import('../grants.js')).grants(folder, options),
    );
