import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import type { Trail } from '../audit/trail.js';
import { isoTime } from '../core/clock.js';
import { sha256 } from '../core/digest.js';
import { badInput, conflict } from '../core/errors.js';
import { oneLine } from '../core/checked-text.js';
import { passagesOf } from '../domains/knowledge/passages.js';
import { collections, documents, type Classification } from '../domains/knowledge/tables.js';
import {
  bodyBytesMax,
  importKeyOf,
  upsertImportedDocument,
  type ImportedDocument,
} from '../domains/knowledge/document-writes.js';
import { all } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { readDocument, type DocumentText } from './document-file.js';
import { InputFaults, InputRefused, type InputFault } from '../operator/input-faults.js';
import { FolderCollections, type FolderCollection } from './folder-collections.js';
import {
  recordedParts,
  responsible,
  type Part,
  type RunOptions,
  type Workshop,
} from '../operator/recorded-run.js';
import { addressOf } from './source-address.js';
import { isStored, storedDocuments, storedId, vanishedDocuments, type Vanished } from './stored-documents.js';

export interface DocumentOptions extends RunOptions {
  readonly folder: string;
  /** The namespace of external ids. Default: the folder's name. */
  readonly source?: string | undefined;
  /** For files directly in the imported folder. */
  readonly collection: string;
  /** For files that state no classification. */
  readonly classification: Classification;
  /** The web address of the pages. */
  readonly baseUrl?: string | undefined;
  /** Whether to import the other files where some are faulty. */
  readonly skipFaulty?: boolean | undefined;
}

export interface DocumentsReport {
  readonly source: string;
  readonly documents: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Documents of this source whose file is gone. They stay as they are. */
  readonly vanished: readonly Vanished[];
  /** Files left out for their faults, with `skipFaulty`. Their documents stay as they were. */
  readonly skipped: readonly InputFault[];
  /** Files left out because they are empty. */
  readonly warnings: readonly InputFault[];
  readonly operationId: string | null;
}

interface CheckedFile {
  readonly path: string;
  readonly collection: FolderCollection;
  readonly digest: string;
  readonly bytes: number;
}

interface Counts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
}

/** The size of one transaction: some milliseconds for one long page or many short ones. */
const [partFiles, partBytes] = [100, 512 * 1024];
/** Both databases can store a path of this length. */
const pathLengthMax = 1_000;

/**
 * Imports every Markdown file below a folder into the knowledge base. All files are read and checked before
 * the first write, so that a refused import changes nothing. The writes are split into short transactions,
 * because SQLite has only one writer.
 */
export async function importDocuments(
  workshop: Workshop,
  options: DocumentOptions,
): Promise<DocumentsReport> {
  const source = oneLine(options.source ?? basename(resolve(options.folder)), 60, 'source');
  const { read } = workshop.database;
  await responsible(read, options);
  const paths = await markdownFiles(options.folder);
  const faults = new InputFaults('imported', options.skipFaulty === true ? Infinity : undefined);
  const warnings: InputFault[] = [];
  const folders = await foldersOf(read, source, options, paths);
  const files: CheckedFile[] = [];
  for (const [index, path] of paths.entries()) {
    if (index % 20 === 0) workshop.progress(`checking ${String(index)} of ${String(paths.length)}`);
    const file = await check(options, path, folders, faults, warnings);
    if (file !== undefined) files.push(file);
  }
  if (options.skipFaulty !== true) faults.refuse();
  if (files.length === 0) throw new InputRefused([...faults.all, ...warnings]);
  const parts = partsOf(files);
  const leftOut = { skipped: faults.count, warnings: warnings.length };
  const gone = await vanishedDocuments(read, source, paths);
  const { results, operationId } = await recordedParts<Counts>(workshop, options, {
    command: 'import documents',
    count: parts.length,
    parts: writing(workshop, options, source, parts),
    detail: (done, isLast) => ({
      source,
      counts: { ...(parts.length > 1 ? done.at(-1) : sumOf(done)), ...(isLast && { vanished: gone.length }) },
      ...(isLast && {
        ...(parts.length > 1 && { total: sumOf(done) }),
        ...(leftOut.skipped + leftOut.warnings > 0 && { leftOut }),
        content: sha256(files.map(({ path, digest }) => `${path} ${digest}\n`).join('')),
      }),
    }),
  });
  const notes = { skipped: faults.all, warnings, operationId };
  return { source, documents: files.length, ...sumOf(results), vanished: gone, ...notes };
}

const sumOf = (all: readonly Counts[]): Counts =>
  all.reduce(
    (sum, one) => ({
      created: sum.created + one.created,
      updated: sum.updated + one.updated,
      unchanged: sum.unchanged + one.unchanged,
    }),
    { created: 0, updated: 0, unchanged: 0 },
  );

/** Paths below the folder, with `/`, sorted. Without hidden files and links. */
async function markdownFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw badInput(`${folder} cannot be read as a folder: ${String((cause as { code?: unknown }).code)}.`);
  });
  const paths = entries
    .filter((entry) => entry.isFile() && /\.(?:md|markdown)$/i.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !/(^|\/)\./.test(path))
    .sort((a, b) => (a < b ? -1 : 1));
  if (paths.length === 0) throw badInput(`There is no Markdown file below ${folder}.`);
  return paths;
}

