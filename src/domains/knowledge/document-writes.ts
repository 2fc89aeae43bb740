import { badInput } from '../../core/errors.js';
import { sha256 } from '../../core/digest.js';
import type { Ids } from '../../core/ids.js';
import { oneLine, paragraphs, visibleLine } from '../../core/checked-text.js';
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

/** A title as it is stored. Throws `BAD_USER_INPUT` for an empty one. */
export const titleOf = (text: string): string => visibleLine(text, 300, 'title');

/** A body as it is stored. Throws `BAD_USER_INPUT` for an empty body or one over 1 MiB. */
export function bodyOf(text: string): string {
  if (Buffer.byteLength(text) > bodyBytesMax) throw badInput('`body` is longer than 1 MiB.', 'body');
  return paragraphs(text, bodyBytesMax, 'body');
}

/**
 * Whether a text is a key as `collectionKeyOf` returns it: up to 64 letters of any script, digits, `-` and
 * `_`.
 */
export const isCollectionKey = (text: string): boolean =>
  /^[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]{0,63}$/u.test(text) &&
  text === text.normalize('NFC') &&
  text === text.toLowerCase();

/**
 * The rows of one collection. MySQL may ignore trailing spaces when it compares, so a text that is no key
 * matches nothing on either database.
 */
export const inCollection = <Row extends { collection: string }>(key: string): Condition<Row> =>
  isCollectionKey(key) ? eq<Row>('collection', key) : any<Row>();

/**
 * Makes a collection's key from a text such as a folder's name: `Travel & leave` becomes `travel-leave`, `人事`
 * stays as it is. Two texts may give the same key; the caller has to check.
 */
export function collectionKeyOf(text: string): string {
  const letters = text
    .normalize('NFKD')
    .toLowerCase()
    // Accents of Latin letters only. In other scripts a mark makes a different letter.
    .replace(/(?<=[a-z])[\u0300-\u036f]+/g, '')
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}_]+/gu, '-')
    .replace(/^[^\p{L}\p{N}]+/u, '');
  const key = [...letters].slice(0, 64).join('').replace(/-+$/, '');
  if (!isCollectionKey(key))
    throw badInput(`No collection can be named after ${JSON.stringify(text)}.`, 'collection');
  return key;
}

/** The passages of a document, with its collection and classification. */
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

/** The current version of a document, as a row of its history. */
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

interface CollectionInput {
  readonly key: string;
  /** Default: made from the key. */
  readonly name?: string;
  readonly description?: string;
  readonly at: string;
}

/** Creates the collection if no collection has this key. An existing one stays as it is. */
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
  /** The namespace of the external ids. */
  readonly source: string;
  /** The document's id at the source, such as its path below the imported folder. */
  readonly externalId: string;
  readonly collection: string;
  readonly title: string;
  readonly classification: Classification;
  readonly body: string;
  readonly at: string;
  /** The importing person's name in the history. */
  readonly by: string;
  /** The name of a new collection, where it differs from the key. */
  readonly collectionName?: string | undefined;
  /** The document's location at the source, for citations. */
  readonly sourcePath?: string | null;
  readonly sourceUrl?: string | null;
  /** Passages built before the transaction, if any. */
  readonly passages?: readonly PassageText[] | undefined;
}

/**
 * Brings an imported document up to date, in the caller's transaction. A new document is created. A new
 * version is added where title, text, collection or classification differ; otherwise nothing changes. The
 * source overwrites changes made here, which remain in the history. But an import never lowers a
 * classification, because a document that a person has restricted must not become open again.
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
    // The document's origin is not part of a version.
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
 * The key under which an imported document is stored. A path may be longer than the column, and the databases
 * compare trailing spaces differently, so the external id may be a digest.
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
