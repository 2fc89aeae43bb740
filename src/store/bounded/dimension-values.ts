import type { DimensionValues } from '../../authority/boundary.js';

type ValuesOverTime = readonly [DimensionValues, ...DimensionValues[]];

const valuesKey = Symbol('places');

/**
 * The dimension values that were read with the row. For an earlier version of a row, those of that time and
 * those of now. They are attached to the object, but no property of the row.
 */
export const dimensionValuesOf = (row: object): ValuesOverTime | undefined =>
  (row as { [valuesKey]?: ValuesOverTime })[valuesKey];

export const withDimensionValues = <Row>(row: Row, ...values: ValuesOverTime): Row =>
  Object.assign(row as object, { [valuesKey]: values }) as Row;
