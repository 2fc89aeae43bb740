import { badInput } from '../core/errors.js';
import { placesOf } from '../core/money.js';
import type { CsvRow } from './csv.js';
import type { Value } from './importable-tables.js';
import type { InputFaults } from '../operator/input-faults.js';
import { keyOf, type ImportKeys, type Known } from './import-keys.js';
import type { Lookups } from './mapping-lookups.js';
import type { Source } from './mapping.js';
import { columnsOf, placeholder, type PlannedEntity, type PlannedField } from './mapping-plan.js';
import { amount, lineTotal } from './field-values.js';

/** State that the rows of all files share. */
export interface World {
  readonly keys: ReadonlyMap<string, ImportKeys>;
  readonly lookups: Lookups;
  /** The total of an order's lines read so far, by the order's id. */
  readonly sums: Map<string, number>;
}

/** Maps columns to values, without those that the writer sets: `id` and `version`. */
export type Converted = Record<string, Value>;

/** Converts the rows of one file. Use one converter for each pass over the file. */
export class RowConverter {
  private readonly positions = new Map<string, number>();

  constructor(
    private readonly plan: PlannedEntity,
    private readonly world: World,
    private readonly faults: InputFaults,
  ) {}

  /** The row's key. Undefined, with a fault reported, where it has none. */
  key(row: CsvRow): string | undefined {
    const parts = this.plan.mapping.key.map((column) => row.text(column));
    const there = parts.filter((part) => part !== null);
    if (there.length === parts.length) return keyOf(there);
    this.fault(row, this.plan.mapping.key.join(', '), 'The row has no key.');
    return undefined;
  }

  /**
   * Undefined, with a fault reported, where a value is wrong. Also undefined where the row refers to a row
   * whose fault was reported.
   */
  convert(row: CsvRow, self: Known): Converted | undefined {
    const { entity, fields } = this.plan;
    const before = this.faults.count;
    const columns: Converted = {};
    const targets: [PlannedField, Known][] = [];
    let whole = true;
    for (const planned of fields) {
      const { field } = planned;
      if (planned.source.compute !== undefined) continue;
      if (field.references === undefined) {
        const currency = columns.currency ?? this.ownerOf(targets)?.currency;
        columns[field.column] = this.value(planned, row, currency) ?? null;
        continue;
      }
      const target = this.target(planned, row);
      if (target === undefined) whole = false;
      columns[field.column] = target?.id ?? null;
      if (target !== undefined && target !== null) targets.push([planned, target]);
    }
    const owner = this.ownerOf(targets);
    if (entity.inherited.includes('customerId')) columns.customerId = owner?.customerId ?? null;
    if (entity.inherited.includes('currency')) columns.currency = owner?.currency ?? null;
    if (!whole || this.faults.count > before) return undefined;
    for (const [planned, target] of targets) {
      if (target.customerId !== null && target.customerId !== columns.customerId && 'customerId' in columns)
        this.fault(row, labelOf(planned), `\`${planned.field.name}\` names a row of another customer.`);
    }
    this.compute(row, columns, self);
    self.customerId = entity.name === 'customers' ? self.id : textOrNull(columns.customerId);
    self.currency = textOrNull(columns.currency) ?? owner?.currency ?? null;
    return this.faults.count > before ? undefined : columns;
  }

  private ownerOf(targets: readonly [PlannedField, Known][]): Known | undefined {
    return targets.find(([{ field }]) => field === this.plan.entity.owner)?.[1];
  }

  /** The row that a reference names. Null for no reference; undefined where it cannot be determined. */
  private target(planned: PlannedField, row: CsvRow): Known | null | undefined {
    const { field } = planned;
    const key = this.textOf(planned, row);
    if (key === undefined || key === null) return key;
    const keys = this.world.keys.get(field.references ?? '');
    const known = keys?.get(key);
    if (known !== undefined && (known.stored || known.line > 0)) return known.broken ? undefined : known;
    if (keys?.incomplete === true) return undefined;
    const what = `No row of ${field.references ?? ''} has the key ${JSON.stringify(key)}.`;
    this.fault(row, labelOf(planned), what);
    return undefined;
  }

