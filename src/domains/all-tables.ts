import type { AnyTable } from '../store/tables/table.js';
import { ownTables } from '../store/tables/index.js';
import { domains, type DomainSettings } from './index.js';

/** Every table of this program: the server's own and those of the installed domains. */
export const allTables = (settings: DomainSettings): readonly AnyTable[] => [
  ...ownTables,
  ...domains(settings).flatMap((domain) => domain.tables),
];
