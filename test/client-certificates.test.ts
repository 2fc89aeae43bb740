import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AddressRanges, isAddressRange } from '../src/core/address-ranges.js';
import { certificateThumbprint } from '../src/core/certificates.js';
import { hasName } from '../src/oauth/mutual-tls/certificate-names.js';
import { makeCertificateOf } from '../src/transports/http/client-certificate.js';

const names = `
[req]
distinguished_name = subject
x509_extensions = extensions
prompt = no
utf8 = yes
string_mask = utf8only
[subject]
C = DE
O = "Acme, Inc"
CN = "help+desk ü"
[extensions]
subjectAltName = @names
[names]
DNS.1 = Desk.example
URI.1 = spiffe://acme.example/desk
URI.2 = http://a/b\\, DNS:evil.example
IP.1 = 10.0.0.1
IP.2 = 2001:db8::1
email.1 = desk@acme.example
`;

let folder: string;
let certificate: X509Certificate;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'behalf-names-'));
  const [config, cert] = [join(folder, 'names.cnf'), join(folder, 'cert.pem')];
  writeFileSync(config, names);
  const options = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync(
    'openssl',
    ['req', '-x509', ...options, '-config', config, '-out', cert, '-keyout', join(folder, 'key.pem')],
    { stdio: 'ignore' },
  );
  certificate = new X509Certificate(readFileSync(cert));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('a certificate has a name', () => {
  test.each([
    ['san_dns', 'desk.example', true],
    ['san_dns', 'DESK.example', true],
    ['san_dns', 'evil.example', false],
    ['san_dns', 'example', false],
    ['san_uri', 'spiffe://acme.example/desk', true],
    ['san_uri', 'spiffe://acme.example/DESK', false],
    ['san_uri', 'http://a/b, DNS:evil.example', true],
    ['san_uri', 'http://a/b', false],
    ['san_ip', '10.0.0.1', true],
    ['san_ip', '2001:DB8:0::1', true],
    ['san_ip', '10.0.0.2', false],
    ['san_email', 'desk@acme.example', true],
    ['san_email', 'other@acme.example', false],
    ['subject_dn', 'CN=help\\+desk ü,O=Acme\\, Inc,C=DE', true],
    ['subject_dn', 'cn=help\\+desk ü, o=Acme\\, Inc, c=DE', true],
    ['subject_dn', 'C=DE,O=Acme\\, Inc,CN=help\\+desk ü', false],
    ['subject_dn', 'CN=help\\+desk ü,O=Acme\\, Inc', false],
    ['subject_dn', 'CN=help\\+desk ü', false],
  ] as const)('%s %s: %s', (kind, value, expected) => {
    expect(hasName(certificate, { kind, value })).toBe(expected);
  });
});

describe('the certificate of a request', () => {
  const proxies = new AddressRanges(['10.0.3.0/24', '2001:db8::/32', '127.0.0.2']);
  const seen = (
    header: string | undefined,
    remoteAddress: string | undefined = '10.0.3.9',
    now = Date.now(),
  ): X509Certificate | undefined =>
    makeCertificateOf(
      { name: 'Client-Cert', proxies },
      { now: () => now },
    )({
      headers: header === undefined ? {} : { 'client-cert': header },
      socket: { remoteAddress },
    } as unknown as IncomingMessage);
  const base64 = (): string => certificate.raw.toString('base64');
  const pem = (): string => encodeURIComponent(certificate.toString());
  const day = 86_400_000;

  test.each<[string, () => string]>([
    ['RFC 9440', () => `:${base64()}:`],
    ['URL-encoded PEM', pem],
    [
      'PEM with encoded spaces and lines alone',
      () => certificate.toString().replaceAll('\n', '%0A').replaceAll(' ', '%20'),
    ],
  ])('in %s counts', (_form, header) => {
    const found = seen(header());
    expect(found === undefined ? '' : certificateThumbprint(found)).toBe(certificateThumbprint(certificate));
  });

  test.each<[string, () => string | undefined]>([
    ['none', () => undefined],
    ['nothing', () => ''],
    ['base64 alone', base64],
    ['bytes that are none', () => ':AAAA:'],
    ['two in one field', () => `:${base64()}:, :${base64()}:`],
    ['two in PEM', () => `${pem()}${pem()}`],
    ['two fields in PEM', () => `${pem()}, ${pem()}`],
    ['what cannot be decoded', () => `${pem()}%`],
  ])('%s does not count', (_what, header) => {
    expect(seen(header())).toBeUndefined();
  });

  test.each(['10.0.4.1', '10.0.2.255', '192.0.2.1', '127.0.0.1', '::1', '2001:db9::1', 'unknown', undefined])(
    'does not count from %s',
    (address) => {
      expect(seen(`:${base64()}:`, address ?? '')).toBeUndefined();
    },
  );
  test.each(['10.0.3.0', '10.0.3.255', '::ffff:10.0.3.7', '2001:db8:1::2', '127.0.0.2'])(
    'counts from %s',
    (address) => {
      expect(seen(`:${base64()}:`, address)).toBeDefined();
    },
  );

  test('counts while it is valid', () => {
    expect(seen(`:${base64()}:`, '10.0.3.9', Date.now() - day)).toBeUndefined();
    expect(seen(`:${base64()}:`, '10.0.3.9', Date.now() + 3 * day)).toBeUndefined();
  });

  test('never counts where no header is set', () => {
    const request = { headers: { 'client-cert': `:${base64()}:` }, socket: { remoteAddress: '10.0.3.9' } };
    expect(
      makeCertificateOf(undefined, { now: Date.now })(request as unknown as IncomingMessage),
    ).toBeUndefined();
  });
});

test.each([
  ['10.0.3.1', true],
  ['10.0.3.0/24', true],
  ['2001:db8::/32', true],
  ['0.0.0.0/0', false],
  ['::/0', false],
  ['10.0.3.0/33', false],
  ['10.0.3', false],
  ['fe80::1%eth0', false],
  ['proxy.internal', false],
  ['', false],
])('%s is a range: %s', (text, expected) => {
  expect(isAddressRange(text)).toBe(expected);
});
