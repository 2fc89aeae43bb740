import { badInput } from '../core/errors.js';

const urisMax = 10;
const lengthMax = 500;
const loopbackAddresses: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]']);
/** RFC 8252 section 8.3 advises against the name, and many programs use it. */
const loopbackHosts: ReadonlySet<string> = new Set([...loopbackAddresses, 'localhost']);

/**
 * The redirect URIs of an agent (RFC 6749 section 3.1.2), which are compared as text (RFC 9700 section 2.1). So each is
 * written as a browser writes it: two texts for one address would be two addresses here, and one there.
 */
export function parseRedirectUris(
  uris: readonly string[],
  loopback: ReadonlySet<string> = loopbackAddresses,
): readonly string[] {
  if (uris.length > urisMax) throw fault(`There are at most ${String(urisMax)} redirect URIs.`);
  return [...new Set(uris.map((uri) => parse(uri, loopback)))];
}

/** The same for a client, which may be a program on the person's machine: any port of a loopback address is allowed. */
export const parseClientUris = (uris: readonly string[]): readonly string[] =>
  parseRedirectUris(uris, loopbackHosts);

function parse(text: string, loopback: ReadonlySet<string>): string {
  if (text.length > lengthMax || !URL.canParse(text))
    throw fault('A redirect URI is a URL of up to 500 characters.');
  const { href, protocol, hostname, hash, username, password } = new URL(text);
  if (protocol !== 'https:' && !(protocol === 'http:' && loopback.has(hostname)))
    throw fault('A redirect URI begins with https://, or with http://127.0.0.1 or http://[::1].');
  if (hash !== '' || text.includes('#')) throw fault('A redirect URI has no fragment.');
  if (username !== '' || password !== '') throw fault('A redirect URI has no user name and no password.');
  if (href !== text) throw fault(`Write this redirect URI as a browser does: ${href}`);
  return text;
}

const fault = (message: string): Error => badInput(message, 'redirectUris');
