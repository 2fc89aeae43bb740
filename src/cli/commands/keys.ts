import type { Command } from 'commander';
import type { RotateKeysOptions } from '../keys.js';
import { command, group, type JsonOption } from '../terminal/command.js';
import { asOption } from '../terminal/options.js';

export const keysCommand = (): Command =>
  group(
    'keys',
    'the keys with which the server signs',
    command('keys list', 'which keys there are, and since when each signs', '').action(
      async (options: JsonOption) => (await import('../keys.js')).list(options),
    ),
    command('keys rotate', 'make a new key, without a break', '--as admin', '--at-once --as admin')
      .option('--at-once', 'a key has leaked: sign with the new one now, and delete all others')
      .option(...asOption)
      .addHelpText(
        'after',
        '\nThe new key is published now and signs ten minutes later, so that verifiers know it; the one before is published\nfor a day more. Servers see it at once.',
      )
      .action(async (options: RotateKeysOptions) => (await import('../keys.js')).rotate(options)),
  );
