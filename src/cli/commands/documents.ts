import type { Command } from 'commander';
import type { ReportOptions, SyncOptions } from '../documents.js';
import { command, group, type JsonOption } from '../terminal/command.js';
import { sinceOption } from '../terminal/options.js';

const about = `
A document's name is that of its operation. Its hash is taken of the file's exact bytes, so clients must send, or
hash, exactly those. All files are registered together, or none. On SQLite a server on the same database cannot write
meanwhile.`;

/** `behalf documents` */
export const documentsCommand = (): Command =>
  group(
    'documents',
    'registered operations, which roles can be bound to',
    command(
      'documents sync',
      'register every *.graphql file below a folder',
      './operations --as admin',
      './operations --prune --dry-run',
    )
      .argument('<dir>', 'the folder; each file has one operation and its fragments')
      .option('--as <user>', 'the person who decides this; needed unless it is a dry run')
      .option('--prune', 'retire what is registered and has no file')
      .option('--dry-run', 'check everything and tell what would be done, without doing it')
      .addHelpText('after', about)
      .action(async (folder: string, options: SyncOptions) =>
        (await import('../documents.js')).sync(folder, options),
      ),
    command('documents list', 'which documents are registered', '').action(async (options: JsonOption) =>
      (await import('../documents.js')).list(options),
    ),
    command('documents history', 'what a name stands and stood for, and who said so', 'OpenTickets')
      .argument('<name>', 'the name of the document')
      .action(async (name: string, options: JsonOption) =>
        (await import('../documents.js')).history(name, options),
      ),
    command(
      'documents report',
      'what ran, or was refused, without being registered, for each role that is `logged` or `registered`',
      '--since 7d',
      '--role support-agent --json',
    )
      .option('--role <role>', 'for this role alone')
      .option(...sinceOption)
      .action(async (options: ReportOptions) => (await import('../documents.js')).report(options)),
  );
