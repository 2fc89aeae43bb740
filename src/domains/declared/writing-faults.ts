import type { Fault } from '../../core/fault.js';
import type { TableDescription } from '../../store/sql/describe-tables.js';
import { propertyOf } from '../../store/tables/foreign-table.js';
import type { Column } from '../../store/tables/column.js';
import type { AnyTable } from '../../store/tables/table.js';
import { isWritable } from '../../store/tables/written-values.js';
import {
  columnsOfSource,
  writtenBy,
  type TypeDeclaration,
  type WritableField,
  type Writing,
} from './declaration.js';
import { unsafeWrites } from './unsafe-writes.js';

/** The writes that types declare and their tables do not allow. */
export function writingFaults(
  types: readonly TypeDeclaration[],
  descriptions: readonly TableDescription[],
  tables: readonly AnyTable[],
): Fault[] {
  return types.flatMap((type) => {
    const table = tables.find((one) => one.type === type.name);
    const description = descriptions.find(({ name }) => name === type.table);
    if (table === undefined || description === undefined) return [];
    return new WritingCheck(type, table, description).faults();
  });
}

class WritingCheck {
  private readonly found: Fault[] = [];

  constructor(
    private readonly type: TypeDeclaration,
    private readonly table: AnyTable,
    private readonly description: TableDescription,
  ) {}

  faults(): readonly Fault[] {
    const { create, update, delete: remove } = this.type.writes;
    if (this.description.isView && (create ?? update ?? remove) !== undefined) {
      this.add(this.type, `${this.type.name} is over the view ${this.table.name}, which callers only read.`);
      return this.found;
    }
    for (const field of this.type.fields) if (field.writing !== undefined) this.field(field as WritableField);
    for (const writing of ['CREATE', 'UPDATE'] as const) this.once(writing);
    if (create !== undefined) this.newRows();
    if (update !== undefined) this.changes();
    this.found.push(...unsafeWrites(this.type, this.description));
    this.version();
    return this.found;
  }

  private add({ place }: Pick<Fault, 'place'>, message: string): void {
    this.found.push({ place, message });
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

  /** Of two fields over one column, one value would be lost. */
  private once(writing: Writing): void {
    const fields = new Map<string, WritableField>();
    for (const field of writtenBy(this.type, writing))
      for (const column of columnsOfSource(field.source)) {
        const other = fields.get(column);
        fields.set(column, field);
        if (other === undefined) continue;
        const { name } = this.type;
        this.add(
          field,
          `${name}.${field.name} writes the column ${column}, and so does ${name}.${other.name}: leave @writable on one.`,
        );
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
    for (const field of writtenBy(this.type, 'UPDATE'))
      if (columnsOfSource(field.source).some((column) => this.isKey(column) || this.isPrimary(column)))
        this.add(
          field,
          `${this.type.name}.${field.name} cannot be changed: it is part of the key of ${this.description.name}. Say @writable(on: CREATE).`,
        );
  }

  private isPrimary(column: string): boolean {
    return this.description.primaryKey.includes(column);
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
      const isCounter = column.kind === 'int' || column.kind === 'bigint';
      if (!isCounter || column.nullable || column.isGenerated === true || isWritten)
        this.add(
          field,
          `${this.type.name}.${field.name} counts changes in ${this.table.name}.${source.column}: that is a column of integers ` +
            'without NULL that no field writes and no database computes. Without `column`, the values of the row are compared.',
        );
    }
  }
}

const needsValue = ({ nullable, described }: Column<unknown>): boolean =>
  !nullable && described?.isFilled !== true;
