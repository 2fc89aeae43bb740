import { allTables } from '../domains/all-tables.js';

/** Tables that migrations make beside those that are described in code, and TypeORM's. */
const others = ['migrations', 'audit_index', 'audit_terms', 'passages_fts', 'passages_words'];

/** The names of Behalf's own tables, those of all shipped domains included. */
export const ownTableNames: ReadonlySet<string> = new Set([
  ...allTables({ smallestCell: 2 }).map((table) => table.name),
  ...others,
]);

/** Tables in which SQLite keeps a full-text index. */
const shadow = /^(?:audit_terms|passages_fts)_(?:data|idx|content|docsize|config)$/;

export const isOwnTable = (name: string): boolean => ownTableNames.has(name) || shadow.test(name);
