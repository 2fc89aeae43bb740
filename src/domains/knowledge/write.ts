import { badInput } from '../../core/errors.js';
import { sha256 } from '../../core/digest.js';
import type { Ids } from '../../core/ids.js';
import { oneLine, paragraphs, visibleLine } from '../../core/text.js';
import { all, any, eq, type Condition } from '../../store/sql/condition.js';
import type { Connection } from '../../store/sql/connection.js';
import { importKeys } from '../../store/tables/identity.js';
import { passageEdition, passagesOf, type PassageText } from './passages.js';
import {
  classifications,
  collections,
  documents,
  documentVersions,
  passageWords,
  type Classification,
  type DocumentRow,
  type DocumentVersionRow,
  type PassageRow,
} from './tables.js';

/** 1 MiB, in bytes of UTF-8. */
export const bodyBytesMax = 1_048_576;

/** A title as it is stored; `BAD_USER_INPUT` for none. */
export const titleOf = (text: string): string => visibleLine(text, 300, 'title');

/** A body as it is stored; `BAD_USER_INPUT` for an empty one and for one of more than 1 MiB. */
export function bodyOf(text: string): string {
  if (Buffer.byteLength(text) > bodyBytesMax) throw badInput('`body` is longer than 1 MiB.', 'body');
  return paragraphs(text, bodyBytesMax, 'body');
}

/** Letters of any script, digits, `-` and `_`, up to 64, in the form that `collectionKeyOf` gives. */
export const isCollectionKey = (text: string): boolean =>
  /^[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]{0,63}$/u.test(text) &&
  text === text.normalize('NFC') &&
  text === text.toLowerCase();

/** Rows of one collection. MySQL takes `hr ` for `hr`; what is no key names no collection on either database. */
export const inCollection = <Row extends { collection: string }>(key: string): Condition<Row> =>
  isCollectionKey(key) ? eq<Row>('collection', key) : any<Row>();

/**
 * A text such as a folder's name as a collection's key: `Travel & leave` is `travel-leave`, `人事` stays as it is. Two texts
 * may have one key; whoever makes collections of texts has to look.
 */
export function collectionKeyOf(text: string): string {
  const letters = text
    .normalize('NFKD')
    .toLowerCase()
    // Accents of Latin letters alone: in other scripts a mark makes another letter.
    .replace(/(?<=[a-z])[\u0300-\u036f]+/g, '')
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}_]+/gu, '-')
    .replace(/^[^\p{L}\p{N}]+/u, '');
  const key = [...letters].slice(0, 64).join('').replace(/-+$/, '');
  if (!isCollectionKey(key))
    throw badInput(`No collection can be named after ${JSON.stringify(text)}.`, 'collection');
  return key;
}

/** The passages of a document, at the document's own place. */
export const passageRows = (document: DocumentRow, texts: readonly PassageText[], ids: Ids): PassageRow[] =>
  texts.map((passage) => ({
    id: ids.next(),
    documentId: document.id,
    collection: document.collection,
    classification: document.classification,
    version: document.version,
    title: document.title,
    edition: passageEdition,
    ...passage,
  }));

/** A document's present version, as its history keeps it. */
export const versionRow = (document: DocumentRow, changedBy: string, ids: Ids): DocumentVersionRow => ({
  id: ids.next(),
  documentId: document.id,
  collection: document.collection,
  classification: document.classification,
  version: document.version,
  title: document.title,
  body: document.body,
  changedBy,
  changedAt: document.updatedAt,
});

export interface CollectionInput {
  readonly key: string;
  /** Made from the key where not given. */
  readonly name?: string;
  readonly description?: string;
  readonly at: string;
}

/** Makes the collection where there is none of this key; one that is there stays as it is. */
export async function ensureCollection(tx: Connection, input: CollectionInput, ids: Ids): Promise<void> {
  const { key, at } = input;
  if (!isCollectionKey(key)) {
    throw badInput(
      'A collection key has letters, small ones where there are others, digits, - and _, up to 64.',
      'collection',
    );
  }
  if ((await tx.one(collections, eq('key', key))) !== undefined) return;
  const words = key.replace(/[-_]+/g, ' ').trim();
  const name = visibleLine(input.name ?? words.charAt(0).toUpperCase() + words.slice(1), 200, 'name');
  const description = (input.description ?? '').trim();
  await tx.insert(collections, [
    {
      id: ids.next(),
      key,
      name,
      description: description === '' ? '' : visibleLine(description, 1000, 'description'),
      createdAt: at,
    },
  ]);
}

