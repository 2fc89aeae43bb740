import type { Command } from 'commander';
import { classifications } from '../../domains/knowledge/tables.js';
import { baseUrlOf } from '../../import/source-address.js';
import type { BusinessOptions, DocumentsOptions } from '../import.js';
import { command, group } from '../terminal/command.js';

const about = `
An import is an operator's act on the database: no role and no boundary of a caller applies. What it changes is
recorded with the person (--as), the operator, the source and what was touched.

Everything is checked before the first write: what is refused changes nothing. A large import is written in parts,
each in a transaction with its own record, so that a server on the same database goes on meanwhile; the records share
\`run\`. Cut off in between, it is finished by the same command. Run again, it changes only what has changed in the
source, which wins over changes made here since. What is gone from the source is reported and stays.`;

/** `behalf import` */
export const importCommand = (): Command =>
  group(
    'import',
    'bring documents and business data into the database',
    documentsCommand(),
    businessCommand(),
  );

const documentsCommand = (): Command =>
  shared(
    command(
      'import documents',
      'bring every Markdown file below a folder into the knowledge base',
      './handbook --as admin',
      './handbook --source handbook --classification public --dry-run',
    )
      .argument('<dir>', 'the folder; each folder directly below it is a collection')
      .option(
        '--source <name>',
        'what keeps documents of several imports apart (default: the name of the folder)',
      )
      .option('--collection <name>', 'for files that lie directly in the folder', 'general')
      .option(
        '--classification <level>',
        `for files whose front matter has no \`classification\`: ${classifications.join(', ')}`,
        'internal',
      )
      .option(
        '--base-url <url>',
        'where the pages are on the web: their paths are put after it, or in place of `{page}` without `.md`',
        baseUrlOf,
      )
      .option('--skip-faulty', 'import the rest where files are at fault, and tell which were left out'),
  ).action(async (folder: string, options: DocumentsOptions) =>
    (await import('../import.js')).runDocuments(folder, options),
  );

const businessCommand = (): Command =>
  shared(
    command(
      'import business',
      'bring CSV files into the business tables, as a mapping says',
      './northwind --mapping examples/northwind/mapping.yaml --as admin',
      './northwind --mapping examples/northwind/mapping.yaml --dry-run --json',
    )
      .argument('<dir>', 'the folder with the files')
      .requiredOption('--mapping <file>', 'which column fills which field (YAML); see examples/northwind'),
  ).action(async (folder: string, options: BusinessOptions) =>
    (await import('../import.js')).runBusiness(folder, options),
  );

const shared = (made: Command): Command =>
  made
    .option('--as <user>', 'the person who answers for the import; needed unless it is a dry run')
    .option('--dry-run', 'check everything and tell what would be done, without doing it')
    .addHelpText('after', about);
