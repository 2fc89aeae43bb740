import type { Domain } from '../delegation/resolver-context.js';
import { makeBusiness } from './business/index.js';
import { knowledge } from './knowledge/index.js';

export interface DomainSettings {
  /** Aggregates suppress cells with fewer distinct customers. */
  readonly smallestCell: number;
}

/** The installed domains. A company adds its own here, with its SDL and its migration. */
export const domains = (settings: DomainSettings): readonly Domain[] => [knowledge, makeBusiness(settings)];
