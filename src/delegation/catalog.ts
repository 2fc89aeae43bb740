import type { Scope, ScopeDefinition } from '../authority/scope.js';

/** What the SDL defines: every scope, and every dimension with its description. */
export interface Catalog {
  readonly definitions: ReadonlyMap<Scope, ScopeDefinition>;
  readonly dimensions: ReadonlyMap<string, string>;
}

export const isPeopleOnly = (catalog: Catalog, scope: Scope): boolean =>
  catalog.definitions.get(scope)?.peopleOnly === true;
