import { badInput } from '../core/errors.js';
import { isLoopbackHost } from '../core/loopback.js';

/** The name of a provider or an issuer, in commands and addresses. */
export const namePattern = /^[a-z0-9][a-z0-9-]{0,39}$/;

export function checked(text: string, pattern: RegExp, path: string, message: string): string {
  if (pattern.test(text)) return text;
  throw badInput(message, path);
}

/** OpenID Connect Discovery section 3: an `https` URL without query and fragment. */
export function issuerOf(text: string, allowHttp: boolean): string {
  if (!URL.canParse(text) || !/^[\x21-\x7e]{1,255}$/.test(text) || /[?#]/.test(text))
    throw badInput('An issuer is a URL without query and fragment, of at most 255 characters.', 'issuer');
  const { protocol, hostname, username } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && (allowHttp || isLoopbackHost(hostname)));
  if (!isSafe || username !== '')
    throw badInput(
      'An issuer must begin with https://. Plain http is for a provider on this machine, or with BEHALF_ALLOW_HTTP=true.',
      'issuer',
    );
  return text;
}
