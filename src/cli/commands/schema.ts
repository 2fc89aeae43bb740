import type { Command } from 'commander';
import type { SchemaOptions } from '../schema.js';
import { command, group } from '../terminal/command.js';

export const schemaCommand = (): Command =>
  group('schema', 'what callers can see', {
    byDefault: command(
      'schema print',
      'the whole schema with the scope of every coordinate, what is made of tables included; or what one agent can see of it',
      '',
      'Order OrderFilter',
      '--agent helpdesk-assistant > schema.graphql',
    )
      .argument('[names...]', 'only these types')
      .option('--agent <name>', 'only what the agent’s roles can reach, without scopes: for code generation')
      .action(async (names: readonly string[], options: SchemaOptions) =>
        (await import('../schema.js')).printSchema(names, options),
      ),
  });
