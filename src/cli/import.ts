import { inWorkshop, recordLine } from './operator/in-workshop.js';
import type { JsonOption } from './terminal/command.js';
import { answer, clean, columns, note } from './terminal/output.js';
import { importBusiness, type BusinessReport } from '../import/business.js';
import { classificationOf } from '../import/document-file.js';
import { importDocuments, type DocumentsReport } from '../import/documents.js';
import { importable } from '../import/importable-tables.js';
import { inputFaultText, type InputFault } from '../operator/input-faults.js';

interface ImportOptions extends JsonOption {
  readonly as?: string;
  readonly dryRun?: boolean;
}
export interface DocumentsOptions extends ImportOptions {
  readonly source?: string;
  readonly collection: string;
  readonly classification: string;
  readonly baseUrl?: string;
  readonly skipFaulty?: boolean;
}
export interface BusinessOptions extends ImportOptions {
  readonly mapping: string;
}

/** `behalf import documents` */
export async function runDocuments(folder: string, options: DocumentsOptions): Promise<void> {
  const { json, dryRun = false } = options;
  const classification = classificationOf(options.classification);
  const report = await inWorkshop(json, (workshop) =>
    importDocuments(workshop, { ...options, folder, dryRun, classification }),
  );
  tell('Left out', report.skipped);
  tell('Warning', report.warnings);
  answer(json, { command: 'import documents', dryRun, ...report }, () => documentsLines(report, dryRun));
}

/** `behalf import business` */
export async function runBusiness(
  folder: string,
  { as, json, mapping, dryRun = false }: BusinessOptions,
): Promise<void> {
  const entities = importable();
  const report = await inWorkshop(json, (workshop) =>
    importBusiness(workshop, entities, { folder, mapping, as, dryRun }),
  );
  answer(json, { command: 'import business', dryRun, ...report }, () => businessLines(report, dryRun));
}

/** On standard error, so that a pipe gets the answer alone. */
const tell = (what: string, faults: readonly InputFault[]): void => {
  for (const fault of faults) note(clean(`${what}: ${inputFaultText(fault)}`));
};

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
