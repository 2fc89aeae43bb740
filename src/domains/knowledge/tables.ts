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
    /** The dimension `collection`: a slug that people write in boundaries. */
    key: text(64),
    name: text(200),
    description: text(1000),
    createdAt: time(),
  },
  ['id'],
  { unique: [['key']] },
);

/** Who may read a document, from everyone to few: the dimension `classification`. */
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
    /** As it was when the document was made: who may read a document need not be able to read users. */
    ownerName: nullable(text(200)),
    /** Where an import found it: its path below the folder, and its address where the import told one. */
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
 * A document as it was after each change. Its collection and classification are those of its own time, so a
 * version that was restricted stays so. That the document as it is now must be inside too, so that an old public
 * version of a now restricted document does not leak, follows from the only way here: `Document.versions`, whose
 * parent is inside the boundary of `documents:read`, and at whose place `documents:read_history` is decided.
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
 * A section of a document, as search finds and cites it. Made anew with each change of the document, so that
 * its place is always the document's own.
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
    /** The document's title, so that a hit is cited without reading the whole document. */
    title: text(300),
    heading: text(300),
    body: longtext(),
    /** The body as a reader sees it, on one line; null in passages of edition 0. */
    plain: nullable(longtext()),
    /** Which rules made it (`passageEdition`). */
    edition: since(int(), 0),
    /** Normalised tokens, the only column whose words are indexed. */
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

/** Divided by what boundaries choose. */
export const passageWords = new WordIndex(passages, {
  tokens: 'tokens',
  parts: ['collection', 'classification'],
});

export type CollectionRow = RowOf<typeof collections>;
export type DocumentRow = RowOf<typeof documents>;
export type DocumentVersionRow = RowOf<typeof documentVersions>;
export type PassageRow = RowOf<typeof passages>;
