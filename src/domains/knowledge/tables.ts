import { WordIndex } from '../../store/bounded/word-index.js';
import {
  id,
  int,
  longtext,
  nullable,
  since,
  table,
  text,
  time,
  type RowOf,
} from '../../store/tables/table.js';

export const collections = table(
  'Collection',
  'collections',
  {
    id: id(),
    /** The dimension `collection`: a slug that people use in boundaries. */
    key: text(64),
    name: text(200),
    description: text(1000),
    createdAt: time(),
  },
  ['id'],
  { unique: [['key']] },
);

/** The classifications from open to strict: the dimension `classification`. */
export const classifications = ['public', 'internal', 'confidential', 'restricted'] as const;
export type Classification = (typeof classifications)[number];

export const documents = table(
  'Document',
  'documents',
  {
    id: id(),
    collection: text(64),
    title: text(300),
    classification: text(20),
    body: longtext(),
    version: int(),
    ownerId: nullable(id('users')),
    /**
     * The owner's name when the document was made. A reader of the document need not be able to read users.
     */
    ownerName: nullable(text(200)),
    /**
     * The source of an imported document: its path below the folder, and its web address where it is known.
     */
    sourcePath: nullable(text(1000)),
    sourceUrl: nullable(text(2000)),
    createdAt: time(),
    updatedAt: time(),
  },
  ['id'],
  {
    indexes: [
      ['collection', 'id'],
      ['createdAt', 'id'],
      ['title', 'id'],
      ['updatedAt', 'id'],
    ],
  },
);

/**
 * Each version of a document. A version keeps its own collection and classification, so a formerly restricted
 * version stays restricted. The current document must be inside the boundary too, so that an old public
 * version of a now restricted document does not leak. That follows from the only way here,
 * `Document.versions`: its parent is inside the boundary of `documents:read`, and `documents:read_history` is
 * decided for the parent's dimension values.
 */
export const documentVersions = table(
  'DocumentVersion',
  'document_versions',
  {
    id: id(),
    documentId: id('documents'),
    collection: text(64),
    classification: text(20),
    version: int(),
    title: text(300),
    body: longtext(),
    changedBy: text(200),
    changedAt: time(),
  },
  ['id'],
  { unique: [['documentId', 'version']] },
);

/**
 * A section of a document, the unit of search and citation. Every change of the document rebuilds its
 * passages, so that they always have the document's own collection and classification.
 */
export const passages = table(
  'Passage',
  'passages',
  {
    id: id(),
    documentId: id('documents'),
    collection: text(64),
    classification: text(20),
    version: int(),
    position: int(),
    /** The document's title, so that a hit can be cited without reading the document. */
    title: text(300),
    heading: text(300),
    body: longtext(),
    /** The visible text of the body, on one line; null in passages of edition 0. */
    plain: nullable(longtext()),
    /** The edition of the rules that made it (`passageEdition`). */
    edition: since(int(), 0),
    /** Normalised tokens; the only indexed column. */
    tokens: longtext(),
  },
  ['id'],
  {
    indexes: [
      ['documentId', 'position'],
      ['edition', 'documentId'],
    ],
    rowNumber: 'everywhere',
  },
);

/** Divided into parts by the columns that boundaries use. */
export const passageWords = new WordIndex(passages, {
  tokens: 'tokens',
  parts: ['collection', 'classification'],
});

export type CollectionRow = RowOf<typeof collections>;
export type DocumentRow = RowOf<typeof documents>;
export type DocumentVersionRow = RowOf<typeof documentVersions>;
export type PassageRow = RowOf<typeof passages>;
