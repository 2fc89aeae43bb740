import type { Command } from 'commander';
import type { CheckOptions } from '../check.js';
import { command } from '../terminal/command.js';

export const checkCommand = (): Command =>
  command(
    'check',
    'whether a server could serve a company folder over a database, and what is undecided or wrong',
    'company',
    'company --database mysql://reader@db.internal/shop',
  )
    .argument('<folder>', 'the company folder')
    .option('--database <url>', 'the database of its tables (default: the one in DATABASE_URL)')
    .action(async (folder: string, options: CheckOptions) =>
      (await import('../check.js')).check(folder, options),
    );
