import type { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { ConfigError, type Config } from '../config.js';
import { certificatesIn } from '../core/certificates.js';
import type { MutualTls } from '../oauth/contract/dependencies.js';

/** Reads the file of authorities. Throws `ConfigError` where it has none. */
export function mutualTlsOf({
  BEHALF_CLIENT_CERTIFICATE_HEADER: header,
  BEHALF_CLIENT_CERTIFICATE_AUTHORITIES: file,
  BEHALF_MTLS_URL: url,
}: Config): MutualTls | undefined {
  const authorities = file === undefined ? [] : authoritiesIn(file);
  return header === undefined ? undefined : { authorities, url };
}

function authoritiesIn(file: string): readonly X509Certificate[] {
  const found = existsSync(file) ? certificatesIn(readFileSync(file, 'utf8')) : undefined;
  if (found?.every(({ ca }) => ca) === true) return found;
  throw new ConfigError([
    'BEHALF_CLIENT_CERTIFICATE_AUTHORITIES: must be a readable file with certificates of authorities in PEM',
  ]);
}
