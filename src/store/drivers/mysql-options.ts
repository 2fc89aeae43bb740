import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { serverAddress, type MysqlUrl } from '../../core/database-url.js';
import type { DatabaseTls, Pem } from '../../core/database-tls.js';

/** The options with which mysql2 reaches a server. */
interface MysqlOptions {
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl?: SslOptions;
  readonly stream?: () => Socket;
}

interface SslOptions {
  readonly rejectUnauthorized: boolean;
  readonly verifyIdentity: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly minVersion?: DatabaseTls['minVersion'];
}

/** Reads the certificates. Throws `CertificateFault` where one cannot be used. */
export function mysqlOptions(url: MysqlUrl): MysqlOptions {
  const { host, port, socket, user, password, database, tls } = url;
  return {
    ...{ host, port, user, password, database },
    ...(socket !== undefined && { socketPath: socket }),
    ...(tls !== undefined && { ssl: sslOptions(tls) }),
    ...(tls?.verify === 'identity' && isIP(host) !== 0 && { stream: () => namedSocket(port, host) }),
  };
}

function sslOptions({ verify, ca, cert, key, minVersion }: DatabaseTls): SslOptions {
  const texts = {
    ...(ca !== undefined && { ca: read('ssl-ca', ca) }),
    ...(cert !== undefined && { cert: read('ssl-cert', cert) }),
    ...(key !== undefined && { key: read('ssl-key', key) }),
  };
  try {
    // The driver would fail when it connects, where no caller can catch the error. Node accepts any text as
    // `ca`, so it is parsed here.
    createSecureContext(texts);
    if (texts.ca !== undefined) new X509Certificate(texts.ca);
  } catch (error) {
    throw new CertificateFault(
      'a certificate or a key of DATABASE_URL is no usable PEM, or the two do not fit',
      error,
    );
  }
  return {
    rejectUnauthorized: verify !== 'nothing',
    verifyIdentity: verify === 'identity',
    ...texts,
    ...(minVersion !== undefined && { minVersion }),
  };
}

/** A certificate or key that `DATABASE_URL` names cannot be used. */
class CertificateFault extends Error {
  override readonly name = 'CertificateFault';

  constructor(message: string, cause: unknown) {
    super(message, { cause });
  }
}

function read(option: string, pem: Pem): string {
  if ('text' in pem) return pem.text;
  try {
    return readFileSync(pem.file, 'utf8');
  } catch (error) {
    throw new CertificateFault(`${option} names ${pem.file}, which cannot be read`, error);
  }
}

/**
 * Node compares the certificate with the name that the socket was opened with. For an address Node keeps no
 * name and would compare with `localhost`, so the name is set here.
 */
function namedSocket(port: number, host: string): Socket {
  const socket = connect({ port, host, keepAlive: true, noDelay: true });
  return Object.assign(socket, { _host: host });
}

/** Why a server cannot be reached, and what to do. Never shows user or password. */
export function whyUnreachable(url: MysqlUrl, error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  const [place, tls] = [serverAddress(url), url.tls];
  if (error instanceof CertificateFault) return `The database at ${place} was not asked: ${error.message}.`;
  switch (code) {
    case 'ER_BAD_DB_ERROR':
      return `There is no database ${url.database} at ${place}. Create it, then run \`behalf migrate\`.`;
    case 'ER_SECURE_TRANSPORT_REQUIRED':
      return `The database at ${place} takes connections only by TLS: ${howToEncrypt}.`;
    case 'ER_ACCESS_DENIED_ERROR':
    case 'ER_DBACCESS_DENIED_ERROR':
      // MariaDB answers the same to a plain connection that it refuses.
      return (
        `The database at ${place} refuses the user or the password of DATABASE_URL` +
        (tls === undefined ? `, or takes that user only by TLS: ${howToEncrypt}` : '') +
        `. Correct them, or grant the user the database ${url.database}.`
      );
    case 'HANDSHAKE_NO_SSL_SUPPORT':
      return `The database at ${place} has no TLS, and DATABASE_URL asks for it. Set TLS up there, or say ssl-mode=DISABLED where nobody can listen.`;
    case 'HANDSHAKE_SSL_ERROR':
      return `The database at ${place} is not trusted: ${message ?? 'no reason given'}. Correct ssl-ca, ssl-cert, ssl-key or the host of DATABASE_URL, or the certificate of the server.`;
    default:
      return `The database at ${place} does not answer (${code ?? message ?? 'no reason given'}). Start it, or correct DATABASE_URL.`;
  }
}

const howToEncrypt = 'add ?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE to DATABASE_URL';
