import { importBusiness, type BusinessReport } from '../../src/import/business.js';
import { importDocuments, type DocumentOptions, type DocumentsReport } from '../../src/import/documents.js';
import { importable } from '../../src/import/importable-tables.js';
import { prefixed } from '../../src/store/tables/table.js';
import type { TestServer } from './server.js';

const workshopOf = ({ database, clock, ids }: TestServer) => ({
  database,
  clock,
  ids,
  progress: () => undefined,
});

let entities: ReturnType<typeof importable> | undefined;

/** Read once for a worker: it is the same for every server. */
export const importableEntities = (): ReturnType<typeof importable> => (entities ??= importable());

interface Run {
  readonly as?: string;
  readonly dryRun?: boolean;
}

/** As the command, without its output. */
export const importFolder = (
  server: TestServer,
  folder: string,
  {
    dryRun = false,
    ...more
  }: Run & Partial<Pick<DocumentOptions, 'source' | 'classification' | 'baseUrl' | 'skipFaulty'>>,
): Promise<DocumentsReport> =>
  importDocuments(workshopOf(server), {
    folder,
    collection: 'general',
    classification: 'internal',
    ...more,
    dryRun,
  });

/** As the command, without its output. */
export const importFiles = (
  server: TestServer,
  folder: string,
  { dryRun = false, ...more }: Run & { mapping: string },
): Promise<BusinessReport> =>
  importBusiness(workshopOf(server), importableEntities(), { folder, ...more, dryRun });

/** Every row of the tables that an import writes, the log included. */
export async function everything({ database }: TestServer): Promise<Record<string, unknown[]>> {
  const tables = [
    ...importableEntities().keys(),
    'collections',
    'documents',
    'document_versions',
    'passages',
  ];
  const found: Record<string, unknown[]> = {};
  for (const table of [...tables, 'import_keys', 'audit_records'])
    found[table] = (await database.read.query(`SELECT * FROM \`${prefixed(table)}\``))
      .map((row) => JSON.stringify(row))
      .sort();
  return found;
}

/** The rows that an import writes, without the records of imports. */
export async function contents(server: TestServer): Promise<Record<string, unknown[]>> {
  return { ...(await everything(server)), audit_records: [] };
}
