import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openssl = (...args: readonly string[]): Promise<unknown> => promisify(execFile)('openssl', [...args]);

/** Files in PEM. */
export interface Certified {
  readonly cert: string;
  readonly key: string;
}

const keyOptions = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate authority that no client trusts, made by `openssl` in a folder. */
export async function makeAuthority(folder: string, name: string): Promise<Certified> {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const subject = ['-subj', `/CN=${name}`, '-addext', 'keyUsage=critical,keyCertSign'];
  await openssl(
    'req',
    '-x509',
    '-days',
    '2',
    ...keyOptions,
    ...subject,
    '-out',
    files.cert,
    '-keyout',
    files.key,
  );
  return files;
}

/**
 * A certificate of that authority. `names` are alternative names, such as `DNS:localhost` and `IP:127.0.0.1`. It expires in
 * so many days; with fewer than none it has expired.
 */
export async function certify(
  authority: Certified,
  folder: string,
  name: string,
  names: string,
  { days = 2, usage = 'serverAuth,clientAuth' } = {},
): Promise<Certified> {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const [request, extensions] = [join(folder, `${name}.csr`), join(folder, `${name}.ext`)];
  await writeFile(extensions, `subjectAltName=${names}\nextendedKeyUsage=${usage}\n`);
  await openssl('req', '-new', ...keyOptions, '-subj', `/CN=${name}`, '-out', request, '-keyout', files.key);
  const by = ['-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial'];
  await openssl(
    'x509',
    '-req',
    '-days',
    String(days),
    '-in',
    request,
    ...by,
    '-extfile',
    extensions,
    '-out',
    files.cert,
  );
  return files;
}
