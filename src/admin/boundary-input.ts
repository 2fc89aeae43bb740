import { badInput } from '../core/errors.js';
import type { StoredBoundary } from '../store/tables/identity.js';

export interface DimensionInput {
  readonly dimension: string;
  readonly all?: boolean | null;
  readonly values?: readonly string[] | null;
}

/** Requires each dimension once, with exactly one of `all: true` and `values`. */
export function boundaryInput(dimensions: readonly DimensionInput[]): StoredBoundary {
  const boundary: StoredBoundary = {};
  for (const { dimension, all, values } of dimensions) {
    const isAll = all === true;
    const isSet = values !== null && values !== undefined;
    if (isAll === isSet) throw badInput('Say either `all: true` or `values`.', 'boundary');
    if (dimension in boundary) throw badInput('A dimension is said twice.', 'boundary');
    boundary[dimension] = isSet ? values : 'all';
  }
  return boundary;
}
