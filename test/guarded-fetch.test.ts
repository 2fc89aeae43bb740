import { createServer, type RequestListener } from 'node:http';
import type { LookupAddress } from 'node:dns';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { GuardedFetch, OutgoingRefusal, type OutgoingSettings } from '../src/core/outgoing/guarded-fetch.js';
import { isPublicAddress } from '../src/core/outgoing/public-address.js';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server on loopback that counts its connections. */
async function host(answer: RequestListener): Promise<{ port: number; connections: () => number }> {
  let connections = 0;
  const server = createServer(answer);
  server.on('connection', () => (connections += 1));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

const bounds = { bytesMax: 1_000, timeoutMs: 2_000 };
const allowing = (...privateHosts: string[]): OutgoingSettings => ({ allowHttp: false, privateHosts });

const faultOf = (fetch: GuardedFetch, url: string, request = bounds): Promise<unknown> =>
  fetch.ask(url, request).then(
    () => 'answered',
    (error: unknown) => (error instanceof OutgoingRefusal ? error.fault : error),
  );

const answers: RequestListener = (_request, response) => response.end('{}');

test.each([
  ['loopback', 'https://127.0.0.1:PORT/'],
  ['the short form of loopback', 'https://127.1:PORT/'],
  ['loopback in decimal', 'https://2130706433:PORT/'],
  ['loopback in octal', 'https://0177.0.0.1:PORT/'],
  ['loopback in hexadecimal', 'https://0x7f000001:PORT/'],
  ['the unspecified address', 'https://0.0.0.0:PORT/'],
  ['IPv6 loopback', 'https://[::1]:PORT/'],
  ['loopback mapped into IPv6', 'https://[::ffff:127.0.0.1]:PORT/'],
  ['loopback mapped into IPv6 in hexadecimal', 'https://[::ffff:7f00:1]:PORT/'],
  ['loopback by its name', 'https://localhost:PORT/'],
  ['a private network', 'https://10.0.0.1:PORT/'],
  ['the metadata service of clouds', 'https://169.254.169.254:PORT/latest/meta-data/'],
])('%s is not asked', async (_what, url) => {
  const { port, connections } = await host(answers);
  expect(await faultOf(new GuardedFetch(allowing()), url.replace('PORT', String(port)))).toBe(
    'private_address',
  );
  expect(connections()).toBe(0);
});

test.each([
  ['http:', 'http://example.com/'],
  ['http: on loopback that is not allowed', 'http://127.0.0.1/'],
  ['another scheme', 'file:///etc/passwd'],
  ['a user name', 'https://example.com:1@127.0.0.1/'],
  ['no URL', 'example.com'],
])('a URL with %s is not asked', async (_what, url) => {
  expect(await faultOf(new GuardedFetch(allowing()), url)).toBe('unusable_url');
});

test.each([
  ['a private address', ['10.1.2.3']],
  ['a public and a private address', ['93.184.216.34', '127.0.0.1']],
  ['a mapped address', ['::ffff:10.1.2.3']],
  ['a translated address', ['64:ff9b::a01:203']],
  ['a unique local address', ['fd00::1']],
  ['a link-local address', ['fe80::1']],
])('a name with %s is not asked', async (_what, addresses) => {
  const resolve = (): Promise<LookupAddress[]> =>
    Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));
  const fetch = new GuardedFetch({ ...allowing(), resolve });
  expect(await faultOf(fetch, 'https://app.example.com/')).toBe('private_address');
});

test('the connection goes to the address that was checked, though the name has another one by then', async () => {
  const { port, connections } = await host(answers);
  let resolutions = 0;
  const resolve = (): Promise<LookupAddress[]> => {
    resolutions += 1;
    return Promise.resolve([{ address: resolutions === 1 ? '127.0.0.1' : '192.0.2.1', family: 4 }]);
  };
  const fetch = new GuardedFetch({ allowHttp: true, privateHosts: ['app.example.com'], resolve });
  const answer = await fetch.ask(`http://app.example.com:${String(port)}/`, bounds);
  expect([answer.status, answer.body.toString(), resolutions, connections()]).toEqual([200, '{}', 1, 1]);
});

