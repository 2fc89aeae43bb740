import type { Domain } from '../delegation/resolver-context.js';
import { makeBusiness } from './business/index.js';
import { knowledge } from './knowledge/index.js';

export interface DomainSettings {
  /** Aggregates suppress cells with fewer distinct customers. */
  readonly smallestCell: number;
  /** The names of the domains to install. Default: all. */
  readonly installed?: readonly string[];
}

/** The installed domains that ship. */
export const domains = ({ smallestCell, installed }: DomainSettings): readonly Domain[] =>
  [knowledge, makeBusiness({ smallestCell })].filter(({ name }) => installed?.includes(name) ?? true);
