import type { Place } from '../authority/boundary.js';
import { asText, columnName, decoderOf, quote } from './condition.js';
import { placed } from './place.js';
import type { RowType } from './row-types.js';

/** What is read of each row of a type: some columns, and on demand the row's value in each dimension. */
export interface Shape {
  /** The columns as they stand between SELECT and FROM; the table is `t`. */
  readonly select: string;
  /** A row as the driver gave it, turned into one of ours. The driver's own must not be used afterwards. */
  decode(raw: Record<string, unknown>): object;
}

/** Columns that are read whatever the answer needs. */
const always = ['id'] as const;

export function shapeOf(type: RowType, columns: ReadonlySet<string> | undefined, places: boolean): Shape {
  const all = Object.keys(type.table.columns);
  const keys =
    columns === undefined ? all : all.filter((key) => columns.has(key) || always.some((one) => one === key));
  const decoders = keys.flatMap((key) => {
    const column = type.table.columns[key];
    const decoder = column === undefined ? undefined : decoderOf(column);
    return decoder === undefined ? [] : [{ key, decoder }];
  });
  const select = keys.map((key) => `t.${columnName(key)} AS ${quote(key)}`);
  const decode = (raw: Record<string, unknown>): Record<string, unknown> => {
    for (const { key, decoder } of decoders) raw[key] = decoder(raw[key]);
    return raw;
  };
  if (!places) return { select: select.join(', '), decode };
  const dimensions = [...type.dimensions];
  const values = dimensions.map(([dimension, value]) => `${value('t')} AS ${quote(`@${dimension}`)}`);
  return {
    select: [...select, ...values].join(', '),
    decode: (raw) => {
      const row: Record<string, unknown> = {};
      for (const key of keys) row[key] = raw[key];
      return placed(decode(row), placeIn(raw, type));
    },
  };
}

function placeIn(raw: Record<string, unknown>, type: RowType): Place {
  const place = new Map<string, string | null>();
  for (const dimension of type.dimensions.keys()) {
    const value = raw[`@${dimension}`];
    place.set(dimension, value === null || value === undefined ? null : asText(value));
  }
  return place;
}

const contentsMax = 2_000;

/** Shapes made once: what the answer needs of a type is mostly the same as a moment ago. */
export class Shapes {
  private byColumns = new WeakMap<object, Map<string, Shape>>();
  private byContent = new Map<string, Shape>();

  /** The same shape for the same columns, so that it can stand for them as a key. */
  of(type: RowType, columns: ReadonlySet<string> | undefined, places: boolean): Shape {
    const known = this.byColumns.get(columns ?? all);
    const key = `${type.type}${places ? ' placed' : ''}`;
    const shape = known?.get(key);
    if (shape !== undefined) return shape;
    const made = this.ofContent(type, columns, places);
    if (known === undefined) this.byColumns.set(columns ?? all, new Map([[key, made]]));
    else known.set(key, made);
    return made;
  }

  private ofContent(type: RowType, columns: ReadonlySet<string> | undefined, places: boolean): Shape {
    const content = columns === undefined ? '*' : [...columns].sort().join(' ');
    const key = `${type.type} ${String(places)} ${content}`;
    const known = this.byContent.get(key);
    if (known !== undefined) return known;
    if (this.byContent.size >= contentsMax) this.byContent = new Map();
    const made = shapeOf(type, columns, places);
    this.byContent.set(key, made);
    return made;
  }
}

const all = {};
