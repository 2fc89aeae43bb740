import type { DimensionValues } from '../../authority/boundary.js';

type Places = readonly [DimensionValues, ...DimensionValues[]];

const valuesKey = Symbol('places');

/**
 * A row's value in each of its dimensions, as read with it; of a row as it stood earlier also as it stands now. They
 * stay with the row and are no part of it.
 */
export const dimensionValuesOf = (row: object): Places | undefined =>
  (row as { [valuesKey]?: Places })[valuesKey];

export const withDimensionValues = <Row>(row: Row, ...places: Places): Row =>
  Object.assign(row as object, { [valuesKey]: places }) as Row;
