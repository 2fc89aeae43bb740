import type { DimensionValue, DimensionValues } from '../../authority/boundary.js';
import { Lru } from '../../core/lru.js';
import { asText, decoderOf, readSql } from '../sql/column-values.js';
import { columnName, quote } from '../sql/condition.js';
import { checkedDecoder } from './checked-values.js';
import { severalIn } from './value-sql.js';
import { withDimensionValues } from './dimension-values.js';
import type { RowType } from './row-type.js';

/** The columns that a statement reads of each row of a type, optionally with the row's dimension values. */
export interface StatementShape {
  /** Equal for equal shapes. */
  readonly key: string;
  /** The columns between SELECT and FROM. The table's alias is `t`. */
  readonly select: string;
  /** Turns a driver's row into one of ours. The driver's row must not be used afterwards. */
  decode(raw: Record<string, unknown>): object;
}

const idAlone = ['id'] as const;

function shapeOf(
  key: string,
  type: RowType,
  columns: ReadonlySet<string> | undefined,
  withDimensions: boolean,
): StatementShape {
  const { key: rowKey } = type.table;
  const all = Object.keys(type.table.columns);
  // The columns that name the row are always read.
  const always: readonly string[] = rowKey?.columns ?? idAlone;
  const names =
    columns === undefined ? all : all.filter((name) => columns.has(name) || always.includes(name));
  const decoders = names.flatMap((name) => {
    const column = type.table.columns[name];
    const own = column === undefined ? undefined : decoderOf(column);
    const decoder =
      rowKey === undefined || column === undefined ? own : checkedDecoder(type.table, name, column, own);
    return decoder === undefined ? [] : [{ name, decoder }];
  });
  const select = names.map((name) => `${selected(type, name)} AS ${quote(name)}`);
  const decode = (raw: Record<string, unknown>): Record<string, unknown> => {
    for (const { name, decoder } of decoders) raw[name] = decoder(raw[name]);
    if (rowKey !== undefined) raw.id = rowKey.idOf(raw);
    return raw;
  };
  if (!withDimensions) return { key, select: select.join(', '), decode };
  const dimensions = [...type.dimensions];
  const values = dimensions.map(
    ([dimension, { of, column, among }]) =>
      `${among === undefined ? readSql(column, of('t')) : of('t')} AS ${quote(`@${dimension}`)}`,
  );
  return {
    key,
    select: [...select, ...values].join(', '),
    decode: (raw) => {
      const row: Record<string, unknown> = {};
      for (const name of names) row[name] = raw[name];
      return withDimensionValues(decode(row), dimensionValuesIn(raw, type));
    },
  };
}

function selected({ table }: RowType, name: string): string {
  const column = table.columns[name];
  const expression = `t.${columnName(name)}`;
  return column === undefined ? expression : readSql(column, expression);
}

function dimensionValuesIn(raw: Record<string, unknown>, type: RowType): DimensionValues {
  const values = new Map<string, DimensionValue>();
  for (const [dimension, { among }] of type.dimensions) {
    const value = raw[`@${dimension}`];
    const text = value === null || value === undefined ? null : asText(value);
    values.set(dimension, among === undefined || text === null ? text : severalIn(text));
  }
  return values;
}

const contentsMax = 2_000;

/** Caches shapes, because consecutive operations mostly need the same columns. */
export class StatementShapes {
  private readonly byColumns = new WeakMap<object, Map<string, StatementShape>>();
  readonly byContent = new Lru<string, StatementShape>(contentsMax);

  /** Returns the same shape for the same columns, so that it can be used as a key. */
  of(type: RowType, columns: ReadonlySet<string> | undefined, withDimensions: boolean): StatementShape {
    const known = this.byColumns.get(columns ?? all);
    const key = `${type.type}${withDimensions ? ' placed' : ''}`;
    const shape = known?.get(key);
    if (shape !== undefined) return shape;
    const made = this.ofContent(type, columns, withDimensions);
    if (known === undefined) this.byColumns.set(columns ?? all, new Map([[key, made]]));
    else known.set(key, made);
    return made;
  }

  private ofContent(
    type: RowType,
    columns: ReadonlySet<string> | undefined,
    withDimensions: boolean,
  ): StatementShape {
    const content = columns === undefined ? '*' : JSON.stringify([...columns].sort());
    const key = `${type.type} ${String(withDimensions)} ${content}`;
    const known = this.byContent.get(key);
    if (known !== undefined) return known;
    const made = shapeOf(key, type, columns, withDimensions);
    this.byContent.set(key, made);
    return made;
  }
}

const all = {};
