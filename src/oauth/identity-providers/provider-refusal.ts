import * as client from 'openid-client';
import { UnfitProvider } from './provider-client.js';

/** Why a provider's answer is not accepted. The code is OAuth's own where OAuth has one. */
export interface Refusal {
  readonly outcome: 'refused' | 'failure';
  readonly errorCode: string;
  /** For administrators. Holds no token and no code. */
  readonly reason: string;
}

/** Failures of the connection, or of the provider as a server. */
const outOfReach: ReadonlySet<string | undefined> = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
  'OAUTH_HTTP_REQUEST_FORBIDDEN',
]);

const codeOf = (text: string): string => (/^[a-z_]{1,60}$/.test(text) ? text : 'invalid_request');

/** The library puts the reason into the cause; its texts name parameters and claims, never their values. */
const reasonOf = (error: Error): string =>
  [error.message, error.cause instanceof Error ? error.cause.message : ''].join(': ').slice(0, 200);

/** Undefined for an error of our own. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof client.AuthorizationResponseError)
    return { outcome: 'refused', errorCode: codeOf(error.error), reason: 'the provider signed nobody in' };
  if (error instanceof client.ResponseBodyError) {
    const isTheirFault = error.status >= 500;
    return {
      outcome: isTheirFault ? 'failure' : 'refused',
      errorCode: isTheirFault ? 'temporarily_unavailable' : codeOf(error.error),
      reason: 'the provider gave no token',
    };
  }
  if (error instanceof UnfitProvider)
    return { outcome: 'failure', errorCode: 'temporarily_unavailable', reason: error.message.slice(0, 200) };
  if (error instanceof client.ClientError)
    return outOfReach.has(error.code)
      ? { outcome: 'failure', errorCode: 'temporarily_unavailable', reason: reasonOf(error) }
      : { outcome: 'refused', errorCode: 'invalid_response', reason: reasonOf(error) };
  if (error instanceof TypeError && error.message === 'fetch failed')
    return { outcome: 'failure', errorCode: 'temporarily_unavailable', reason: reasonOf(error) };
  return undefined;
}
