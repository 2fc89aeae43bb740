import type { IncomingMessage } from 'node:http';
import { parse } from 'forwarded-parse';
import { addressIn } from '../../core/client-address.js';

/**
 * The client's address in normal form, as far as trusted proxies tell it. Each proxy appends the address it saw, so
 * with N trusted proxies the Nth address from the end is true; the client wrote those before it. Where the header has
 * fewer addresses, or that one is no address, the address of the connection counts.
 */
export const makeAddressOf =
  (trustedProxies: number) =>
  ({ socket, headers }: IncomingMessage): string => {
    const { remoteAddress = 'unknown' } = socket;
    const connected = addressIn(remoteAddress) ?? remoteAddress;
    if (trustedProxies === 0) return connected;
    const list = headers['x-forwarded-for'];
    // A proxy that writes `X-Forwarded-For` may pass a client's own `Forwarded`, so that header counts only alone.
    const seen = list === undefined ? forwarded(headers.forwarded) : [list].flat().join(',').split(',');
    return addressIn(seen.at(-trustedProxies) ?? '') ?? connected;
  };

/** The addresses of RFC 7239; none where the header is malformed. */
function forwarded(header: string | undefined): readonly string[] {
  try {
    return header === undefined ? [] : parse(header).map((element) => element.for ?? '');
  } catch {
    return [];
  }
}
