import { domains } from '../../domains/index.js';
import * as registered from '../../store/tables/documents.js';
import * as identity from '../../store/tables/identity.js';

/** Every type of row that a record can name. */
export function rowTypes(): string[] {
  const tables = [
    ...Object.values(identity),
    ...Object.values(registered),
    ...domains({ smallestCell: 2 }).flatMap((domain) => domain.tables),
  ];
  return [...new Set(tables.map(({ type }) => type))].sort();
}
