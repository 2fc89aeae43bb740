import type { Scope } from '../../authority/scope.js';
import { all, type Condition } from '../sql/condition.js';
import type { Order } from '../sql/connection.js';

/** The scope that the SDL gives to a coordinate such as `OrderFilter.status`. */
export type ScopeOf = (coordinate: string) => Scope;

type Filters<Row, Input> = {
  readonly [K in keyof Required<Input>]: (value: NonNullable<Input[K]>) => Condition<Row>;
};

/** A filter input as a condition, with the scopes of the fields that it uses. A null field is ignored. */
export function filterBy<Row, Input extends object>(
  scopeOf: ScopeOf,
  inputType: string,
  input: Input | null | undefined,
  filters: Filters<Row, Input>,
): { where: Condition<Row>; scopes: Scope[] } {
  const given = Object.entries(input ?? {}).filter(([, value]) => value !== null && value !== undefined) as [
    keyof Input & string,
    never,
  ][];
  return {
    where: all(...given.map(([key, value]) => filters[key](value))),
    scopes: given.map(([key]) => scopeOf(`${inputType}.${key}`)),
  };
}

/** An `orderBy` input (with one of its fields) as an order, with the scope of that field. */
export function orderBy<Row>(
  scopeOf: ScopeOf,
  inputType: string,
  input: Readonly<Record<string, 'ASC' | 'DESC' | null | undefined>> | null | undefined,
  columns: Readonly<Record<string, keyof Row & string>>,
  fallback: Order<Row>,
): { order: Order<Row>[]; scopes: Scope[] } {
  for (const [key, direction] of Object.entries(input ?? {})) {
    const column = columns[key];
    if (column === undefined || direction === null || direction === undefined) continue;
    return {
      order: [{ column, direction: direction === 'ASC' ? 'asc' : 'desc' }],
      scopes: [scopeOf(`${inputType}.${key}`)],
    };
  }
  return { order: [fallback], scopes: [] };
}
