import { readFile, readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import type { Trail } from '../../audit/trail.js';
import { isoTime } from '../../core/clock.js';
import { sha256 } from '../../core/digest.js';
import { badInput, conflict } from '../../core/errors.js';
import { oneLine } from '../../core/text.js';
import { documents, type Classification } from '../../domains/knowledge/tables.js';
import {
  bodyBytesMax,
  collectionKeyOf,
  importKeyOf,
  upsertImportedDocument,
} from '../../domains/knowledge/write.js';
import { all, eq } from '../../store/condition.js';
import type { Connection } from '../../store/connection.js';
import { importKeys } from '../../store/tables/identity.js';
import { readDocument } from './document-file.js';
import { Faults } from './faults.js';
import { recordedRun, responsible, type RunOptions, type Workshop } from './recorded-run.js';

export interface DocumentOptions extends RunOptions {
  readonly folder: string;
  /** What keeps external ids apart; the folder's name unless given. */
  readonly source?: string | undefined;
  /** For files that lie in no folder below the imported one. */
  readonly collection: string;
  /** For files that do not say. */
  readonly classification: Classification;
}

export interface DocumentsReport {
  readonly source: string;
  readonly documents: number;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Documents of this source whose file is no longer there. They stay as they are. */
  readonly vanished: readonly Vanished[];
  readonly operationId: string | null;
}

export interface Vanished {
  /** Null where it is known by a digest alone: a long one, or one that is not plain letters. */
  readonly path: string | null;
  readonly title: string;
}

interface CheckedFile {
  readonly path: string;
  readonly collection: string;
  readonly digest: string;
}

/**
 * Brings every Markdown file below a folder into the knowledge base. Everything is read and checked before the
 * first write, and written in one transaction: the import is done whole, or not at all.
 */
export async function importDocuments(
  workshop: Workshop,
  options: DocumentOptions,
): Promise<DocumentsReport> {
  const { progress } = workshop;
  const source = oneLine(options.source ?? basename(resolve(options.folder)), 60, 'source');
  await responsible(workshop.database.read, options);
  const paths = await markdownFiles(options.folder);
  const faults = new Faults();
  const files: CheckedFile[] = [];
  for (const path of paths) {
    if (files.length % 20 === 0) progress(`checking ${String(files.length)} of ${String(paths.length)}`);
    const file = await check(options, path, faults);
    if (file !== undefined) files.push(file);
  }
  faults.refuse();
  const work = {
    command: 'import documents',
    detail: ({ created, updated, unchanged, vanished }: Omit<DocumentsReport, 'operationId'>) => ({
      source,
      counts: { created, updated, unchanged, vanished: vanished.length },
      content: sha256(files.map(({ path, digest }) => `${path} ${digest}\n`).join('')),
    }),
    run: async (tx: Connection, trail: Trail, person: { displayName: string } | undefined) => {
      const by = person?.displayName ?? 'dry run';
      const counts = { created: 0, updated: 0, unchanged: 0 };
      for (const [index, file] of files.entries()) {
        if (index % 20 === 0) progress(`writing ${String(index)} of ${String(files.length)}`);
        counts[await write(tx, workshop, options, { ...file, source, by }, trail)] += 1;
      }
      return { source, documents: files.length, ...counts, vanished: await vanished(tx, source, files) };
    },
  };
  const { result, operationId } = await recordedRun(workshop, options, work);
  return { ...result, operationId };
}

/** Paths below the folder with `/` between their parts, in the order of their characters; nothing hidden, no links. */
async function markdownFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) => {
    throw badInput(`${folder} cannot be read as a folder: ${String((cause as { code?: unknown }).code)}.`);
  });
  const paths = entries
    .filter((entry) => entry.isFile() && /\.md$/i.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !/(^|\/)\./.test(path))
    .sort((a, b) => (a < b ? -1 : 1));
  if (paths.length === 0) throw badInput(`There is no Markdown file below ${folder}.`);
  return paths;
}

async function check(
  options: DocumentOptions,
  path: string,
  faults: Faults,
): Promise<CheckedFile | undefined> {
  const file = join(options.folder, path);
  if ((await stat(file)).size > bodyBytesMax) {
    faults.add({ file: path, reason: 'The file is larger than 1 MiB.' });
    return undefined;
  }
  const bytes = await readFile(file);
  const text = readDocument(path, bytes, faults);
  try {
    const collection = collectionKeyOf(path.includes('/') ? (path.split('/')[0] ?? '') : options.collection);
    return text === undefined ? undefined : { path, collection, digest: digestOf(bytes) };
  } catch (error) {
    faults.caught(error, { file: path });
    return undefined;
  }
}

const digestOf = (bytes: Buffer): string => sha256(bytes.toString('latin1'));

async function write(
  tx: Connection,
  { clock, ids }: Workshop,
  options: DocumentOptions,
  file: CheckedFile & { readonly source: string; readonly by: string },
  trail: Trail,
): Promise<'created' | 'updated' | 'unchanged'> {
  const { path, source, collection, by } = file;
  const bytes = await readFile(join(options.folder, path));
  const text = digestOf(bytes) === file.digest ? readDocument(path, bytes, new Faults()) : undefined;
  if (text === undefined) throw conflict(`${path} changed while it was imported. Run the import again.`);
  const { title, body, classification = options.classification } = text;
  const at = isoTime(clock.now());
  const document = { source, externalId: path, collection, title, classification, body, at, by };
  const outcome = await upsertImportedDocument(tx, document, ids);
  if (outcome !== 'unchanged') {
    const key = importKeyOf(document);
    const stored = await tx.one(
      importKeys,
      all(eq('source', key.source), eq('entity', key.entity), eq('externalId', key.externalId)),
    );
    if (stored !== undefined)
      trail.touched(documents.type, [stored.id], outcome === 'created' ? 'create' : 'update');
  }
  return outcome;
}

/** What this source once had and this folder has not. */
async function vanished(tx: Connection, source: string, files: readonly CheckedFile[]): Promise<Vanished[]> {
  const here = new Set(files.map(({ path }) => importKeyOf({ source, externalId: path }).externalId));
  const rows = await tx.query(
    'SELECT k.`external_id` AS path, d.`title` AS title FROM `import_keys` k JOIN `documents` d ON d.`id` = k.`id`' +
      ' WHERE k.`source` = ? AND k.`entity` = ? ORDER BY d.`title`, d.`id`',
    [source, 'document'],
  );
  return rows
    .filter((row) => !here.has(String(row.path)))
    .map((row) => {
      const path = String(row.path);
      return { path: path.startsWith('sha256:') ? null : path, title: String(row.title) };
    });
}