test('an allowed host is asked, and no other', async () => {
  const { port, connections } = await host(answers);
  const fetch = new GuardedFetch(allowing('127.0.0.1'));
  const at = (name: string): string => `http://${name}:${String(port)}/`;
  expect((await fetch.ask(at('127.0.0.1'), bounds)).status).toBe(200);
  expect(await faultOf(fetch, at('localhost'))).toBe('unusable_url');
  expect(await faultOf(fetch, at('[::ffff:127.0.0.1]'))).toBe('unusable_url');
  expect(connections()).toBe(1);
});

test('a host that is allowed with its port is asked at that port alone', async () => {
  const [one, other] = [await host(answers), await host(answers)];
  const fetch = new GuardedFetch(allowing(`127.0.0.1:${String(one.port)}`));
  expect((await fetch.ask(`http://127.0.0.1:${String(one.port)}/`, bounds)).status).toBe(200);
  expect(await faultOf(fetch, `http://127.0.0.1:${String(other.port)}/`)).toBe('unusable_url');
  expect(await faultOf(fetch, `https://127.0.0.1:${String(other.port)}/`)).toBe('private_address');
  expect(other.connections()).toBe(0);
});

test('a redirect is not followed', async () => {
  const target = await host(answers);
  const { port } = await host((_request, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${String(target.port)}/` }).end();
  });
  expect(await faultOf(new GuardedFetch(allowing('127.0.0.1')), `http://127.0.0.1:${String(port)}/`)).toBe(
    'redirect',
  );
  expect(target.connections()).toBe(0);
});

test('a body without end is not read to its end, whatever length it names', async () => {
  const { port } = await host((_request, response) => {
    const more = (): void => {
      if (response.destroyed) return;
      response.write('x'.repeat(500), more);
    };
    more();
  });
  expect(await faultOf(new GuardedFetch(allowing('127.0.0.1')), `http://127.0.0.1:${String(port)}/`)).toBe(
    'too_large',
  );
});

test.each<[string, RequestListener]>([
  ['an answer that never begins', () => undefined],
  ['a body that never ends', (_request, response) => void response.write('{')],
])('%s is given up', async (_what, answer) => {
  const { port } = await host(answer);
  const fetch = new GuardedFetch(allowing('127.0.0.1'));
  const url = `http://127.0.0.1:${String(port)}/`;
  expect(await faultOf(fetch, url, { bytesMax: 1_000, timeoutMs: 50 })).toBe('too_slow');
});

test('a name that never resolves is given up', async () => {
  const resolve = (): Promise<LookupAddress[]> => new Promise(() => undefined);
  const fetch = new GuardedFetch({ ...allowing(), resolve });
  expect(await faultOf(fetch, 'https://app.example.com/', { bytesMax: 1, timeoutMs: 20 })).toBe('too_slow');
});

test('a host without the certificate of its name is not asked', async () => {
  const { port } = await host(answers);
  const fetch = new GuardedFetch(allowing('127.0.0.1'));
  expect(await faultOf(fetch, `https://127.0.0.1:${String(port)}/`)).toBe('out_of_reach');
});

test.each([
  ['93.184.216.34', true],
  ['2606:2800:220:1:248:1893:25c8:1946', true],
  ['100.64.0.1', false],
  ['192.168.1.1', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::ffff:93.184.216.34', false],
  ['2002:7f00:1::', false],
  ['2001:0:7f00:1::', false],
  ['fe80::1%eth0', false],
  ['localhost', false],
])('%s is a public address: %s', (address, isPublic) => {
  expect(isPublicAddress(address)).toBe(isPublic);
});
