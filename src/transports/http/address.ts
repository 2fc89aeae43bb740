import type { IncomingMessage } from 'node:http';
import { parse } from 'forwarded-parse';
import { addressIn } from '../../core/client-address.js';

/**
 * Whose request it is, as far as trusted proxies tell, in the one spelling that an address has. Each proxy appends the
 * address that it saw, so with N trusted ones the Nth from the end is true; what stands before, the client wrote. Where
 * the header has fewer, or that one is no address, it is the address of who connected.
 */
export const makeAddressOf =
  (trustedProxies: number) =>
  ({ socket, headers }: IncomingMessage): string => {
    const { remoteAddress = 'unknown' } = socket;
    const connected = addressIn(remoteAddress) ?? remoteAddress;
    if (trustedProxies === 0) return connected;
    const list = headers['x-forwarded-for'];
    // A proxy that writes `X-Forwarded-For` lets a client's own `Forwarded` pass, so that one counts only alone.
    const seen = list === undefined ? forwarded(headers.forwarded) : [list].flat().join(',').split(',');
    return addressIn(seen.at(-trustedProxies) ?? '') ?? connected;
  };

/** RFC 7239; none where the header is not well formed. */
function forwarded(header: string | undefined): readonly string[] {
  try {
    return header === undefined ? [] : parse(header).map((element) => element.for ?? '');
  } catch {
    return [];
  }
}
