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
  if (/[?#]/.test(text)) throw badInput('An issuer is a URL without query and fragment.', 'issuer');
  return safeUrlOf(text, allowHttp, 'issuer', 255);
}

/** An `https` URL; plain http only to this machine, or where the settings allow it. */
export function safeUrlOf(text: string, allowHttp: boolean, path: string, lengthMax: number): string {
  if (!URL.canParse(text) || !/^[\x21-\x7e]+$/.test(text) || text.length > lengthMax)
    throw badInput(`\`${path}\` is a URL of at most ${String(lengthMax)} characters.`, path);
  const { protocol, hostname, username } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && (allowHttp || isLoopbackHost(hostname)));
  if (isSafe && username === '') return text;
  throw badInput(
    'This URL must begin with https://. Plain http is for servers on this machine, or with BEHALF_ALLOW_HTTP=true.',
    path,
  );
}
