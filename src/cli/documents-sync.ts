import {
  DocumentsRefused,
  registerDocuments,
  retireDocument,
  activeDocuments,
} from '../admin/trusted-documents.js';
import type { Trail } from '../audit/trail.js';
import { badInput } from '../core/errors.js';
import type { DocumentRules } from '../delegation/trusted-documents.js';
import { readSchemaPolicy } from '../graphql/schema/schema-policy.js';
import { DocumentReach, documentRules } from '../graphql/document/document-check.js';
import { executableSchema } from '../graphql/schema/executable-schema.js';
import { readSdl } from '../graphql/schema/sdl.js';
import type { Connection } from '../store/sql/connection.js';
import type { UserRow } from '../store/tables/identity.js';
import { InputFaults } from '../operator/input-faults.js';
import { recordedRun, responsible, type RunOptions, type Workshop } from '../operator/recorded-run.js';
import { pathsBelow } from '../company/read-files.js';
import { inFiles, readOperations, type OperationFile } from '../company/read-operations.js';
import { requireScope } from '../operator/recorded-change.js';

export interface SyncOptions extends RunOptions {
  readonly folder: string;
  /** Retires documents without a file. */
  readonly prune: boolean;
  /** The SDL that documents are checked against. Default: all that ships. */
  readonly sdl?: string;
}

export interface SyncReport {
  readonly documents: number;
  readonly created: number;
  readonly replaced: number;
  readonly unchanged: number;
  /** Names. */
  readonly retired: readonly string[];
  /** Names of documents that have no file and stay. */
  readonly withoutFile: readonly string[];
  readonly operationId: string | null;
}

/**
 * Registers every `*.graphql` file below a folder under the name of its operation, all or none. Throws `InputRefused`
 * with every fault of every file.
 */
export async function syncDocuments(workshop: Workshop, options: SyncOptions): Promise<SyncReport> {
  const { progress, clock, ids, database } = workshop;
  await responsible(database.read, options);
  const sdl = executableSchema(options.sdl ?? readSdl(), []);
  const rules = documentRules(new DocumentReach(sdl, readSchemaPolicy(sdl).scopes));
  const files = await checkedFiles(options.folder, rules, progress);
  const run = async (tx: Connection, trail: Trail, person: UserRow | undefined) => {
    progress('registering');
    if (person !== undefined) await requireScope(database, tx, person, 'operations:register');
    const work = { tx, clock, ids, trail };
    const by = person?.id ?? '';
    const { rows, ...counts } = await registerDocuments(work, rules, by, files).catch((error: unknown) => {
      throw error instanceof DocumentsRefused ? inFiles(error, files, 'registered') : error;
    });
    const here = new Set(files.map(({ name }) => name));
    const others = (await activeDocuments(tx)).filter(({ name }) => !here.has(name));
    if (options.prune) for (const row of others) await retireDocument(work, by, row);
    const names = others.map(({ name }) => name);
    return {
      documents: rows.length,
      ...counts,
      ...(options.prune ? { retired: names, withoutFile: [] } : { retired: [], withoutFile: names }),
    };
  };
  const detail = ({ created, replaced, unchanged, retired }: Omit<SyncReport, 'operationId'>) => ({
    counts: { created, replaced, unchanged, retired: retired.length },
  });
  const { result, operationId } = await recordedRun(workshop, options, {
    command: 'documents sync',
    detail,
    run,
  });
  return { ...result, operationId };
}

async function checkedFiles(
  folder: string,
  rules: DocumentRules,
  progress: Workshop['progress'],
): Promise<OperationFile[]> {
  const paths = await pathsBelow(folder, '.graphql');
  if (paths === undefined) throw badInput(`${folder} is no folder.`);
  if (paths.length === 0) throw badInput(`There is no *.graphql file below ${folder}.`);
  const faults = new InputFaults('registered');
  const files = await readOperations(folder, paths, rules, faults, { progress });
  faults.refuse();
  return files;
}
