import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareTypes, leftOutIn, type Differences } from '../adopt/compare.js';
import { propose, type Proposals } from '../adopt/propose.js';
import { readConfig, type Config } from '../config.js';
import { CommandError } from '../core/command-error.js';
import { faultList } from '../core/fault.js';
import type { TypeDeclaration } from '../domains/declared/declaration.js';
import { readSchemaPolicy } from '../graphql/schema/schema-policy.js';
import { executableSchema } from '../graphql/schema/executable-schema.js';
import {
  companyFiles,
  companyTypes,
  readCompanyFiles,
  readSchemaFiles,
  shippedScopes,
} from '../graphql/schema/sdl.js';
import { typeNames } from '../domains/declared/places.js';
import type { Database } from '../store/sql/database.js';
import type { TableDescription } from '../store/sql/describe-tables.js';
import { isOwnTable, tablePrefix } from '../store/tables/table.js';
import { openDatabase } from './operator/open-database.js';
import type { JsonOption } from './terminal/command.js';
import { answer, progress } from './terminal/output.js';

export interface AdoptOptions extends JsonOption {
  readonly out: string;
  readonly table?: readonly string[];
  readonly database?: string;
}

/** The exit code where a folder that was there differs from the database. */
const exitDiffers = 3;

/** `behalf adopt` */
export async function adopt({ out, table: wanted, database: url, json }: AdoptOptions): Promise<void> {
  const target = url === undefined ? {} : { DATABASE_URL: url };
  const config = readConfig({ ...process.env, ...target, BEHALF_COMPANY: out });
  const folder = knownIn(out, config);
  const database = await openDatabase(config, 'there');
  try {
    const all = (await database.tableNames()).filter((name) => !isOwnTable(name));
    checkWanted(wanted ?? [], all);
    if (all.length === 0) throw new CommandError('The database has no tables but Behalf’s own.');
    const described = await describeAll(database, all);
    const proposals = proposalsFor(described, wanted, folder, config, database);
    const { gone } = proposals.differences;
    const { types, additions, leftOut } = proposals;
    mkdirSync(join(out, 'schema'), { recursive: true });
    for (const { file, sdl } of types) writeFileSync(join(out, 'schema', file), sdl);
    if (folder.isThere && types.length + additions.length + gone.length > 0) process.exitCode = exitDiffers;
    const told = {
      folder: join(out, 'schema'),
      written: types.map(({ file }) => file),
      kept: folder.kept,
      leftOut,
      newTables: folder.isThere ? types.map(({ table }) => table) : [],
      newColumns: additions,
      gone,
    };
    answer(json, told, () => linesOf(out, proposals, folder));
  } finally {
    await database.close();
  }
}

/** A company folder as `adopt` finds it. */
interface KnownFolder {
  /** Whether it has files. */
  readonly isThere: boolean;
  readonly types: readonly TypeDeclaration[];
  /** The names that its files define. */
  readonly names: readonly string[];
  /** The columns that comments leave out, by file. */
  readonly leftOut: ReadonlyMap<string, ReadonlySet<string>>;
  /** The tables that comments leave out, or for which there is a file. */
  readonly tables: ReadonlySet<string>;
  readonly kept: readonly string[];
}

