import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { clientKeyOf } from '../src/core/client-address.js';
import { makeAddressOf } from '../src/transports/http/address.js';

const request = (forwarded: string | undefined, remoteAddress = '192.0.2.1'): IncomingMessage =>
  ({
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    socket: { remoteAddress },
  }) as unknown as IncomingMessage;

describe('the address of a caller', () => {
  test.each([
    [0, '203.0.113.9', '192.0.2.1'],
    [0, undefined, '192.0.2.1'],
    [1, undefined, '192.0.2.1'],
    [1, '', '192.0.2.1'],
    [1, '203.0.113.9', '203.0.113.9'],
    [1, '10.0.0.1, 203.0.113.9', '203.0.113.9'],
    [1, '10.0.0.1,10.0.0.2 ,  2001:db8::1 ', '2001:db8::1'],
    [2, '10.0.0.1, 203.0.113.9, 198.51.100.7', '203.0.113.9'],
    [2, '203.0.113.9', '192.0.2.1'],
    [1, `${'x'.repeat(1_000)}, 203.0.113.9`, '203.0.113.9'],
  ])('behind %i proxies with X-Forwarded-For: %s', (proxies, forwarded, address) => {
    expect(makeAddressOf(proxies)(request(forwarded))).toBe(address);
  });
});

describe('who counts as one party', () => {
  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
    ['2001:db8:1:2::', '2001:db8:1:2:3::4'],
    ['2001:db8::1', '2001:db8:0:0:1:2:3:4'],
    ['::1', '::2'],
    ['1::', '1:0:0:0:5:6:7:8'],
  ])('%s and %s do', (one, other) => {
    expect(clientKeyOf(one)).toBe(clientKeyOf(other));
  });

  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:3::1'],
    ['2001:db8::1', '2001:db8:0:1::1'],
    ['203.0.113.9', '203.0.113.10'],
    ['::ffff:203.0.113.9', '::ffff:203.0.113.10'],
  ])('%s and %s do not', (one, other) => {
    expect(clientKeyOf(one)).not.toBe(clientKeyOf(other));
  });

  test('IPv4 addresses and what is no address stay as they are', () => {
    for (const one of ['203.0.113.9', 'unknown', '']) expect(clientKeyOf(one)).toBe(one);
    expect(clientKeyOf('2001:db8:1:2::1')).toBe('2001:db8:1:2::/64');
  });
});
