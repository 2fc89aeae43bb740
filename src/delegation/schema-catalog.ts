import type { Scope, ScopeDefinition } from '../authority/scope.js';
import type { RowTypes } from '../store/bounded/row-types.js';

/** The SDL's description of a dimension's values. */
export type DimensionSource =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | {
      readonly kind: 'rows';
      readonly type: string;
      /** The column that holds the values. */
      readonly column: string;
      /** The column with the number by which people call such a row, and the scope that reads it. */
      readonly number: { readonly column: string; readonly scope: Scope } | undefined;
    };

export interface Dimension {
  readonly description: string;
  /** Undefined: any text is a value. */
  readonly source: DimensionSource | undefined;
}

/** Everything that the SDL defines: scopes, dimensions, and the types of rows that have a boundary. */
export interface Catalog {
  readonly definitions: ReadonlyMap<Scope, ScopeDefinition>;
  /** The scope of each coordinate of the SDL, such as `Order.total`. */
  readonly scopes: ReadonlyMap<string, Scope>;
  /** The scopes that allow changes. All others only read. */
  readonly changing: ReadonlySet<Scope>;
  readonly dimensions: ReadonlyMap<string, Dimension>;
  readonly types: RowTypes;
}

export const isPeopleOnly = (catalog: Pick<Catalog, 'definitions'>, scope: Scope): boolean =>
  catalog.definitions.get(scope)?.peopleOnly === true;
