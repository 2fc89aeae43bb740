import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { importOf } from '../paths.mjs';

const tables = 'src/store/tables/table.js';
const asItIs = (name) => name;

/** Gives the function by which a build names its tables in the database. In an earlier build names have no prefix. */
export async function tableNames(dist) {
  if (!existsSync(join(dist, tables))) return asItIs;
  return (await importOf(dist, tables)).prefixed ?? asItIs;
}
