import type { Command } from 'commander';
import { systemClock } from '../core/clock.js';
import { makeIds } from '../core/ids.js';
import { classifications } from '../domains/knowledge/tables.js';
import { withDatabase } from './operator/with-database.js';
import { command, group, type JsonOption } from './terminal/command.js';
import { answer, clean, columns, note, print, progress } from './terminal/output.js';
import { importBusiness, type BusinessReport } from '../import/business.js';
import { classificationOf } from '../import/document-file.js';
import { importDocuments, type DocumentsReport } from '../import/documents.js';
import { importable } from '../import/importable-tables.js';
import { ImportRefused, wording, type Fault } from '../import/import-faults.js';
import type { Workshop } from '../import/recorded-run.js';
import { baseUrlOf } from '../import/source-address.js';

interface ImportOptions extends JsonOption {
  readonly as?: string;
  readonly dryRun?: boolean;
}
interface DocumentsOptions extends ImportOptions {
  readonly source?: string;
  readonly collection: string;
  readonly classification: string;
  readonly baseUrl?: string;
  readonly skipFaulty?: boolean;
}
interface BusinessOptions extends ImportOptions {
  readonly mapping: string;
}

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
  ).action(runDocuments);

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
  ).action(runBusiness);

const shared = (made: Command): Command =>
  made
    .option('--as <user>', 'the person who answers for the import; needed unless it is a dry run')
    .option('--dry-run', 'check everything and tell what would be done, without doing it')
    .addHelpText('after', about);

async function runDocuments(folder: string, options: DocumentsOptions): Promise<void> {
  const { json, dryRun = false } = options;
  const classification = classificationOf(options.classification);
  const report = await run(json, (workshop) =>
    importDocuments(workshop, { ...options, folder, dryRun, classification }),
  );
  tell('Left out', report.skipped);
  tell('Warning', report.warnings);
  answer(json, { command: 'import documents', dryRun, ...report }, () => documentsLines(report, dryRun));
}

async function runBusiness(
  folder: string,
  { as, json, mapping, dryRun = false }: BusinessOptions,
): Promise<void> {
  const entities = importable();
  const report = await run(json, (workshop) =>
    importBusiness(workshop, entities, { folder, mapping, as, dryRun }),
  );
  answer(json, { command: 'import business', dryRun, ...report }, () => businessLines(report, dryRun));
}

/** With `--json`, a refusal is answered as JSON too, fault by fault, beside the text on standard error. */
async function run<T>(json: boolean | undefined, work: (workshop: Workshop) => Promise<T>): Promise<T> {
  try {
    return await withDatabase((database) =>
      work({ database, clock: systemClock, ids: makeIds(systemClock), progress }),
    );
  } catch (error) {
    if (json === true && error instanceof ImportRefused)
      print(JSON.stringify({ error: { code: error.code, faults: error.faults } }, null, 2));
    throw error;
  } finally {
    progress('');
  }
}

/** On standard error, so that a pipe gets the answer alone. */
const tell = (what: string, faults: readonly Fault[]): void => {
  for (const fault of faults) note(clean(`${what}: ${wording(fault)}`));
};

const recordLine = (operationId: string | null): string =>
  operationId === null ? 'This was a dry run: nothing was changed.' : `Audit record: ${operationId}`;

const vanishedTold = 10;

const documentsLines = (report: DocumentsReport, dryRun: boolean): string[] => [
  `${String(report.documents)} documents of ${clean(report.source)}${dryRun ? ' (dry run)' : ''}:`,
  ...columns([
    ['  created', String(report.created)],
    ['  updated', String(report.updated)],
    ['  unchanged', String(report.unchanged)],
    ['  gone from the source', String(report.vanished.length)],
    ...[report.skipped.length].filter((count) => count > 0).map((count) => ['  left out', String(count)]),
  ]),
  ...report.vanished
    .slice(0, vanishedTold)
    .map(({ path, title }) => `    ${clean(title)}${path === null ? '' : ` (${clean(path)})`}`),
  recordLine(report.operationId),
];

const businessLines = (report: BusinessReport, dryRun: boolean): string[] => [
  `${clean(report.source)}${dryRun ? ' (dry run)' : ''}:`,
  ...columns([
    ['', 'created', 'updated', 'unchanged', 'gone from the source'],
    ...Object.entries(report.entities).map(([name, counts]) => [
      `  ${name}`,
      ...[counts.created, counts.updated, counts.unchanged, counts.vanished].map(String),
    ]),
  ]),
  recordLine(report.operationId),
];
