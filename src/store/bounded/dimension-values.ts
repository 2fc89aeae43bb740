import type { Place } from '../../authority/boundary.js';

type Places = readonly [Place, ...Place[]];

const placesKey = Symbol('places');

/**
 * A row's value in each of its dimensions, as read with it; of a row as it stood earlier also as it stands now. They
 * stay with the row and are no part of it.
 */
export const placesOf = (row: object): Places | undefined => (row as { [placesKey]?: Places })[placesKey];

export const placed = <Row>(row: Row, ...places: Places): Row =>
  Object.assign(row as object, { [placesKey]: places }) as Row;
