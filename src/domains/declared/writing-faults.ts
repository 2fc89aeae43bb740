import type { TableDescription } from '../../store/sql/describe-tables.js';
import { propertyOf } from '../../store/tables/foreign-table.js';
import type { AnyTable, Column } from '../../store/tables/table.js';
import { isWritable } from '../../store/tables/written-values.js';
import { columnsOfSource, writtenBy, type TypeDeclaration, type WritableField } from './declaration.js';

/** What types want to write and their tables do not allow, each with file and line. */
export function writingFaults(
  types: readonly TypeDeclaration[],
  descriptions: readonly TableDescription[],
  tables: readonly AnyTable[],
): string[] {
  return types.flatMap((type) => {
    const table = tables.find((one) => one.type === type.name);
    const description = descriptions.find(({ name }) => name === type.table);
    if (table === undefined || description === undefined) return [];
    return new WritingCheck(type, table, description).faults();
  });
}

class WritingCheck {
  private readonly found: string[] = [];

  constructor(
    private readonly type: TypeDeclaration,
    private readonly table: AnyTable,
    private readonly description: TableDescription,
  ) {}

  faults(): readonly string[] {
    const { create, update, delete: remove } = this.type.writes;
    if (this.description.isView && (create ?? update ?? remove) !== undefined) {
      this.add(this.type, `${this.type.name} is over the view ${this.table.name}, which callers only read.`);
      return this.found;
    }
    for (const field of this.type.fields) if (field.writing !== undefined) this.field(field as WritableField);
    if (create !== undefined) this.newRows();
    if (update !== undefined) this.changes();
    if (remove !== undefined) this.deletion();
    this.version();
    return this.found;
  }

  private add({ place }: { readonly place: string }, message: string): void {
    this.found.push(`${place}: ${message}`);
  }

  private field(field: WritableField): void {
    for (const name of columnsOfSource(field.source)) {
      const column = this.table.columns[propertyOf(name)];
      if (column === undefined) continue;
      const what = `${this.type.name}.${field.name} cannot be written: ${this.table.name}.${name}`;
      if (column.isGenerated === true) this.add(field, `${what} is computed from other columns.`);
      else if (!isWritable(column)) this.add(field, `${what} is of a kind that callers only read.`);
      const { writing } = field;
      const isNew = this.type.writes.create !== undefined && writing.on.includes('CREATE');
      if (isNew && !writing.isRequired && needsValue(column))
        this.add(field, `${what} has no default, so a new row needs it: say @writable(required: true).`);
    }
  }

  /** The database must be able to add a row of which it only gets what callers write. */
  private newRows(): void {
    const { columns } = this.description;
    const given = new Set(writtenBy(this.type, 'CREATE').flatMap(({ source }) => columnsOfSource(source)));
    const missing = columns
      .filter(({ name }) => !given.has(name))
      .filter(({ name, isCounted, isFilled, isNullable }) =>
        this.isKey(name) ? !isCounted : !isFilled && !isNullable,
      );
    if (missing.length === 0) return;
    const names = missing.map(({ name }) => name).join(', ');
    this.add(
      this.type,
      `${this.type.name} has @create, and nothing gives a new row of ${this.table.name} its ${names}: make it @writable, ` +
        'or give the column a default (a key must be written, or counted by the database).',
    );
  }

  private isKey(column: string): boolean {
    return this.table.primaryKey.includes(propertyOf(column));
  }

  private changes(): void {
    const { referrers, name: table } = this.description;
    for (const field of writtenBy(this.type, 'UPDATE')) {
      const what = `${this.type.name}.${field.name} cannot be changed`;
      const columns = columnsOfSource(field.source);
      if (columns.some((column) => this.isKey(column)))
        this.add(field, `${what}: it is part of the key of ${table}. Say @writable(on: CREATE).`);
      for (const { table: other } of referrers.filter(
        (one) => one.followsUpdate && one.columns.some((column) => columns.includes(column)),
      ))
        this.add(
          field,
          `${what}: the database would change rows of ${other} with it, outside of every record.`,
        );
    }
  }

  private deletion(): void {
    const following = this.description.referrers.filter(({ followsDelete }) => followsDelete);
    const others = [...new Set(following.map(({ table }) => table))];
    if (others.length > 0)
      this.add(
        this.type,
        `${this.type.name} has @delete, and the database would delete or change rows of ${others.join(', ')} with a row of ` +
          `${this.table.name}, outside of every boundary and record: leave @delete out.`,
      );
  }

  private version(): void {
    for (const field of this.type.fields) {
      const { source } = field;
      if (source.kind !== 'version' || source.column === undefined) continue;
      const column = this.table.columns[propertyOf(source.column)];
      if (column === undefined) continue;
      const isWritten = this.type.fields.some(
        (one) => one.writing !== undefined && columnsOfSource(one.source).includes(source.column ?? ''),
      );
      if (column.kind !== 'int' || column.nullable || isWritten)
        this.add(
          field,
          `${this.type.name}.${field.name} counts changes in ${this.table.name}.${source.column}: that is a column of integers ` +
            'without NULL that no field writes. Without `column`, the values of the row are compared.',
        );
    }
  }
}

const needsValue = ({ nullable, described }: Column<unknown>): boolean =>
  !nullable && described?.isFilled !== true;
