import { readFile, readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
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
import { Faults, ImportRefused } from '../import/import-faults.js';
import { recordedRun, responsible, type RunOptions, type Workshop } from '../import/recorded-run.js';
import { requireScope } from '../operator/recorded-change.js';

export interface SyncOptions extends RunOptions {
  readonly folder: string;
  /** Retires documents without a file. */
  readonly prune: boolean;
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

interface DocumentFile {
  readonly path: string;
  readonly name: string;
  readonly source: string;
}

const bytesMax = 400_000;

/**
 * Registers every `*.graphql` file below a folder under the name of its operation, all or none. Throws `ImportRefused`
 * with every fault of every file.
 */
export async function syncDocuments(workshop: Workshop, options: SyncOptions): Promise<SyncReport> {
  const { progress, clock, ids, database } = workshop;
  await responsible(database.read, options);
  const sdl = executableSchema(readSdl(), []);
  const rules = documentRules(new DocumentReach(sdl, readSchemaPolicy(sdl).scopes));
  const files = await checkedFiles(options.folder, rules, progress);
  const run = async (tx: Connection, trail: Trail, person: UserRow | undefined) => {
    progress('registering');
    if (person !== undefined) await requireScope(database, tx, person, 'operations:register');
    const work = { tx, clock, ids, trail };
    const by = person?.id ?? '';
    const { rows, ...counts } = await registerDocuments(work, rules, by, files).catch((error: unknown) => {
      throw error instanceof DocumentsRefused ? inFiles(error, files) : error;
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

/** Faults between files and registered documents, reported by file. */
const inFiles = ({ faults }: DocumentsRefused, files: readonly DocumentFile[]): ImportRefused =>
  new ImportRefused(
    faults.map(({ name, message }) => ({
      file: files.find((file) => file.name === name)?.path ?? name,
      reason: message,
    })),
    'registered',
  );

async function checkedFiles(
  folder: string,
  rules: DocumentRules,
  progress: Workshop['progress'],
): Promise<DocumentFile[]> {
  const paths = await graphqlFiles(folder);
  const faults = new Faults('registered');
  const byName = new Map<string, DocumentFile>();
  for (const [index, path] of paths.entries()) {
    if (index % 20 === 0) progress(`checking ${String(index)} of ${String(paths.length)}`);
    const file = await readDocument(folder, path, rules, faults);
    const twin = file === undefined ? undefined : byName.get(file.name);
    if (twin !== undefined)
      faults.add({ file: path, reason: `${twin.path} has an operation of this name too.` });
    if (file !== undefined) byName.set(file.name, file);
  }
  faults.refuse();
  return [...byName.values()];
}

/** Paths below the folder, joined by `/`, in the order of their characters. Skips hidden files and links. */
async function graphqlFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw badInput(`${folder} cannot be read as a folder: ${String((cause as { code?: unknown }).code)}.`);
  });
  const paths = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.graphql'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !/(^|\/)\./.test(path))
    .sort((a, b) => (a < b ? -1 : 1));
  if (paths.length === 0) throw badInput(`There is no *.graphql file below ${folder}.`);
  return paths;
}

async function readDocument(
  folder: string,
  path: string,
  rules: DocumentRules,
  faults: Faults,
): Promise<DocumentFile | undefined> {
  const file = join(folder, path);
  if ((await stat(file)).size > bytesMax) {
    faults.add({ file: path, reason: `The file is larger than ${String(bytesMax)} bytes.` });
    return undefined;
  }
  const source = textOf(await readFile(file));
  if (source === undefined) {
    faults.add({ file: path, reason: 'The file is not UTF-8.' });
    return undefined;
  }
  const outcome = rules.check(source);
  if ('faults' in outcome) {
    for (const { message, line, column } of outcome.faults) {
      const at = line === null ? {} : { line, column: `column ${String(column ?? 1)}` };
      faults.add({ file: path, ...at, reason: message });
    }
    return undefined;
  }
  const name = outcome.operationName;
  if (name !== undefined) return { path, name, source };
  faults.add({ file: path, reason: 'Give the operation a name: it becomes the name of the document.' });
  return undefined;
}

/** Every byte counts for the hash, a byte order mark too. */
function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
