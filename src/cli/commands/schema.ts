import type { Command } from 'commander';
import { command, group, type JsonOption } from '../terminal/command.js';

export const schemaCommand = (): Command =>
  group(
    'schema',
    'what callers can see',
    command(
      'schema print',
      'the whole schema with the scope of every coordinate, what is made of tables included',
      '',
      'Order OrderFilter',
    )
      .argument('[names...]', 'only these types')
      .action(async (names: readonly string[], options: JsonOption) =>
        (await import('../schema.js')).printSchema(names, options),
      ),
  );