export interface ImportedDocument {
  /** What keeps the external ids of several imports apart. */
  readonly source: string;
  /** What the source knows it by, such as its path below the imported folder. */
  readonly externalId: string;
  readonly collection: string;
  readonly title: string;
  readonly classification: Classification;
  readonly body: string;
  readonly at: string;
  /** Who imports, as the history names them. */
  readonly by: string;
  /** The collection's name, where it is made here and is not the key. */
  readonly collectionName?: string | undefined;
  /** Where the source has it, so that a citation can be followed. */
  readonly sourcePath?: string | null;
  readonly sourceUrl?: string | null;
  /** Its passages, where they were made before the transaction began. */
  readonly passages?: readonly PassageText[] | undefined;
}

/**
 * Brings a document of a source up to date, in a transaction of the caller's: made on first sight, given a new
 * version when title, text, collection or classification differ, else left alone. The source wins over changes
 * made here since, which stay in the history; but it never lowers a classification, for what a person has
 * withdrawn from view must not come back because a file was imported again.
 */
export async function upsertImportedDocument(
  tx: Connection,
  input: ImportedDocument,
  ids: Ids,
): Promise<'created' | 'updated' | 'unchanged'> {
  const { collection, at } = input;
  const title = titleOf(input.title);
  const body = bodyOf(input.body);
  const name = input.collectionName;
  await ensureCollection(tx, { key: collection, at, ...(name === undefined ? {} : { name }) }, ids);
  const known = await importedId(tx, input);
  const before =
    known === undefined ? undefined : await tx.one(documents, eq('id', known), { lock: 'update' });
  const classification = stricter(input.classification, before?.classification);
  const origin = { sourcePath: input.sourcePath ?? null, sourceUrl: input.sourceUrl ?? null };
  if (
    before?.title === title &&
    before.body === body &&
    before.collection === collection &&
    before.classification === classification
  ) {
    if (before.sourcePath === origin.sourcePath && before.sourceUrl === origin.sourceUrl) return 'unchanged';
    // Where it came from is no part of what a version says.
    await tx.update(documents, eq('id', before.id), origin);
    return 'updated';
  }
  const document: DocumentRow = {
    ...(before ?? { id: known ?? ids.next(), ownerId: null, ownerName: null, createdAt: at }),
    ...{ title, body, collection, classification, ...origin },
    version: (before?.version ?? 0) + 1,
    updatedAt: at,
  };
  if (before === undefined) await tx.insert(documents, [document]);
  else await tx.update(documents, eq('id', document.id), document);
  if (known === undefined) await tx.insert(importKeys, [{ ...importKeyOf(input), id: document.id }]);
  await tx.insert(documentVersions, [versionRow(document, [...input.by].slice(0, 200).join(''), ids)]);
  const texts = input.passages ?? (await passagesOf(document));
  await passageWords.replace(tx, 'documentId', document.id, passageRows(document, texts, ids));
  return before === undefined ? 'created' : 'updated';
}

/**
 * Under which key a document of a source is found again. Paths can be longer than the column, and databases do
 * not agree on spaces at the end.
 */
export const importKeyOf = ({ source, externalId }: Pick<ImportedDocument, 'source' | 'externalId'>) => ({
  source: oneLine(source, 60, 'source'),
  entity: 'document',
  externalId: /^[\x21-\x7e]{1,200}$/.test(externalId) ? externalId : `sha256:${sha256(externalId)}`,
});

async function importedId(tx: Connection, input: ImportedDocument): Promise<string | undefined> {
  const { source, entity, externalId } = importKeyOf(input);
  const key = await tx.one(
    importKeys,
    all(eq('source', source), eq('entity', entity), eq('externalId', externalId)),
  );
  return key?.id;
}

function stricter(wanted: Classification, present: string | undefined): string {
  const rankOf = (one: string): number => classifications.findIndex((name) => name === one);
  return present !== undefined && rankOf(present) > rankOf(wanted) ? present : wanted;
}
