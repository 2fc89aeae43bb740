import { InvalidArgumentError } from 'commander';
import { domains } from '../../domains/index.js';
import * as registered from '../../store/tables/documents.js';
import * as identity from '../../store/tables/identity.js';

export interface Resource {
  readonly type: string;
  readonly id: string;
}

/** Parses an option that names a row, such as `Invoice:01J…`. */
export function resourceOf(text: string): Resource {
  const [, type = '', id] = /^([A-Za-z]{1,60}):(.{1,64})$/.exec(text) ?? [];
  if (id === undefined) throw new InvalidArgumentError('Write it as TYPE:ID, such as Invoice:01J….');
  const types = rowTypes();
  if (types.includes(type)) return { type, id };
  throw new InvalidArgumentError(`There are no rows of the type ${type}. There are: ${types.join(', ')}.`);
}

/** Every type of row that a record can name. */
function rowTypes(): string[] {
  const tables = [
    ...Object.values(identity),
    ...Object.values(registered),
    ...domains({ smallestCell: 2 }).flatMap((domain) => domain.tables),
  ];
  return [...new Set(tables.map(({ type }) => type))].sort();
}
