import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { addressIn, clientKeyOf } from '../../src/core/client-address.js';
import { makeAddressOf } from '../../src/transports/http/address.js';

const request = (headers: Record<string, string>, remoteAddress = '192.0.2.1'): IncomingMessage =>
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage;

describe('06 ports and spellings of one address are one party', () => {
  test.each([
    [
      '203.0.113.9',
      [
        '203.0.113.9:1',
        '203.0.113.9:65535',
        ' 203.0.113.9 ',
        '::ffff:203.0.113.9',
        '::FFFF:203.0.113.9',
        '::ffff:cb00:7109',
        '0:0:0:0:0:ffff:cb00:7109',
        '0000:0000:0000:0000:0000:FFFF:CB00:7109',
        '[::ffff:203.0.113.9]:443',
        '::ffff:203.0.113.9:443',
        '::ffff:203.0.113.9%eth0',
      ],
    ],
    [
      '2001:db8::1',
      [
        '2001:DB8::1',
        '2001:0db8:0000:0000:0000:0000:0000:0001',
        '2001:db8:0:0::1',
        '[2001:db8::1]',
        '[2001:DB8::1]:443',
        '2001:db8::0.0.0.1',
      ],
    ],
    ['fe80::1', ['fe80::1%eth0', 'FE80::1%25eth0', '[fe80::1%25en0]:5678']],
  ])('%s has one spelling', (address, spellings) => {
    for (const spelling of [address, ...spellings]) {
      expect([spelling, addressIn(spelling)]).toEqual([spelling, address]);
      expect([spelling, clientKeyOf(spelling)]).toEqual([spelling, clientKeyOf(address)]);
    }
  });

  test.each([
    ['', ' ', 'unknown', '_hidden', '999.1.1.1', '1.2.3', '01.2.3.4', '1.2.3.4:x', '1.2.3.4:123456'],
    ['[1.2.3.4]', '[2001:db8::1', '2001:db8::1]:5', '[::1]x', ':5678', '::g', '1.2.3.4, 5.6.7.8'],
  ])('what is no address is none: %s …', (...texts) => {
    for (const text of texts) expect([text, addressIn(text)]).toEqual([text, undefined]);
  });

  test.each(['2001:db8:1:2::1', '[2001:DB8:1:2:ffff::7]:9', '2001:0db8:0001:0002:1:2:3:4'])(
    'IPv6 counts by its network: %s',
    (address) => {
      expect(clientKeyOf(address)).toBe('2001:db8:1:2::/64');
    },
  );

  test.each<[string, Record<string, string>]>([
    ['203.0.113.9', { 'x-forwarded-for': '203.0.113.9:5678' }],
    ['203.0.113.9', { 'x-forwarded-for': '10.0.0.1, ::ffff:cb00:7109' }],
    ['2001:db8::1', { 'x-forwarded-for': '[2001:DB8:0::1]:5678' }],
    ['203.0.113.9', { forwarded: 'for="203.0.113.9:5678";proto=https' }],
    ['203.0.113.9', { forwarded: 'for=10.0.0.1;by=10.0.0.9, For=203.0.113.9' }],
    ['2001:db8::1', { forwarded: 'for="[2001:db8:0:0::1]:47011"' }],
    // A client's own `Forwarded` says nothing beside the proxy's `X-Forwarded-For`.
    ['203.0.113.9', { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=198.51.100.7' }],
  ])('a trusted proxy tells %s by %o', (address, headers) => {
    expect(makeAddressOf(1)(request(headers))).toBe(address);
  });

  test.each<Record<string, string>>([
    { 'x-forwarded-for': '198.51.100.7, unknown' },
    { 'x-forwarded-for': '198.51.100.7, ' },
    { 'x-forwarded-for': 'nonsense' },
    { forwarded: 'for=unknown' },
    { forwarded: 'for=198.51.100.7, for=_hidden' },
    { forwarded: 'for="198.51.100.7' },
    { forwarded: 'proto=https' },
    { forwarded: '' },
  ])('where it tells no address, who connected counts: %o', (headers) => {
    expect(makeAddressOf(1)(request(headers, '::ffff:192.0.2.1'))).toBe('192.0.2.1');
  });

  test('nobody trusted is believed', () => {
    const headers = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' };
    expect(makeAddressOf(0)(request(headers))).toBe('192.0.2.1');
  });
});
