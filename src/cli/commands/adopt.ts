import type { Command } from 'commander';
import type { AdoptOptions } from '../adopt.js';
import { command } from '../terminal/command.js';

export const adoptCommand = (): Command =>
  command(
    'adopt',
    'write types to be decided on for the tables of the database in DATABASE_URL that are not Behalf’s own',
    '--out company',
    '--out company --table film --table film_actor',
  )
    .requiredOption('--out <folder>', 'the company folder; files that are there stay as they are')
    .option('--table <name...>', 'only these tables')
    .action(async (options: AdoptOptions) => (await import('../adopt.js')).adopt(options));