/** The folder that determines a file's collection. */
const folderOf = (path: string, { collection }: DocumentOptions): string =>
  path.includes('/') ? (path.split('/')[0] ?? '') : collection;

async function foldersOf(
  connection: Connection,
  source: string,
  options: DocumentOptions,
  paths: readonly string[],
): Promise<FolderCollections> {
  const present = new Map((await connection.select(collections, all())).map(({ key, name }) => [key, name]));
  const brought = new Map(
    (await storedDocuments(connection, source)).map(({ externalId, collection }) => [externalId, collection]),
  );
  const before = new Map<string, Set<string>>();
  for (const path of paths) {
    const key = brought.get(importKeyOf({ source, externalId: path }).externalId);
    const folder = folderOf(path, options);
    if (key !== undefined) before.set(folder, (before.get(folder) ?? new Set()).add(key));
  }
  return new FolderCollections(
    paths.map((path) => folderOf(path, options)),
    present,
    before,
  );
}

async function check(
  options: DocumentOptions,
  path: string,
  folders: FolderCollections,
  faults: InputFaults,
  warnings: InputFault[],
): Promise<CheckedFile | undefined> {
  const place = { file: path, line: 1 };
  const file = join(options.folder, path);
  if ((await stat(file)).size > bodyBytesMax) {
    faults.add({ ...place, reason: 'The file is larger than 1 MiB.' });
    return undefined;
  }
  const bytes = await readFile(file);
  const text = readDocument(path, bytes, faults);
  if (text === 'empty') warnings.push({ ...place, reason: 'The page is empty and was left out.' });
  if (text === undefined || text === 'empty') return undefined;
  try {
    oneLine(path, pathLengthMax, 'path');
    const collection = folders.collection(folderOf(path, options));
    return { path, collection, digest: digestOf(bytes), bytes: bytes.length };
  } catch (error) {
    faults.caught(error, place);
    return undefined;
  }
}

const digestOf = (bytes: Buffer): string => sha256(bytes.toString('latin1'));

/**
 * Splits files in order into parts of few files and few bytes. At least one part, and at least one file per
 * part.
 */
function partsOf(files: readonly CheckedFile[]): CheckedFile[][] {
  const parts: CheckedFile[][] = [[]];
  let bytes = 0;
  for (const file of files) {
    const last = parts.at(-1) ?? [];
    if (last.length > 0 && (last.length === partFiles || bytes + file.bytes > partBytes)) {
      parts.push([file]);
      bytes = file.bytes;
    } else {
      last.push(file);
      bytes += file.bytes;
    }
  }
  return parts;
}

/** Builds the passages of each part before its transaction begins, because that takes long. */
async function* writing(
  workshop: Workshop,
  options: DocumentOptions,
  source: string,
  parts: readonly (readonly CheckedFile[])[],
): AsyncGenerator<Part<Counts>> {
  const { database, clock, ids, progress } = workshop;
  let done = 0;
  for (const files of parts) {
    progress(`writing part ${String((done += 1))} of ${String(parts.length)}`);
    const toWrite: DocumentToWrite[] = [];
    for (const file of files) {
      const document = await read(options, source, file);
      const isNew = !(await isStored(database.read, document));
      toWrite.push({ ...document, ...(isNew && { passages: await passagesOf(document) }) });
    }
    yield async (tx, trail, person) => {
      const counts = { created: 0, updated: 0, unchanged: 0 };
      const by = person?.displayName ?? 'dry run';
      const at = isoTime(clock.now());
      for (const document of toWrite) {
        const outcome = await upsertImportedDocument(tx, { ...document, at, by }, ids);
        counts[outcome] += 1;
        if (outcome !== 'unchanged') await touched(tx, document, outcome, trail);
      }
      return counts;
    };
  }
}

type DocumentToWrite = Omit<ImportedDocument, 'at' | 'by'>;

async function read(options: DocumentOptions, source: string, file: CheckedFile): Promise<DocumentToWrite> {
  const { path, collection, digest } = file;
  const bytes = await readFile(join(options.folder, path));
  const text: DocumentText | 'empty' | undefined =
    digestOf(bytes) === digest ? readDocument(path, bytes, new InputFaults()) : undefined;
  if (text === undefined || text === 'empty')
    throw conflict(`${path} changed while it was imported. Run the import again.`);
  const { title, body, classification = options.classification } = text;
  return {
    ...{ source, externalId: path, title, body, classification },
    ...{ collection: collection.key, collectionName: collection.name },
    sourcePath: oneLine(path, pathLengthMax, 'path'),
    sourceUrl: options.baseUrl === undefined ? null : addressOf(options.baseUrl, path),
  };
}

async function touched(
  tx: Connection,
  document: DocumentToWrite,
  outcome: 'created' | 'updated',
  trail: Trail,
): Promise<void> {
  const id = await storedId(tx, document);
  if (id !== undefined) trail.touched(documents.type, [id], outcome === 'created' ? 'create' : 'update');
}
