import { badInput } from '../core/errors.js';

const urisMax = 10;
const lengthMax = 500;
const loopbackAddresses: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]']);
/** RFC 8252 section 8.3 advises against the name, and many programs use it. */
const loopbackHosts: ReadonlySet<string> = new Set([...loopbackAddresses, 'localhost']);
/** A domain in reverse, so it has a dot. Schemes that a browser knows have none. (RFC 8252 sections 7.1 and 8.4) */
const programScheme = /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:$/;

/**
 * The redirect URIs of an agent (RFC 6749 section 3.1.2), which are compared as text (RFC 9700 section 2.1). So each is
 * written as a browser writes it: two texts for one address would be two addresses here, and one there.
 */
export const parseRedirectUris = (uris: readonly string[]): readonly string[] =>
  parseAll(uris, requireWebAddress);

/**
 * The same for a client, which may be a program on the person's machine (RFC 8252 section 7): a loopback address, where any
 * port is allowed, or an address with a scheme of the program's own.
 */
export const parseClientUris = (uris: readonly string[]): readonly string[] =>
  parseAll(uris, requireClientAddress);

/** Where a client is told that a person has decided (OpenID CIBA section 4). */
export function parseNotificationEndpoint(text: string): string {
  const url = text.length <= lengthMax && URL.canParse(text) ? new URL(text) : undefined;
  const isHere = url !== undefined && loopbackHosts.has(url.hostname);
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isHere))
    throw endpointFault(
      'A notification endpoint begins with https://, or with http:// and an address of this machine.',
    );
  if (url.username !== '' || url.password !== '' || text.includes('#'))
    throw endpointFault('A notification endpoint has no user name, no password and no fragment.');
  return url.href;
}

const endpointFault = (message: string): Error => badInput(message, 'notificationEndpoint');

function parseAll(uris: readonly string[], requireScheme: (url: URL) => void): readonly string[] {
  if (uris.length > urisMax) throw fault(`There are at most ${String(urisMax)} redirect URIs.`);
  return [...new Set(uris.map((uri) => parse(uri, requireScheme)))];
}

function parse(text: string, requireScheme: (url: URL) => void): string {
  if (text.length > lengthMax || !URL.canParse(text))
    throw fault('A redirect URI is a URL of up to 500 characters.');
  const url = new URL(text);
  requireScheme(url);
  const { href, hash, username, password } = url;
  if (hash !== '' || text.includes('#')) throw fault('A redirect URI has no fragment.');
  if (username !== '' || password !== '') throw fault('A redirect URI has no user name and no password.');
  if (href !== text) throw fault(`Write this redirect URI as a browser does: ${href}`);
  return text;
}

function requireWebAddress({ protocol, hostname }: URL): void {
  if (protocol === 'https:' || (protocol === 'http:' && loopbackAddresses.has(hostname))) return;
  throw fault('A redirect URI begins with https://, or with http://127.0.0.1 or http://[::1].');
}

function requireClientAddress({ protocol, hostname, pathname }: URL): void {
  const isHere = loopbackHosts.has(hostname);
  if (protocol === 'https:' && isHere)
    throw fault('A redirect URI at an address of this machine begins with http:// (RFC 8252 section 7.3).');
  if (protocol === 'https:' || (protocol === 'http:' && isHere)) return;
  // A text without slash after its scheme, as in `mailto:`, names no place to which a browser could add a query.
  if (programScheme.test(protocol) && (hostname !== '' || pathname.startsWith('/'))) return;
  throw fault(
    'A redirect URI begins with https://, with http:// and an address of this machine, or with a scheme that is a domain in reverse, such as com.example.app:/callback.',
  );
}

const fault = (message: string): Error => badInput(message, 'redirectUris');
