import type { Logger } from '../../core/logger.js';
import type { TableChanges } from '../../store/bounded/table-changes.js';
import type { Database } from '../../store/sql/database.js';
import type { TableDescription } from '../../store/sql/describe-tables.js';
import { propertyOf } from '../../store/tables/foreign-table.js';
import type { Column } from '../../store/tables/column.js';
import { columnOf, type AnyTable } from '../../store/tables/table.js';
import { storageOf } from '../../store/tables/written-values.js';
import { columnsOfSource, type TypeDeclaration } from './declaration.js';
import { foreignTables } from './foreign-tables.js';
import { unsafeWrites } from './unsafe-writes.js';

/** A company's types and their tables as they were when the server started. */
export interface CompanyTables {
  readonly types: readonly TypeDeclaration[];
  readonly tables: readonly AnyTable[];
}

interface WatchParts extends CompanyTables {
  readonly database: Pick<Database, 'describe' | 'tableVersion' | 'dialect'>;
  readonly changes: TableChanges;
  readonly logger: Pick<Logger, 'error' | 'info'>;
}

/**
 * Looks at the tables of a company, which others may change while the server runs. Rows of a table that is no longer as
 * it was are refused until it is so again, or the server starts anew.
 */
export class TableWatch {
  private version: string | undefined;
  private told = '';
  private looking: Promise<void> | undefined;

  constructor(private readonly parts: WatchParts) {}

  /** Compares the tables with what they were. Calls share one look; it is cheap where nothing has changed. */
  look(): Promise<void> {
    this.looking ??= this.compare().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async compare(): Promise<void> {
    const { database, tables, types, changes } = this.parts;
    const names = tables.map(({ name }) => name);
    const version = await database.tableVersion(names);
    // A table that was made anew may have been described while it was gone, so what is refused is looked at each time.
    if (version === this.version && this.told === '') return;
    const descriptions = await database.describe(names);
    const now = foreignTables(types, descriptions, database.dialect);
    const found = new Map(
      tables.flatMap((table) => {
        const type = types.find(({ name }) => name === table.type);
        const change =
          changeOf(
            table,
            now.find((one) => one.type === table.type),
            writtenProperties(type),
          ) ?? unsafe(type, descriptions);
        return change === undefined ? [] : [[table.name, change] as const];
      }),
    );
    changes.set(found);
    this.version = version === (await database.tableVersion(names)) ? version : undefined;
    this.tell(found);
  }

  private tell(found: ReadonlyMap<string, string>): void {
    const text = [...found].map(([table, change]) => `${table}: ${change}`).join('; ');
    if (text === this.told) return;
    this.told = text;
    const { logger } = this.parts;
    const restart = 'correct the company folder by `behalf check`, and start the server again';
    if (text === '') logger.info('the tables are again as they were when the server started');
    else logger.error({ tables: text }, `tables have changed, and their rows are refused: ${restart}`);
  }
}

/** The properties of a type's rows that callers write. */
const writtenProperties = (type: TypeDeclaration | undefined): ReadonlySet<string> =>
  new Set(
    type?.fields.flatMap(({ source, writing }) =>
      writing === undefined ? [] : columnsOfSource(source).map(propertyOf),
    ),
  );

/** Why changes of rows that were safe no longer are. */
function unsafe(
  type: TypeDeclaration | undefined,
  descriptions: readonly TableDescription[],
): string | undefined {
  const table = descriptions.find(({ name }) => name === type?.table);
  return type === undefined || table === undefined ? undefined : unsafeWrites(type, table)[0]?.message;
}

/** What keeps rows of a table from being read and written as before. Further columns do no harm. */
function changeOf(
  was: AnyTable,
  now: AnyTable | undefined,
  written: ReadonlySet<string>,
): string | undefined {
  if (now === undefined) return 'the table is gone';
  const key = ({ primaryKey }: AnyTable): string => primaryKey.map(columnOf).join(', ');
  if (key(was) !== key(now)) return `its key is (${key(now)}) and was (${key(was)})`;
  for (const [property, column] of Object.entries(was.columns)) {
    const change = columnChange(column, now.columns[property], written.has(property));
    if (change !== undefined) return `the column ${columnOf(property)} ${change}`;
  }
  return undefined;
}

function columnChange(
  was: Column<unknown>,
  now: Column<unknown> | undefined,
  isWritten: boolean,
): string | undefined {
  if (now === undefined) return 'is gone, or of a type that cannot be shown';
  if (reading(was) !== reading(now)) return `is read as ${now.kind} and was read as ${was.kind}`;
  if (collationOf(was) !== collationOf(now))
    return `compares texts by ${collationOf(now)} and compared them by ${collationOf(was)}`;
  if (isWritten && now.isGenerated === true) return 'is computed by the database and was written';
  if (isWritten && storageOf(was) !== storageOf(now))
    return `stores values as ${storageOf(now)} and stored them as ${storageOf(was)}`;
  return now.nullable && !was.nullable ? 'may be empty and never was' : undefined;
}

/** Texts of any length are read alike. */
const reading = ({ kind, isWide, isTruth, scale }: Column<unknown>): string =>
  JSON.stringify([kind === 'longtext' ? 'text' : kind, isWide, isTruth, scale]);

/** Statements name the collation of a text. With another one they would fail, or find other texts. */
const collationOf = ({ charset }: Column<unknown>): string => charset?.collation ?? 'none';
