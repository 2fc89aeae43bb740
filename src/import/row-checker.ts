import type { Ids } from '../core/ids.js';
import { isIn } from '../store/sql/condition.js';
import type { Connection } from '../store/sql/connection.js';
import { RowConverter, type Converted, type World } from './row-converter.js';
import type { CsvRow } from './csv.js';
import type { Field, ImportedRow } from './importable-tables.js';
import type { InputFaults } from '../operator/input-faults.js';
import { type ImportKeys, type Known } from './import-keys.js';
import { columnsOf, type PlannedEntity } from './mapping-plan.js';

/** Columns by which people identify a row. They are unique in their table. */
const uniqueNames = ['number', 'sku'];

interface Seen {
  readonly value: string;
  readonly line: number;
}

/** The first pass over a file: reports every fault and assigns each row its id. It writes nothing. */
export class RowChecker {
  private readonly converter: RowConverter;
  private readonly unique: { readonly field: Field; readonly label: string } | undefined;
  private readonly lineOf = new Map<string, number>();
  private unseen: Seen[] = [];

  constructor(
    private readonly plan: PlannedEntity,
    private readonly world: World,
    private readonly keys: ImportKeys,
    private readonly faults: InputFaults,
    private readonly ids: Ids,
  ) {
    this.converter = new RowConverter(plan, world, faults);
    const planned = plan.fields.find(({ field }) => uniqueNames.includes(field.name));
    this.unique = planned && {
      field: planned.field,
      label: columnsOf(planned.source).join(', ') || planned.field.name,
    };
  }

  /** Checks one row. Call `flush` after some thousand rows and after the last. */
  check(row: CsvRow): void {
    const key = this.converter.key(row);
    if (key === undefined) {
      this.keys.incomplete = true;
      return;
    }
    const before = this.keys.get(key);
    if (before !== undefined && before.line > 0) {
      this.fault(
        row.line,
        this.plan.mapping.key.join(', '),
        `${JSON.stringify(key)} is there twice, first in line ${String(before.line)}.`,
      );
      return;
    }
    const known: Known = {
      id: before?.id ?? this.ids.next(),
      stored: before?.stored ?? false,
      keyed: before?.keyed ?? false,
      customerId: null,
      currency: null,
      line: row.line,
      broken: false,
    };
    this.keys.add(key, known);
    const columns = this.converter.convert(row, known);
    if (columns === undefined) {
      known.broken = true;
      return;
    }
    if (before?.stored === true) this.checkMove(row, before, known);
    this.checkUnique(row, columns);
    this.addToSum(columns);
  }

  /** Checks whether a unique value is used by a row that did not come from this source. */
  async flush(connection: Connection): Promise<void> {
    const { unique, unseen } = this;
    this.unseen = [];
    if (unique === undefined || unseen.length === 0) return;
    const column = unique.field.column;
    const values = unseen.map(({ value }) => value);
    const rows = await connection.select(this.plan.entity.table, isIn<ImportedRow>(column, values));
    const strangers = new Set(rows.filter(({ id }) => !this.keys.has(id)).map((row) => row[column]));
    for (const { value, line } of unseen) {
      if (strangers.has(value))
        this.fault(
          line,
          unique.label,
          `${JSON.stringify(value)} is taken by a row that this source did not bring.`,
        );
    }
  }

  /**
   * Refuses a change of the row's customer: rows that belong to it, such as its invoices, would remain with
   * the old customer.
   */
  private checkMove(row: CsvRow, before: Known, now: Known): void {
    const { columns } = this.plan.entity.table;
    const stays = (name: string): void => {
      const place = this.plan.mapping.key.join(', ');
      this.fault(row.line, place, `The row is there with another ${name}; that cannot change.`);
    };
    if (!('customerId' in columns)) return;
    if (before.customerId !== now.customerId) stays('customer');
    if ('currency' in columns && before.currency !== now.currency) stays('currency');
  }

  private checkUnique(row: CsvRow, columns: Converted): void {
    if (this.unique === undefined) return;
    const value = columns[this.unique.field.column];
    if (typeof value !== 'string') return;
    const first = this.lineOf.get(value);
    if (first !== undefined)
      this.fault(
        row.line,
        this.unique.label,
        `${JSON.stringify(value)} is there twice, first in line ${String(first)}.`,
      );
    else this.lineOf.set(value, row.line);
    this.unseen.push({ value, line: row.line });
  }

  private addToSum({ orderId, totalMinor }: Converted): void {
    if (this.plan.entity.name !== 'order_lines' || typeof orderId !== 'string') return;
    this.world.sums.set(orderId, (this.world.sums.get(orderId) ?? 0) + Number(totalMinor));
  }

  private fault(line: number, column: string, reason: string): void {
    this.faults.add({ file: this.plan.mapping.file, line, column, reason });
  }
}
