import type { Command } from 'commander';
import { command, type JsonOption } from '../terminal/command.js';

export const checkCommand = (): Command =>
  command(
    'check',
    'whether a server could serve a company folder over the database in DATABASE_URL, and what is undecided or wrong',
    'company',
  )
    .argument('<folder>', 'the company folder')
    .action(async (folder: string, options: JsonOption) =>
      (await import('../check.js')).check(folder, options),
    );
