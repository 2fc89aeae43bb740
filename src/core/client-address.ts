import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** `1.2.3.4:5678` and `[2001:db8::1]:5678` (RFC 7239 section 6), each with or without its port. */
function withoutPort(text: string): string {
  // An IPv6 address may end as a port does, so what is an address already has none.
  const host = isIPv6(text) ? text : text.replace(/:\d{1,5}$/, '');
  const isBracketed = host.startsWith('[') && host.endsWith(']') && !isIPv4(host.slice(1, -1));
  return isBracketed ? host.slice(1, -1) : host;
}

/**
 * The address that a text names, in its one spelling: without port, brackets and zone, IPv6 as RFC 5952 writes it, and
 * an IPv4 address that came over IPv6 as the IPv4 address that it is. Undefined for what is no address.
 */
export function addressIn(text: string): string | undefined {
  const address = isIPv4(text) ? text : withoutPort(text.trim());
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return undefined;
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  const mapped = canonical.startsWith('::ffff:') ? canonical.slice('::ffff:'.length) : '';
  return isIPv4(mapped) ? mapped : canonical;
}

/**
 * Whom an address counts as: however it is spelled, and addresses that one party may choose among freely are one, which
 * is the first half of an IPv6 address. What is no address stays as it is.
 */
export function clientKeyOf(text: string): string {
  const address = addressIn(text);
  if (address === undefined || isIPv4(address)) return address ?? text;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return `${[...left, ...Array<string>(zeros).fill('0'), ...right].slice(0, 4).join(':')}::/64`;
}
