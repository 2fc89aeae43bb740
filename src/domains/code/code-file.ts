import type { Domain, Resolver } from './domain.js';

/** A file of a company's code, with what it exports. */
export interface CodeFile {
  /** Such as `code/rentals.js`. */
  readonly name: string;
  readonly resolvers: Domain['resolvers'];
}

/** The type, the field and the resolver of each. */
export const resolversIn = ({ resolvers }: CodeFile): (readonly [string, string, Resolver])[] =>
  Object.entries(resolvers).flatMap(([type, fields]) =>
    Object.entries(fields).map(([field, resolver]) => [type, field, resolver] as const),
  );
