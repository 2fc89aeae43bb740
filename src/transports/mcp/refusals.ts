import type { Answer } from '../../operation/answer.js';
import { isNothing, type GraphqlResponse } from './graphql-response.js';

/** The gate refused the whole request. */
export class Refused extends Error {
  constructor(readonly answer: Answer) {
    super('The gate refused the request.');
  }
}

/** The client, not its model, has to act: a new token, more scopes in it, a wait. */
export const isForClient = ({ status, missingScopes, retryAfterSeconds }: Answer): boolean =>
  status === 401 ||
  status >= 500 ||
  (status === 403 && missingScopes !== undefined) ||
  retryAfterSeconds !== undefined;

/** Whether nothing but the token stood in the way of everything. */
export const onlyTokenRefused = ({ data, errors = [] }: GraphqlResponse): boolean =>
  errors.length > 0 &&
  isNothing(data) &&
  errors.every(({ extensions }) => extensions?.code === 'FORBIDDEN' && extensions.layer === 'token');
