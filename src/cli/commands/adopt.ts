import type { Command } from 'commander';
import type { AdoptOptions } from '../adopt.js';
import { command } from '../terminal/command.js';

export const adoptCommand = (): Command =>
  command(
    'adopt',
    'write types to be decided on for the tables of a database that are not Behalf’s own; again, tell what is new and gone (then with exit code 3)',
    '--out company',
    '--database mysql://reader@db.internal/shop --out company',
    '--out company --table film --table film_actor',
  )
    .requiredOption('--out <folder>', 'the company folder; files that are there stay as they are')
    .option('--database <url>', 'the database (default: the one in DATABASE_URL)')
    .option('--table <name...>', 'only these tables')
    .action(async (options: AdoptOptions) => (await import('../adopt.js')).adopt(options));
