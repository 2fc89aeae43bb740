import { compare, eq, all } from '../../store/sql/condition.js';
import { filterBy, orderBy } from '../../store/bounded/filter.js';
import { preparing, reads, type Operation, type Resolvers } from '../../delegation/resolver-context.js';
import { only, type ColumnSelection } from '../../store/bounded/column-selection.js';
import { oneLine } from '../../core/checked-text.js';
import {
  beforeChanging,
  beforeCreating,
  createDocument,
  setDocumentClassification,
  updateDocument,
} from './mutations.js';
import { plainText } from './markdown.js';
import type { Hit } from './search-page.js';
import { search, type SearchArgs } from './search.js';
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
import { inCollection, isCollectionKey } from './document-writes.js';

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

/**
 * The highest code point. A prefix, and the prefix with this appended, enclose all texts with the prefix, the
 * same on both databases.
 */
const lastLetter = '\u{10FFFF}';

function listDocuments(operation: Operation, args: DocumentsArgs, selection: ColumnSelection) {
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
  return operation.rows.list(
    documents,
    {
      where: filter.where,
      scopes: [...filter.scopes, ...order.scopes],
      order: order.order,
      first: args.first,
      after: args.after,
    },
    selection,
  );
}

const origin = only('sourcePath', 'sourceUrl');
const enumName = (row: { classification: string }): string => row.classification.toUpperCase();

const topDown = [{ column: 'position', direction: 'asc' }] as const;
const latestFirst = [{ column: 'version', direction: 'desc' }] as const;

export const resolvers: Resolvers = {
  Query: {
    collection: (_: unknown, { key }: { key: string }, operation: Operation) => collectionBy(operation, key),
    collections: (_: unknown, { first, after }: PageArgs, operation: Operation) =>
      operation.rows.list(collections, { order: [{ column: 'key', direction: 'asc' }], first, after }),
    document: (_: unknown, { id }: { id: string }, operation: Operation, selection: ColumnSelection) =>
      operation.rows.get(documents, id, selection),
    documents: (_: unknown, args: DocumentsArgs, operation: Operation, selection: ColumnSelection) =>
      listDocuments(operation, args, selection),
    search: (_: unknown, args: SearchArgs, operation: Operation) => search(operation, args),
  },
  Mutation: {
    createDocument: preparing(createDocument, beforeCreating),
    updateDocument: preparing(updateDocument, beforeChanging),
    setDocumentClassification: preparing(setDocumentClassification, beforeChanging),
  },
  Document: {
    collection: reads<DocumentRow>(['collection'], (row, _args, operation) =>
      collectionBy(operation, row.collection),
    ),
    classification: reads<DocumentRow>(['classification'], enumName),
    owner: reads<DocumentRow>(['ownerName'], (row) => row.ownerName),
    passages: reads<DocumentRow>(['id'], (row, { first, after }: PageArgs, operation, selection) =>
      operation.rows.children(passages, 'documentId', row.id, { order: topDown, first, after }, selection),
    ),
    versions: reads<DocumentRow>(['id'], (row, { first, after }: PageArgs, operation, selection) =>
      operation.rows.children(
        documentVersions,
        'documentId',
        row.id,
        { order: latestFirst, first, after },
        selection,
      ),
    ),
  },
  DocumentVersion: { classification: reads<DocumentVersionRow>(['classification'], enumName) },
  Passage: {
    document: reads<PassageRow>(['documentId'], (row, _args, operation, selection) =>
      operation.rows.get(documents, row.documentId, selection),
    ),
    text: reads<PassageRow>(['body'], (row) => row.body),
  },
  SearchHit: {
    document: (hit: Hit, _: unknown, operation: Operation, selection: ColumnSelection) =>
      operation.rows.get(documents, hit.passage.documentId, selection),
    snippet: (hit: Hit) => snippetOf(hit.passage.plain ?? plainText(hit.passage.body), hit.terms),
    citation: ({ passage }: Hit) => passage,
  },
  Citation: {
    sourcePath: async (passage: PassageRow, _: unknown, { rows }: Operation) =>
      (await rows.get(documents, passage.documentId, origin))?.sourcePath ?? null,
    sourceUrl: async (passage: PassageRow, _: unknown, { rows }: Operation) =>
      (await rows.get(documents, passage.documentId, origin))?.sourceUrl ?? null,
  },
};