function knownIn(out: string, config: Config): KnownFolder {
  const files = existsSync(join(out, 'schema')) ? companyFiles(out) : [];
  if (files.length === 0)
    return { isThere: false, types: [], names: [], leftOut: new Map(), tables: new Set(), kept: [] };
  const { types, documents, faults } = readCompanyFiles(out, config.domains);
  if (faults.areUnreadable)
    throw new CommandError(
      faultList(`${out} cannot be read, so nobody knows which tables it names`, faults.all),
    );
  const own = types.filter(({ table }) => !isOwnTable(table));
  const leftOut = new Map(files.map(({ name, text }) => [name, leftOutIn(text)]));
  const named = [...leftOut.values()].flatMap((names) => [...names]);
  return {
    isThere: true,
    types: own,
    names: typeNames(documents),
    leftOut,
    tables: new Set([
      ...named.flatMap((name) => (name.startsWith('table ') ? [name.slice('table '.length)] : [])),
      ...files.map(({ name }) => name.replace(/^schema\/(.*)\.graphql$/, '$1')),
    ]),
    kept: [...new Set(own.map(({ place }) => place.file))]
      .map((name) => name.replace(/^schema\//, ''))
      .sort(),
  };
}

function checkWanted(wanted: readonly string[], names: readonly string[]): void {
  const own = wanted.filter(isOwnTable);
  if (own.length > 0)
    throw new CommandError(
      `${own.join(', ')} cannot be adopted: tables whose names begin with \`${tablePrefix}\` are Behalf’s own.`,
    );
  const missing = wanted.filter((name) => !names.includes(name));
  if (missing.length > 0)
    throw new CommandError(
      `There is no table ${missing.join(', ')} to adopt. There are: ${names.join(', ')}.`,
    );
}

const tablesAtOnce = 20;

async function describeAll(database: Database, names: readonly string[]): Promise<TableDescription[]> {
  const described: TableDescription[] = [];
  for (let at = 0; at < names.length; at += tablesAtOnce) {
    progress(`${String(at)} of ${String(names.length)} tables`);
    described.push(...(await database.describe(names.slice(at, at + tablesAtOnce))));
  }
  progress('');
  return described;
}

interface Found extends Proposals {
  readonly differences: Differences;
}

function proposalsFor(
  described: readonly TableDescription[],
  wanted: readonly string[] | undefined,
  { types, names, leftOut, tables }: KnownFolder,
  { domains }: Config,
  { dialect }: Database,
): Found {
  const shipped = executableSchema(`${readSchemaFiles(domains).sdl}\n${companyTypes().text}`, []);
  const { dimensions } = readSchemaPolicy(shipped);
  const taken = new Set([
    ...Object.keys(shipped.getTypeMap()),
    ...Object.keys(shipped.getQueryType()?.getFields() ?? {}),
    ...['Int', 'Float', 'String', 'Boolean', 'ID', 'Query', 'Mutation', 'Subscription'],
    ...shippedScopes(),
    ...names,
    ...types.flatMap(({ name, query }) => [name, query.one ?? '', query.list ?? '']),
  ]);
  const typed = new Set(types.map(({ table }) => table));
  const isWanted = (name: string): boolean => wanted?.includes(name) !== false;
  // No type leads to a table that has none.
  const relevant = described.filter(({ name }) => typed.has(name) || (isWanted(name) && !tables.has(name)));
  const differences = compareTypes(types, described, leftOut, dialect);
  const known = { types, columns: differences.columns.filter(({ table }) => isWanted(table.name)) };
  return { ...propose(relevant, [...dimensions.keys()], taken, dialect, known), differences };
}

function linesOf(
  out: string,
  { types, additions, leftOut, differences }: Found,
  folder: KnownFolder,
): string[] {
  const { gone } = differences;
  const kept =
    folder.kept.length === 0 ? '' : `; ${String(folder.kept.length)} files were there and stay as they are`;
  const news = types.length + additions.length + gone.length > 0;
  return [
    `${String(types.length)} types are in ${join(out, 'schema')}${kept}.`,
    ...(folder.isThere ? types.map(({ table, file }) => `  new table: ${table}, in ${file}`) : []),
    ...types.flatMap((type) => type.leftOut.map((column) => `  ${type.table}: ${column} cannot be shown`)),
    ...leftOut.map((why) => `  ${why}`),
    ...gone.map(
      ({ coordinate, place, table, column }) =>
        `  gone: ${column === undefined ? `the table ${table}` : `${table}.${column}`}, which ${coordinate} names (${place})`,
    ),
    ...additions.flatMap(({ type, place, table, columns, sdl }) => [
      `  new columns of ${table}: ${columns.join(', ')}. Put into the type ${type} (${place}) what is to be shown, and`,
      `  \`# left out: \` with the names of the others:`,
      sdl,
    ]),
    ...(folder.isThere && !news ? ['Nothing is new, and nothing is gone.'] : []),
    ...(types.length === 0
      ? []
      : [
          `Nothing of it is visible yet: decide on \`@rows\` of each type; \`behalf check ${out}\` tells what is still open.`,
          'No role holds their scopes before you give it one.',
        ]),
  ];
}
