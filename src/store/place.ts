import type { Place } from '../authority/boundary.js';

const placeKey = Symbol('place');

/** A row's value in each of its dimensions, as read with it. It stays with the row and is no part of it. */
export const placeOf = (row: object): Place | undefined => (row as { [placeKey]?: Place })[placeKey];

export const placed = <Row>(row: Row, place: Place): Row =>
  Object.assign(row as object, { [placeKey]: place }) as Row;

/** Gives a row kept from earlier the place where the row stands now. */
export const placedLike = (kept: object, now: object): object =>
  Object.assign(kept, { [placeKey]: placeOf(now) });
