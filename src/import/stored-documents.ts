import { documents } from '../domains/knowledge/tables.js';
import { importKeyOf, type ImportedDocument } from '../domains/knowledge/document-writes.js';
import { all, eq, quote } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { importKeys } from '../store/tables/identity.js';

type Key = Pick<ImportedDocument, 'source' | 'externalId'>;

export interface Vanished {
  /** Null where only a digest is stored, for a path that is long or not plain ASCII. */
  readonly path: string | null;
  readonly title: string;
}

/** Whether title and text are stored already, so that no passages are needed. */
export async function isStored(
  connection: Connection,
  document: Key & Pick<ImportedDocument, 'title' | 'body'>,
): Promise<boolean> {
  const id = await storedId(connection, document);
  const row = id === undefined ? undefined : await connection.byId(documents, id);
  return row !== undefined && row.title === document.title && row.body === document.body;
}

/** The id of the document that a source stored under this key. */
export async function storedId(connection: Connection, document: Key): Promise<string | undefined> {
  const { source, entity, externalId } = importKeyOf(document);
  const key = await connection.one(
    importKeys,
    all(eq('source', source), eq('entity', entity), eq('externalId', externalId)),
  );
  return key?.id;
}

export interface Stored {
  readonly externalId: string;
  readonly title: string;
  readonly collection: string;
}

/** The documents of this source. */
export async function storedDocuments(connection: Connection, source: string): Promise<Stored[]> {
  const rows = await connection.query(
    'SELECT k.`external_id` AS externalId, d.`title` AS title, d.`collection` AS collection' +
      ` FROM ${quote(importKeys.name)} k JOIN ${quote(documents.name)} d ON d.\`id\` = k.\`id\`` +
      ' WHERE k.`source` = ? AND k.`entity` = ? ORDER BY d.`title`, d.`id`',
    [source, 'document'],
  );
  return rows.map((row) => ({
    externalId: String(row.externalId),
    title: String(row.title),
    collection: String(row.collection),
  }));
}

/** The documents of this source whose files are no longer in the folder. */
export async function vanishedDocuments(
  connection: Connection,
  source: string,
  paths: readonly string[],
): Promise<Vanished[]> {
  const here = new Set(paths.map((path) => importKeyOf({ source, externalId: path }).externalId));
  return (await storedDocuments(connection, source))
    .filter(({ externalId }) => !here.has(externalId))
    .map(({ externalId, title }) => ({ path: externalId.startsWith('sha256:') ? null : externalId, title }));
}