  private value(planned: PlannedField, row: CsvRow, currency: Value | undefined): Value | undefined {
    const text = this.textOf(planned, row);
    if (text === undefined || text === null) return text;
    try {
      const isMoney = planned.field.kind === 'minor' && typeof currency === 'string';
      return planned.read(text, isMoney ? placesOf(currency) : undefined);
    } catch (error) {
      this.faults.caught(error, this.placeOf(row, labelOf(planned)));
      return undefined;
    }
  }

  /** Null for no value. Undefined where a fault was reported. */
  private textOf(planned: PlannedField, row: CsvRow): string | null | undefined {
    const { field, source } = planned;
    try {
      const text = this.evaluate(source, row);
      if (text === null && !field.nullable) throw badInput(`\`${field.name}\` cannot be without a value.`);
      return text;
    } catch (error) {
      this.faults.caught(error, this.placeOf(row, labelOf(planned)));
      return undefined;
    }
  }

  private evaluate(source: Source, row: CsvRow): string | null {
    const text = plainText(source, row, (inner) => this.evaluate(inner, row));
    if (text === null || source.lookup === undefined) return text;
    const found = this.world.lookups.get(source.lookup)?.(text);
    if (found === undefined) throw badInput(`${JSON.stringify(text)} is not in the lookup ${source.lookup}.`);
    return found;
  }

  private compute(row: CsvRow, columns: Converted, self: Known): void {
    for (const planned of this.plan.fields) {
      const { field, source } = planned;
      try {
        if (source.compute === 'line_total') {
          const { quantity, unitPriceMinor, discountBasisPoints = 0 } = columns;
          columns[field.column] = lineTotal(
            Number(quantity),
            Number(unitPriceMinor),
            Number(discountBasisPoints),
          );
        } else if (source.compute === 'sum_of_lines') {
          columns[field.column] = amount(BigInt(this.world.sums.get(self.id) ?? 0));
        } else if (source.compute === 'position') {
          const order = String(columns.orderId);
          const position = (this.positions.get(order) ?? 0) + 1;
          this.positions.set(order, position);
          columns[field.column] = position;
        }
      } catch (error) {
        this.faults.caught(error, this.placeOf(row, field.name));
      }
    }
  }

  private fault(row: CsvRow, column: string, reason: string): void {
    this.faults.add({ ...this.placeOf(row, column), reason });
  }

  private placeOf(row: CsvRow, column: string): { file: string; line: number; column: string } {
    return { file: this.plan.mapping.file, line: row.line, column };
  }
}

const textOrNull = (value: Value | undefined): string | null => (typeof value === 'string' ? value : null);

/** The place that a fault names: the file's columns, or the field where there are none. */
const labelOf = ({ field, source }: PlannedField): string => columnsOf(source).join(', ') || field.name;

function plainText(source: Source, row: CsvRow, inner: (source: Source) => string | null): string | null {
  const { column, columns, constant, text, join, present } = source;
  if (column !== undefined) return row.text(column);
  if (constant !== undefined) return constant === null ? null : String(constant);
  if (columns !== undefined) {
    const parts = columns.flatMap((name) => row.text(name) ?? []);
    return parts.length === columns.length ? keyOf(parts) : null;
  }
  if (join !== undefined) {
    const parts = join.flatMap((name) => row.text(name) ?? []);
    return parts.length === 0 ? null : parts.join(source.with ?? ' ');
  }
  if (text !== undefined) {
    const lacks = columnsOf(source).some((name) => row.text(name) === null);
    return lacks ? null : text.replace(placeholder, (_, name: string) => row.text(name) ?? '');
  }
  if (present !== undefined) {
    const chosen = row.text(present) === null ? source.else : source.then;
    return chosen === undefined ? null : inner(chosen);
  }
  return null;
}
