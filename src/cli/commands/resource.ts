import type { Command } from 'commander';
import type { AsOption } from '../../operator/recorded-change.js';
import type { AddResourceOptions } from '../resource.js';
import { command, group, type JsonOption } from '../terminal/command.js';
import { asOption } from '../terminal/options.js';

export const resourceCommand = (): Command =>
  group(
    'resource',
    'other servers that take tokens of this one (RFC 8707)',
    command(
      'resource add',
      'let another server take tokens, and introspect those that are for it',
      'company-mcp --identifier https://mcp.example.com/mcp --scope tickets:read --as admin',
    )
      .argument('<name>', 'its name in commands')
      .requiredOption('--identifier <url>', 'its resource identifier, exactly as clients name it')
      .requiredOption('--scope <scope...>', 'the scopes that its tokens may have')
      .option('--public-keys <file>', 'a JSON Web Key Set; with it the server signs and has no secret')
      .option(
        '--secret-file <file>',
        'write the secret into this new file, for you alone, and do not print it',
      )
      .option(...asOption)
      .action(async (name: string, options: AddResourceOptions) =>
        (await import('../resource.js')).add(name, options),
      ),
    command('resource list', 'which other servers take tokens', '').action(async (options: JsonOption) =>
      (await import('../resource.js')).list(options),
    ),
    command(
      'resource remove',
      'issue no more tokens for a server; its tokens count for nothing',
      'company-mcp --as admin',
    )
      .argument('<name>')
      .option(...asOption)
      .action(async (name: string, options: AsOption) =>
        (await import('../resource.js')).remove(name, options),
      ),
  );
