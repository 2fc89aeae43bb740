import type { Command } from 'commander';
import type { SeedOptions } from '../seed.js';
import { command } from '../terminal/command.js';

export const seedCommand = (): Command =>
  command('seed', 'load the demo company into the configured database, which must be empty', '')
    .option('--secrets-folder <folder>', 'where passwords and agents’ secrets are written', 'data')
    .action(async (options: SeedOptions) => (await import('../seed.js')).seed(options));
