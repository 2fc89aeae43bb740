import { BehalfError } from '../../core/errors.js';

/** A client error whose HTTP status says more than `400`. */
export class HttpError extends BehalfError {
  constructor(
    readonly status: 403 | 405 | 406 | 413 | 415 | 429,
    message: string,
  ) {
    super('BAD_USER_INPUT', message);
  }
}
