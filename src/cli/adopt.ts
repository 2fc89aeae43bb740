import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { propose } from '../adopt/propose.js';
import { readConfig } from '../config.js';
import { CommandError } from '../core/command-error.js';
import { readSchemaPolicy } from '../graphql/schema/schema-policy.js';
import { executableSchema } from '../graphql/schema/executable-schema.js';
import { companyTypes, readSchemaFiles, shippedScopes } from '../graphql/schema/sdl.js';
import { isOwnTable, tablePrefix } from '../store/tables/table.js';
import { openDatabase } from './operator/open-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer } from './terminal/output.js';

export interface AdoptOptions extends JsonOption {
  readonly out: string;
  readonly table?: readonly string[];
}

/** `behalf adopt` */
export async function adopt({ out, table: wanted, json }: AdoptOptions): Promise<void> {
  const config = readConfig({ ...process.env, BEHALF_COMPANY: out });
  const database = await openDatabase(config, 'any');
  try {
    const names = (await database.tableNames()).filter((name) => !isOwnTable(name));
    const own = wanted?.filter(isOwnTable) ?? [];
    if (own.length > 0)
      throw new CommandError(
        `${own.join(', ')} cannot be adopted: tables whose names begin with \`${tablePrefix}\` are Behalf’s own.`,
      );
    const missing = wanted?.filter((name) => !names.includes(name)) ?? [];
    if (missing.length > 0)
      throw new CommandError(
        `There is no table ${missing.join(', ')} to adopt. There are: ${names.join(', ')}.`,
      );
    const chosen = wanted ?? names;
    if (chosen.length === 0) throw new CommandError('The database has no tables but Behalf’s own.');
    const shipped = executableSchema(`${readSchemaFiles(config.domains).sdl}\n${companyTypes().text}`, []);
    const { dimensions } = readSchemaPolicy(shipped);
    const taken = new Set([
      ...Object.keys(shipped.getTypeMap()),
      ...Object.keys(shipped.getQueryType()?.getFields() ?? {}),
      ...shippedScopes(),
    ]);
    const described = await database.describe(chosen);
    const { types, leftOut } = propose(described, [...dimensions.keys()], taken, database.dialect);
    const folder = join(out, 'schema');
    mkdirSync(folder, { recursive: true });
    const written = types.filter(({ file }) => !existsSync(join(folder, file)));
    for (const { file, sdl } of written) writeFileSync(join(folder, file), sdl);
    const kept = types.filter((type) => !written.includes(type)).map(({ file }) => file);
    const files = written.map(({ file }) => file);
    answer(json, { folder, written: files, kept, leftOut }, () => [
      `${String(files.length)} types are in ${folder}${kept.length === 0 ? '' : `; ${String(kept.length)} files were there and stay as they are`}.`,
      ...written.flatMap((type) =>
        type.leftOut.map((column) => `  ${type.table}: ${column} cannot be shown`),
      ),
      ...leftOut.map((why) => `  ${why}`),
      'Nothing is visible yet: decide on `@rows` of each type, then `behalf start` with',
      `BEHALF_COMPANY=${out} tells what is still open. No role holds their scopes before you give it one.`,
    ]);
  } finally {
    await database.close();
  }
}
