import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/**
 * Strips the port and brackets from `1.2.3.4:5678` or `[2001:db8::1]:5678` (RFC 7239 section 6); both are
 * optional.
 */
function withoutPort(text: string): string {
  // An IPv6 address may end like a port. A text that is a valid IPv6 address has no port.
  const host = isIPv6(text) ? text : text.replace(/:\d{1,5}$/, '');
  const isBracketed = host.startsWith('[') && host.endsWith(']') && !isIPv4(host.slice(1, -1));
  return isBracketed ? host.slice(1, -1) : host;
}

/**
 * The address in a text, in its canonical spelling: no port, brackets or zone; IPv6 as RFC 5952 writes it; an
 * IPv4 address mapped into IPv6 as IPv4. Undefined where the text is no address.
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
 * The key under which requests from an address are counted. Every spelling of an address gives the same key.
 * So do all IPv6 addresses with the same first half, because one party can choose among them freely. A text
 * that is no address is its own key.
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
