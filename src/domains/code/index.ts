import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Domain } from '../../delegation/resolver-context.js';
import type { AnyTable } from '../../store/tables/table.js';
import type { SdlFile } from '../declared/sdl-files.js';
import { codeFields } from './code-fields.js';
import { ownDomain } from './own-domain.js';

/**
 * The resolvers in the folder `code` of a company folder. Throws where a file is faulty, where a field of its SDL that only
 * code can give has none, and where one is given that its SDL does not declare.
 * @param tables those of the company's types
 */
export async function readOwnCode(
  company: string,
  sdl: readonly SdlFile[],
  tables: readonly AnyTable[],
): Promise<Domain> {
  const folder = join(company, 'code');
  const fields = codeFields(sdl);
  if (!existsSync(folder)) return ownDomain([], fields, tables);
  // Loading it changes how modules are found, so it is loaded only where there is code.
  const { loadCode } = await import('./load-code.js');
  const { files, faults } = await loadCode(folder);
  if (faults.length > 0) throw new Error(`The code is faulty:\n- ${faults.join('\n- ')}`);
  return ownDomain(files, fields, tables);
}
