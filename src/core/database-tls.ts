import { z } from 'zod';
import { DatabaseUrlFault } from './database-url-fault.js';

/** A certificate or key in PEM: the path of its file, or the text itself. */
export type Pem = { readonly file: string } | { readonly text: string };

/** How the connection to MySQL is encrypted, and how the server proves its identity. */
export interface DatabaseTls {
  /**
   * `nothing`: the server's certificate is not checked. `authority`: the certificate must be signed by `ca`.
   * `identity`: the certificate must name the host and be signed by `ca` or by an authority that Node trusts.
   */
  readonly verify: 'nothing' | 'authority' | 'identity';
  readonly ca?: Pem;
  readonly cert?: Pem;
  readonly key?: Pem;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** The TLS settings in a URL's options, by their canonical names. Undefined for a plain connection. */
export function tlsOf(options: ReadonlyMap<string, string>): DatabaseTls | undefined {
  const ssl = options.get('ssl');
  const files = filesOf(options);
  const mode = options.has('ssl-mode') ? modeOf(options.get('ssl-mode') ?? '') : undefined;
  if (ssl?.startsWith('{') === true) {
    if (mode !== undefined || Object.keys(files).length > 0) {
      throw new DatabaseUrlFault(
        'ssl: as JSON it says all about TLS; leave out ssl-mode, ssl-ca, ssl-cert and ssl-key',
      );
    }
    return complete(profileOf(ssl));
  }
  const isOn = ssl === undefined ? undefined : flagOf(ssl);
  const isOff = isOn === false || mode === 'disabled';
  if (isOff && (isOn === true || (mode ?? 'disabled') !== 'disabled' || Object.keys(files).length > 0)) {
    throw new DatabaseUrlFault(
      'ssl-mode: the options turn TLS off and say how it is to be; leave one of them out',
    );
  }
  if (isOff) return undefined;
  const verify = mode ?? unsaid(isOn === true, files);
  return verify === undefined ? undefined : complete({ verify, ...files });
}

/** The verification where no mode is given. */
function unsaid(isOn: boolean, { ca, cert, key }: Partial<DatabaseTls>): DatabaseTls['verify'] | undefined {
  if (isOn) return 'identity';
  if (ca !== undefined) return 'authority';
  return cert === undefined && key === undefined ? undefined : 'nothing';
}

type Mode = DatabaseTls['verify'] | 'disabled';

/** The modes in MySQL's words and in those of PostgreSQL's clients. */
const modes = new Map<string, Mode>([
  ['DISABLED', 'disabled'],
  ['DISABLE', 'disabled'],
  ['REQUIRED', 'nothing'],
  ['REQUIRE', 'nothing'],
  ['VERIFY_CA', 'authority'],
  ['VERIFY_IDENTITY', 'identity'],
  ['VERIFY_FULL', 'identity'],
]);

const usableModes = 'DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY';

function modeOf(text: string): Mode {
  const word = text.toUpperCase().replaceAll('-', '_');
  const mode = modes.get(word);
  if (mode !== undefined) return mode;
  throw new DatabaseUrlFault(
    /^(PREFER(RED)?|ALLOW)$/.test(word)
      ? `ssl-mode: ${word} would go on without TLS where the server has none; say ${usableModes}`
      : `ssl-mode: must be ${usableModes}`,
  );
}

function flagOf(text: string): boolean {
  if (/^(true|1)$/i.test(text)) return true;
  if (/^(false|0)$/i.test(text)) return false;
  throw new DatabaseUrlFault('ssl: must be true, false or a JSON object');
}

function filesOf(options: ReadonlyMap<string, string>): Pick<DatabaseTls, 'ca' | 'cert' | 'key'> {
  const file = (name: 'ca' | 'cert' | 'key'): Partial<Record<typeof name, Pem>> => {
    const path = options.get(`ssl-${name}`);
    return path === undefined ? {} : { [name]: { file: path } };
  };
  return { ...file('ca'), ...file('cert'), ...file('key') };
}

/** The properties that mysql2 accepts and Behalf supports. Any other property is refused by name. */
const profile = z.strictObject({
  rejectUnauthorized: z.boolean().optional(),
  verifyIdentity: z.boolean().optional(),
  ca: z.string().optional(),
  cert: z.string().optional(),
  key: z.string().optional(),
  minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).optional(),
});

function profileOf(text: string): DatabaseTls {
  const known = `known are ${Object.keys(profile.shape).join(', ')}`;
  const parsed = profile.safeParse(json(text));
  if (!parsed.success) {
    const at = parsed.error.issues.map((issue) =>
      issue.code === 'unrecognized_keys'
        ? `${issue.keys.join(', ')} is unknown`
        : `${issue.path.join('.')} has a wrong value`,
    );
    throw new DatabaseUrlFault(`ssl: ${at.join('; ')}; ${known}`);
  }
  const { rejectUnauthorized = true, verifyIdentity, minVersion, ...texts } = parsed.data;
  if (!rejectUnauthorized && (verifyIdentity === true || texts.ca !== undefined)) {
    throw new DatabaseUrlFault('ssl: without rejectUnauthorized nothing looks at ca and verifyIdentity');
  }
  // Anybody can get a certificate from a public authority, so there the host name must match.
  const isIdentity = verifyIdentity ?? texts.ca === undefined;
  const pems = Object.entries(texts).map(([name, pem]) => [name, { text: pem }]);
  return {
    verify: !rejectUnauthorized ? 'nothing' : isIdentity ? 'identity' : 'authority',
    ...(Object.fromEntries(pems) as Pick<DatabaseTls, 'ca' | 'cert' | 'key'>),
    ...(minVersion !== undefined && { minVersion }),
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DatabaseUrlFault('ssl: begins like JSON and is none');
  }
}

function complete(tls: DatabaseTls): DatabaseTls {
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new DatabaseUrlFault('ssl-cert: a certificate of our own needs ssl-cert and ssl-key');
  }
  if (tls.verify === 'authority' && tls.ca === undefined) {
    throw new DatabaseUrlFault(
      'ssl-mode: VERIFY_CA needs ssl-ca, as anybody can get a certificate of a public authority; or say VERIFY_IDENTITY',
    );
  }
  // A `ca` is given to be checked.
  return tls.verify === 'nothing' && tls.ca !== undefined ? { ...tls, verify: 'authority' } : tls;
}
