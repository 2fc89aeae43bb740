import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';

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
    return seen.at(-trustedProxies) ?? seen[0] ?? socket;
  };

/** Addresses that one party may choose among freely count as one: the first half of an IPv6 address. */
export function partyOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const filled =
    tail === undefined
      ? left
      : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return `${filled.slice(0, 4).join(':')}::/64`;
}
