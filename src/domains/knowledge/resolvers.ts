import { compare, eq, all } from '../../store/condition.js';
import { filterBy, orderBy } from '../../store/filter.js';
import type { Operation, Resolvers } from '../../delegation/operation.js';
import { oneLine } from '../../core/text.js';
import { createDocument, setDocumentClassification, updateDocument } from './mutations.js';
import { search, type Hit, type SearchArgs } from './search.js';
import { snippetOf } from './snippet.js';
import {
  collections,
  documents,
  documentVersions,
  passages,
  type CollectionRow,
  type DocumentRow,
  type DocumentVersionRow,
  type PassageRow,
} from './tables.js';
import { inCollection, isCollectionKey } from './write.js';

interface PageArgs {
  readonly first?: number | null;
  readonly after?: string | null;
}

interface DocumentFilter {
  readonly collection?: string | null;
  readonly classification?: string | null;
  readonly titleStartsWith?: string | null;
  readonly updatedAfter?: string | null;
}

type DocumentOrder = Partial<Record<'title' | 'createdAt' | 'updatedAt', 'ASC' | 'DESC' | null>>;

interface DocumentsArgs extends PageArgs {
  readonly filter?: DocumentFilter | null;
  readonly orderBy?: DocumentOrder | null;
}

const collectionBy = (operation: Operation, key: string): Promise<CollectionRow | null> =>
  isCollectionKey(key) ? operation.rows.getBy(collections, 'key', key) : Promise.resolve(null);

/** Beyond every letter: a prefix and this enclose all that begins with the prefix, the same on both databases. */
const lastLetter = '\u{10FFFF}';

function listDocuments(operation: Operation, args: DocumentsArgs) {
  const filter = filterBy<DocumentRow, DocumentFilter>(operation.scopeOf, 'DocumentFilter', args.filter, {
    collection: (key) => inCollection(key),
    classification: (name) => eq('classification', name.toLowerCase()),
    titleStartsWith: (text) => {
      const prefix = oneLine(text, 300, 'filter.titleStartsWith');
      return all(compare('title', '>=', prefix), compare('title', '<', prefix + lastLetter));
    },
    updatedAfter: (time) => compare('updatedAt', '>', time),
  });
  const order = orderBy<DocumentRow>(
    operation.scopeOf,
    'DocumentOrder',
    args.orderBy,
    { title: 'title', createdAt: 'createdAt', updatedAt: 'updatedAt' },
    { column: 'createdAt', direction: 'asc' },
  );
  return operation.rows.list(documents, {
    where: filter.where,
    scopes: [...filter.scopes, ...order.scopes],
    order: order.order,
    first: args.first,
    after: args.after,
  });
}

const enumName = (row: { classification: string }): string => row.classification.toUpperCase();

export const resolvers: Resolvers = {
  Query: {
    collection: (_: unknown, { key }: { key: string }, operation: Operation) => collectionBy(operation, key),
    collections: (_: unknown, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.list(collections, { order: [{ column: 'key', direction: 'asc' }], first, after }),
    document: (_: unknown, { id }: { id: string }, operation: Operation) => operation.rows.get(documents, id),
    documents: (_: unknown, args: DocumentsArgs, operation: Operation) => listDocuments(operation, args),
    search: (_: unknown, args: SearchArgs, operation: Operation) => search(operation, args),
  },
  Mutation: { createDocument, updateDocument, setDocumentClassification },
  Document: {
    collection: (row: DocumentRow, _: unknown, operation: Operation) =>
      collectionBy(operation, row.collection),
    classification: enumName,
    owner: (row: DocumentRow) => row.ownerName,
    passages: (row: DocumentRow, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.children(passages, 'documentId', row.id, {
        order: [{ column: 'position', direction: 'asc' }],
        first,
        after,
      }),
    versions: (row: DocumentRow, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.children(documentVersions, 'documentId', row.id, {
        order: [{ column: 'version', direction: 'desc' }],
        first,
        after,
      }),
  },
  DocumentVersion: { classification: (row: DocumentVersionRow) => enumName(row) },
  Passage: {
    document: (row: PassageRow, _: unknown, operation: Operation) =>
      operation.rows.get(documents, row.documentId),
    text: (row: PassageRow) => row.body,
  },
  SearchHit: {
    document: (hit: Hit, _: unknown, operation: Operation) =>
      operation.rows.get(documents, hit.passage.documentId),
    snippet: (hit: Hit) => snippetOf(hit.passage.body, hit.terms),
    citation: ({ passage }: Hit) => passage,
  },
};
