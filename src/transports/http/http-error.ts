import { BehalfError } from '../../core/errors.js';

/** The request's own fault, for which HTTP has a status that says more than `400`. */
export class HttpError extends BehalfError {
  constructor(
    readonly status: 405 | 406 | 413 | 415,
    message: string,
  ) {
    super('BAD_USER_INPUT', message);
  }
}
