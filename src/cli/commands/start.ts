import type { Command } from 'commander';
import { settings } from '../../config.js';
import type { StartOptions } from '../start.js';
import { command } from '../terminal/command.js';

const defaultDatabase = settings.DATABASE_URL.parse(undefined);

export const startCommand = (): Command =>
  command('start', 'serve until a signal asks for the end', '', '--json')
    .option('--demo', `migrate first, and load the demo company into an empty ${defaultDatabase}`)
    .action(async (options: StartOptions) => (await import('../start.js')).start(options));
