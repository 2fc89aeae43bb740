import type { Command } from 'commander';
import { command, type JsonOption } from '../terminal/command.js';

export const migrateCommand = (): Command =>
  command('migrate', 'make the database, or bring it up to this version', '').action(
    async (options: JsonOption) => (await import('../migrate.js')).migrate(options),
  );
