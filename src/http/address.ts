import type { IncomingMessage } from 'node:http';

/**
 * Whose request it is, as far as trusted proxies tell. Each proxy appends the address that it saw to
 * `X-Forwarded-For`, so with N trusted ones the Nth from the end is true; what stands before, the client wrote.
 */
export const makeAddressOf =
  (trustedProxies: number) =>
  (request: IncomingMessage): string => {
    const socket = request.socket.remoteAddress ?? 'unknown';
    if (trustedProxies === 0) return socket;
    const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
    const seen = forwarded.map((part) => part.trim()).filter((part) => part !== '' && part.length <= 45);
    // Fewer entries than proxies: it came past one, and what it says is its own.
    return seen.at(-trustedProxies) ?? socket;
  };
