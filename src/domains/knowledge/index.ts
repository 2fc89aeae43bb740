import type { Domain } from '../../delegation/resolver-context.js';
import { resolvers } from './resolvers.js';
import { collections, documents, documentVersions, passages } from './tables.js';

/** Collections, documents with their versions, and search over passages. */
export const knowledge: Domain = {
  name: 'knowledge',
  tables: [collections, documents, documentVersions, passages],
  resolvers,
};
