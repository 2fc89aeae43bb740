import type { Fault } from '../../core/fault.js';
import { columnOf, isOwnTable, tablePrefix, type AnyTable } from '../../store/tables/table.js';
import { columnsOfSource, type FieldDeclaration, type TypeDeclaration } from './declaration.js';
import {
  declaredTypes,
  propertyIn,
  tablesByName,
  type DeclaredParts,
  type DeclaredType,
} from './declared-types.js';

/** The reasons why types do not fit their tables. The list may hold a fault twice. */
export function tableFaults(parts: DeclaredParts): Fault[] {
  const declared = declaredTypes(parts);
  const byName = tablesByName(parts);
  return parts.types.flatMap((type) => {
    const known = declared.get(type.name);
    return known === undefined
      ? [{ place: type.place, message: withoutTable(type, byName.get(type.table)) }]
      : new TableCheck(known, declared).faults();
  });
}

function withoutTable({ name, table }: TypeDeclaration, found: AnyTable | undefined): string {
  if (isOwnTable(table))
    return `${name} cannot be over ${table}: tables whose names begin with \`${tablePrefix}\` are Behalf's own.`;
  if (found !== undefined)
    return `${name} names the table ${table}, whose rows are of the type ${found.type}.`;
  if (!/[.:/]/.test(table)) return `${name} names the table ${table}, which does not exist.`;
  const why = 'because a change and its record are one transaction';
  return `${name} names the table ${table}: name it alone. Tables are in the database of DATABASE_URL, ${why}.`;
}

/** One type over its table. */
class TableCheck {
  private readonly found: Fault[] = [];
  private readonly type: TypeDeclaration;
  private readonly table: AnyTable;

  constructor(
    { type, table }: DeclaredType,
    private readonly declared: ReadonlyMap<string, DeclaredType>,
  ) {
    this.type = type;
    this.table = table;
  }

  faults(): readonly Fault[] {
    const { fields, writes } = this.type;
    for (const field of fields) this.comparison(field);
    if (this.table.key === undefined && Object.values(writes).some((write) => write !== undefined))
      this.add(
        this.type,
        `${this.type.name} is over a table of Behalf’s own, which its own mutations change.`,
      );
    for (const field of fields) this.source(field);
    return this.found;
  }

  private add({ place }: Pick<Fault, 'place'>, message: string): void {
    this.found.push({ place, message });
  }

  private coordinate({ name }: FieldDeclaration): string {
    return `${this.type.name}.${name}`;
  }

  /** A field that conditions or orders look at is one column, or money. */
  private comparison(field: FieldDeclaration): void {
    const { source, filters, sort, find } = field;
    const isFound = filters.length > 0 || find !== undefined;
    if (!isFound && sort === undefined && this.type.order.by !== field.name) return;
    if (source.kind === 'money') this.properties(this.table, [source.currency, source.minor], field);
    else {
      const [property] = this.properties(
        this.table,
        [source.kind === 'column' ? source.column : field.name],
        field,
      );
      const column = this.table.columns[property ?? ''];
      const isLong = this.table.key === undefined && (column?.length ?? 0) === 0;
      if (field.type === 'String' && isFound && column !== undefined && isLong)
        this.add(field, `${this.coordinate(field)} is a long text, which cannot be compared.`);
    }
  }

  /** The columns that hold a field exist, and lead where it says. */
  private source(field: FieldDeclaration): void {
    const { name, source, writing } = field;
    const target = this.declared.get(field.type)?.table;
    if (source.kind === 'children') {
      if (target !== undefined) this.reference(target, source.column, this.table, field);
    } else if (source.kind === 'reference' && target !== undefined)
      this.reference(this.table, source.column, target, field);
    // The id that callers see may be made of several columns.
    else if (name !== 'id' || writing !== undefined)
      this.properties(this.table, columnsOfSource(source), field);
  }

  /** Columns refer to a row by as many values as its key has, and not to a row of another table. */
  private reference(
    table: AnyTable,
    columns: readonly string[],
    to: Pick<AnyTable, 'name' | 'key'>,
    field: FieldDeclaration,
  ): void {
    const properties = this.properties(table, columns, field);
    const names = columns.map((column) => `${table.name}.${column}`).join(', ');
    const key = to.key?.columns ?? ['id'];
    // The table has no key; another fault says so.
    if (key.length === 0) return;
    const leads = `${this.coordinate(field)} leads to ${to.name} by`;
    if (columns.length !== key.length) {
      this.add(field, `${leads} ${names}, and the key of ${to.name} is ${key.map(columnOf).join(', ')}.`);
      return;
    }
    const column = table.columns[properties[0] ?? ''];
    if (to.key !== undefined || column === undefined || column.references === to.name) return;
    const what = column.references === undefined ? 'names no row' : `names a row of ${column.references}`;
    this.add(field, `${leads} the column ${names}, which ${what}.`);
  }

  /** The properties of the columns that exist. Reports those that do not. */
  private properties(table: AnyTable, columns: readonly string[], field: FieldDeclaration): string[] {
    return columns.flatMap((column) => {
      const property = propertyIn(table, column);
      if (property === undefined)
        this.add(
          field,
          `${this.coordinate(field)} is in the column ${table.name}.${column}, which does not exist: correct the name, or leave the field out.`,
        );
      return property ?? [];
    });
  }
}
