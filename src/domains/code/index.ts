import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Domain } from '../../delegation/resolver-context.js';
import type { TableDescription } from '../../store/sql/describe-tables.js';
import type { AnyTable } from '../../store/tables/table.js';
import type { TypeDeclaration } from '../declared/declaration.js';
import type { SdlFile } from '../declared/sdl-files.js';
import { codeFaults, type CodeFault } from './code-faults.js';
import { codeFields } from './code-fields.js';
import type { LoadedCode } from './load-code.js';
import { ownDomain } from './own-domain.js';

/** What a company's code gives, or what is wrong with it. */
interface OwnCode {
  readonly own?: Domain;
  readonly faults: readonly CodeFault[];
}

/**
 * The resolvers in the folder `code` of a company folder. A fault is a file that cannot be imported, a field of the SDL
 * that only code can give and none gives, or a resolver for which the SDL has no such field.
 * @param tables those of the company's types
 * @param descriptions of these tables, as the database gives them
 */
export async function readOwnCode(
  company: string,
  sdl: readonly SdlFile[],
  tables: readonly AnyTable[],
  types: readonly TypeDeclaration[],
  descriptions: readonly TableDescription[],
): Promise<OwnCode> {
  const { files, faults } = await filesOf(join(company, 'code'));
  // The resolvers of a file that cannot be imported are not missing.
  if (faults.length > 0) return { faults: faults.map((fault) => ({ kind: 'code', ...fault })) };
  const unfit = codeFaults(files, codeFields(sdl), tables);
  return unfit.length > 0
    ? { faults: unfit }
    : { own: ownDomain(files, tables, types, descriptions), faults: [] };
}

/** Loading code changes how modules are found, so it happens only where there is code. */
const filesOf = async (folder: string): Promise<LoadedCode> =>
  existsSync(folder) ? (await import('./load-code.js')).loadCode(folder) : { files: [], faults: [] };
