import { describe, expect, test } from 'vitest';
import { mutualTlsOf } from '../src/compose/mutual-tls.js';
import { ConfigError, readConfig } from '../src/config.js';

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('where the server listens and where callers reach it', () => {
  test.each([
    [{}, 'http://127.0.0.1:4000'],
    [{ HOST: '::1' }, 'http://[::1]:4000'],
    [{ HOST: 'localhost', PORT: '80' }, 'http://localhost:80'],
    [{ HOST: '0.0.0.0', BEHALF_PUBLIC_URL: 'https://behalf.example' }, 'https://behalf.example'],
    [{ HOST: '::', BEHALF_PUBLIC_URL: 'https://behalf.example' }, 'https://behalf.example'],
    [{ PORT: '0', BEHALF_PUBLIC_URL: 'http://localhost:4000' }, 'http://localhost:4000'],
    [{ HOST: '2001:db8::1', BEHALF_ALLOW_HTTP: 'true' }, 'http://[2001:db8::1]:4000'],
  ])('%j: %s', (env, url) => {
    expect(readConfig(env).publicUrl).toBe(url);
  });

  test.each([
    [{ PORT: '0' }, /^PORT: 0 takes a free port, so say BEHALF_PUBLIC_URL/],
    [{ HOST: '0.0.0.0' }, /^HOST: 0\.0\.0\.0 is every address, so say BEHALF_PUBLIC_URL: the https origin/],
    [{ HOST: '::' }, /^HOST: :: is every address, so say BEHALF_PUBLIC_URL/],
    [{ HOST: '0.0.0.0', BEHALF_ALLOW_HTTP: 'true' }, /^HOST: 0\.0\.0\.0 is every address/],
    [
      { HOST: '2001:db8::1' },
      /^BEHALF_PUBLIC_URL: http:\/\/\[2001:db8::1\]:4000 would send tokens in the clear/,
    ],
    [{ HOST: 'a b' }, /^HOST: must be a name or an address/],
    [{ BEHALF_PUBLIC_URL: 'http://0.0.0.0:4000' }, /would send tokens in the clear/],
    [{ BEHALF_TRUSTED_PROXIES: 'true' }, /^BEHALF_TRUSTED_PROXIES: must be a whole number/],
    [{ BEHALF_TRUSTED_PROXIES: '11' }, /^BEHALF_TRUSTED_PROXIES: /],
  ])('%j is told as a fault', (env, fault) => {
    expect(faultsOf(env)).toEqual([expect.stringMatching(fault)]);
  });
});

describe('certificates of clients', () => {
  const header = { BEHALF_CLIENT_CERTIFICATE_HEADER: 'Client-Cert' };
  const proxies = { BEHALF_CLIENT_CERTIFICATE_PROXIES: '10.0.3.0/24, 127.0.0.1' };

  test.each(['absent.pem', 'package.json'])('are of no authority in %s', (file) => {
    const config = readConfig({ ...header, ...proxies, BEHALF_CLIENT_CERTIFICATE_AUTHORITIES: file });
    expect(() => mutualTlsOf(config)).toThrow(
      /BEHALF_CLIENT_CERTIFICATE_AUTHORITIES: must be a readable file/,
    );
  });

  test('come from named proxies', () => {
    expect(readConfig({ ...header, ...proxies }).BEHALF_CLIENT_CERTIFICATE_PROXIES).toEqual([
      '10.0.3.0/24',
      '127.0.0.1',
    ]);
  });

  test.each([
    [header, /^BEHALF_CLIENT_CERTIFICATE_HEADER: say BEHALF_CLIENT_CERTIFICATE_PROXIES too/],
    [proxies, /^BEHALF_CLIENT_CERTIFICATE_PROXIES: say BEHALF_CLIENT_CERTIFICATE_HEADER too/],
    [
      { BEHALF_MTLS_URL: 'https://mtls.example' },
      /^BEHALF_MTLS_URL: say BEHALF_CLIENT_CERTIFICATE_HEADER too/,
    ],
    [{ BEHALF_CLIENT_CERTIFICATE_AUTHORITIES: 'ca.pem' }, /^BEHALF_CLIENT_CERTIFICATE_AUTHORITIES: say/],
    [
      { ...header, BEHALF_CLIENT_CERTIFICATE_PROXIES: '0.0.0.0/0' },
      /^BEHALF_CLIENT_CERTIFICATE_PROXIES\.0: must be/,
    ],
    [
      { ...header, BEHALF_CLIENT_CERTIFICATE_PROXIES: 'proxy' },
      /^BEHALF_CLIENT_CERTIFICATE_PROXIES\.0: must be/,
    ],
    [{ ...proxies, BEHALF_CLIENT_CERTIFICATE_HEADER: 'a b' }, /^BEHALF_CLIENT_CERTIFICATE_HEADER: must be/],
    [{ BEHALF_MTLS_URL: 'https://mtls.example/' }, /^BEHALF_MTLS_URL: must be an origin/],
    [{ BEHALF_MTLS_URL: 'ftp://mtls.example' }, /^BEHALF_MTLS_URL: must be an origin/],
    [
      { ...header, ...proxies, BEHALF_MTLS_URL: 'http://mtls.example' },
      /^BEHALF_MTLS_URL: http:\/\/mtls\.example would send tokens in the clear; use https/,
    ],
  ])('%j is told as a fault', (env, fault) => {
    expect(faultsOf(env as Record<string, string>)).toEqual([expect.stringMatching(fault)]);
  });
});

test.each([
  { BEHALF_MTLS_URL: 'https://mtls.example' },
  { BEHALF_MTLS_URL: 'http://127.0.0.1:4443' },
  { BEHALF_MTLS_URL: 'http://mtls.example', BEHALF_ALLOW_HTTP: 'true' },
])('%j is an origin for mutual TLS', (env) => {
  const given = {
    ...env,
    ...{ BEHALF_CLIENT_CERTIFICATE_HEADER: 'Client-Cert', BEHALF_CLIENT_CERTIFICATE_PROXIES: '10.0.3.7' },
  };
  expect(readConfig(given).BEHALF_MTLS_URL).toBe(env.BEHALF_MTLS_URL);
});

describe('the hosts of documents of clients', () => {
  test('have the usual port unless they name another', () => {
    const hosts = 'tools.example.internal, [fd00::1]:8443';
    expect(readConfig({ BEHALF_CLIENT_METADATA_HOSTS: hosts }).BEHALF_CLIENT_METADATA_HOSTS).toEqual([
      'tools.example.internal:443',
      '[fd00::1]:8443',
    ]);
  });

  test.each(['https://tools.example', 'Tools.example', 'tools.example/path', 'me@tools.example'])(
    '%s is told as a fault',
    (host) => {
      expect(faultsOf({ BEHALF_CLIENT_METADATA_HOSTS: host })).toEqual([
        expect.stringContaining('must be hosts such as'),
      ]);
    },
  );
});
