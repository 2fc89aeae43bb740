import { BehalfError } from '../core/errors.js';
import type { NeededColumn } from './csv.js';
import type { Entity, Field } from './importable-tables.js';
import type { Computation, EntityMapping, MappingFile, Source } from './mapping.js';
import type { Path } from '../operator/yaml-file.js';
import { readerOf, type Reader } from './field-values.js';

export interface PlannedField {
  readonly field: Field;
  readonly source: Source;
  readonly read: Reader;
}

/** How one file becomes the rows of one table. */
export interface PlannedEntity {
  readonly entity: Entity;
  readonly mapping: EntityMapping;
  /**
   * References come first: a row's currency may come from one, and amounts need the currency's decimal
   * places.
   */
  readonly fields: readonly PlannedField[];
  readonly needed: readonly NeededColumn[];
}

const computedFields: Readonly<Record<Computation, string>> = {
  line_total: 'order_lines.total',
  sum_of_lines: 'orders.total',
  position: 'order_lines.position',
};

/**
 * The plan of a mapping, with entities in the order of their dependencies. Reports every fault of the
 * mapping.
 */
export function planOf(file: MappingFile, entities: ReadonlyMap<string, Entity>): PlannedEntity[] {
  const { mapping } = file;
  for (const name of Object.keys(mapping.entities)) {
    if (!entities.has(name))
      file.fault(['entities', name], `is no table; there are ${[...entities.keys()].join(', ')}`);
  }
  return [...entities.values()].flatMap((entity) => {
    const own = mapping.entities[entity.name];
    return own === undefined ? [] : [new Planner(file, entities, entity, own).plan()];
  });
}

class Planner {
  private readonly path: Path;
  private readonly needed: NeededColumn[] = [];

  constructor(
    private readonly file: MappingFile,
    private readonly entities: ReadonlyMap<string, Entity>,
    private readonly entity: Entity,
    private readonly own: EntityMapping,
  ) {
    this.path = ['entities', entity.name];
  }

  plan(): PlannedEntity {
    const { entity, own } = this;
    for (const column of own.key) this.need(column, ['key']);
    if (own.extraCommasIn !== undefined) this.need(own.extraCommasIn, ['extraCommasIn']);
    const fields = Object.entries(own.fields).flatMap(([name, source]) => this.field(name, source));
    for (const field of entity.fields.values()) {
      if (!field.nullable && own.fields[field.name] === undefined)
        this.fault(['fields'], `\`${field.name}\` is missing; it cannot be without a value`);
    }
    const place = ({ field }: PlannedField): number =>
      field.references !== undefined ? 0 : field.name === 'currency' ? 1 : 2;
    return { entity, mapping: own, fields: fields.sort((a, b) => place(a) - place(b)), needed: this.needed };
  }

  private field(name: string, source: Source): PlannedField[] {
    const field = this.entity.fields.get(name);
    if (field === undefined) {
      const follows = this.entity.inherited.some((column) => column === name || column === `${name}Id`);
      const owner = this.entity.owner?.name ?? '';
      const known = [...this.entity.fields.keys()].join(', ');
      this.fault(['fields', name], follows ? `follows from \`${owner}\`` : `is no field; there are ${known}`);
      return [];
    }
    if (field.references !== undefined && !this.entities.has(field.references))
      this.fault(['fields', name], `refers to ${field.references}, which cannot be imported`);
    if (source.format !== undefined && field.kind !== 'time')
      this.fault(['fields', name, 'format'], 'is for times');
    if (source.shift !== undefined && field.kind !== 'int' && field.kind !== 'minor')
      this.fault(['fields', name, 'shift'], 'is for numbers');
    const { dates, decimal, group } = this.file.mapping;
    const { format = dates, shift } = source;
    const read = readerOf(field, { format, shift, numbers: { decimal, group } });
    const written = inWriting(source, decimal);
    this.source(field, written, read, ['fields', name]);
    return [{ field, source: written, read }];
  }

  private source(field: Field, source: Source, read: Reader, path: Path): void {
    for (const column of columnsOf(source)) this.need(column, path);
    if (source.columns !== undefined && field.references === undefined)
      this.fault(path, '`columns` is for keys of other rows; use `join` or `text`');
    if (source.lookup !== undefined && this.file.mapping.lookups[source.lookup] === undefined)
      this.fault([...path, 'lookup'], 'is no lookup of this mapping');
    if (source.compute !== undefined) this.computation(field, source.compute, path);
    if (source.constant !== undefined && source.lookup === undefined)
      this.constant(field, source, read, path);
    for (const part of ['then', 'else'] as const) {
      const inner = source[part];
      if (inner === undefined) continue;
      if (inner.format !== undefined || inner.shift !== undefined || inner.compute !== undefined)
        this.fault([...path, part], '`format` and `shift` stand beside `present`; nothing is computed here');
      this.source(field, inner, read, [...path, part]);
    }
  }

  private computation(field: Field, rule: Computation, path: Path): void {
    const name = `${this.entity.name}.${field.name}`;
    if (computedFields[rule] !== name) this.fault(path, `${rule} is for ${computedFields[rule]}`);
    else if (rule === 'sum_of_lines' && this.file.mapping.entities.order_lines === undefined)
      this.fault(path, 'sum_of_lines needs order_lines in this mapping');
    else if (rule === 'line_total' && !['quantity', 'unitPrice'].every((other) => other in this.own.fields))
      this.fault(path, 'line_total needs `quantity` and `unitPrice`');
  }

  /** Checks a constant once, so that its fault is not reported for each row. */
  private constant(field: Field, { constant }: Source, read: Reader, path: Path): void {
    if (constant === null && !field.nullable) this.fault(path, 'cannot be without a value');
    if (constant === null || constant === undefined || field.kind === 'minor') return;
    try {
      read(String(constant), undefined);
    } catch (error) {
      if (!(error instanceof BehalfError)) throw error;
      this.fault(path, error.message);
    }
  }

  private need(name: string, path: Path): void {
    const missing = (header: readonly string[]): void => {
      const there = header.map((column) => JSON.stringify(column)).join(', ');
      this.fault(path, `${this.own.file} has no column ${JSON.stringify(name)}; it has ${there}`);
    };
    this.needed.push({ name, missing });
  }

  private fault(path: Path, reason: string): void {
    this.file.fault([...this.path, ...path], reason);
  }
}

/** The source with its numbers in the format of the files. */
const inWriting = (source: Source, decimal: string): Source => ({
  ...source,
  ...(typeof source.constant === 'number' && { constant: String(source.constant).replace('.', decimal) }),
  ...(source.then !== undefined && { then: inWriting(source.then, decimal) }),
  ...(source.else !== undefined && { else: inWriting(source.else, decimal) }),
});

/** The columns that a source itself reads. Those of `then` and `else` are not included. */
export function columnsOf(source: Source): string[] {
  const { column, columns, text, join, present } = source;
  return [
    ...(column === undefined ? [] : [column]),
    ...(columns ?? []),
    ...(text === undefined ? [] : [...text.matchAll(placeholder)].map(([, name = '']) => name)),
    ...(join ?? []),
    ...(present === undefined ? [] : [present]),
  ];
}

/** A column in a text, such as `{orderID}`. */
export const placeholder = /\{([^{}]+)\}/g;
