import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { addressIn } from './client-address.js';

interface Range {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly prefix: number;
}

/** Undefined where the text is neither an address nor a range in CIDR notation (RFC 4632 section 3.1). */
function rangeIn(text: string): Range | undefined {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) && !address.includes('%') ? 'ipv6' : undefined;
  if (family === undefined) return undefined;
  const longest = family === 'ipv4' ? 32 : 128;
  const prefix = length === undefined ? longest : Number(length);
  return prefix > 0 && prefix <= longest ? { address, family, prefix } : undefined;
}

/** Whether the text is an address, or a range such as `10.0.3.0/24` that leaves some addresses out. */
export const isAddressRange = (text: string): boolean => rangeIn(text) !== undefined;

/** Addresses and ranges of them. */
export class AddressRanges {
  private readonly list = new BlockList();

  /** @param texts of which `isAddressRange` holds */
  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const range = rangeIn(text);
      if (range === undefined) throw new TypeError(`${text} is no range of addresses.`);
      this.list.addSubnet(range.address, range.prefix, range.family);
    }
  }

  /** Every spelling of an address counts as the same. False for a text that is no address. */
  has(text: string): boolean {
    const address = addressIn(text);
    return address !== undefined && this.list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  }
}
