import { isIPv6 } from 'node:net';

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
