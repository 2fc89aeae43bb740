import { DatabaseUrlFault } from './database-url-fault.js';
import { tlsOf, type DatabaseTls } from './database-tls.js';

export { DatabaseUrlFault } from './database-url-fault.js';

interface SqliteUrl {
  readonly dialect: 'sqlite';
  readonly path: string;
}

export interface MysqlUrl {
  readonly dialect: 'mysql';
  /** A name or an address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** The path of a Unix socket, which replaces host and port. */
  readonly socket: string | undefined;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Undefined: the connection is plain. */
  readonly tls: DatabaseTls | undefined;
}

/** The database's location, parsed from `DATABASE_URL`. */
export type DatabaseUrl = SqliteUrl | MysqlUrl;

const forms = 'sqlite:PATH or mysql://user:password@host:port/database';

/**
 * Parses the URL. Throws `DatabaseUrlFault` for any part that Behalf does not support; no part is ignored.
 */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  return text.startsWith('sqlite:') ? sqliteUrl(text.slice('sqlite:'.length)) : mysqlUrl(text);
}

/** The URL without user, password and options. */
export function describeDatabase(url: DatabaseUrl): string {
  if (url.dialect === 'sqlite') return `sqlite:${url.path}`;
  return `mysql://${serverAddress(url)}/${url.database}`;
}

/** The server's address in words. */
export function serverAddress({ host, port, socket }: MysqlUrl): string {
  if (socket !== undefined) return socket;
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

function sqliteUrl(path: string): SqliteUrl {
  if (path === '') throw new DatabaseUrlFault(`must be ${forms}`);
  if (path.startsWith(':')) {
    throw new DatabaseUrlFault(
      'must name a file: SQLite without one is another database for each connection',
    );
  }
  if (/^\/\/[^/]/.test(path)) {
    throw new DatabaseUrlFault('must be sqlite:PATH, without slashes before a path of this folder');
  }
  if (path.includes('?')) throw new DatabaseUrlFault('must be sqlite:PATH, which has no options');
  return { dialect: 'sqlite', path };
}

const defaultPort = 3306;

function mysqlUrl(text: string): MysqlUrl {
  if (!/^mysql:\/\//i.test(text)) throw new DatabaseUrlFault(`must be ${forms}`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hash !== '' || url.hostname === '') {
    throw new DatabaseUrlFault(
      `must be ${forms}; in user and password, @ : / ? # and % are written as %40 %3A %2F %3F %23 and %25`,
    );
  }
  const database = decoded('database', url.pathname.slice(1));
  if (database === '' || database.includes('/')) {
    throw new DatabaseUrlFault(
      'must end with the name of one database: mysql://user:password@host:port/database',
    );
  }
  if (url.port === '0') throw new DatabaseUrlFault('must have a port from 1 to 65535');
  const options = optionsOf(url);
  const host = decoded('host', url.hostname).replace(/^\[(.*)\]$/, '$1');
  const socket = options.get('socket');
  if (socket !== undefined && host !== 'localhost') {
    throw new DatabaseUrlFault('socket: is a file of this machine, so the host must be localhost');
  }
  return {
    dialect: 'mysql',
    host,
    port: url.port === '' ? defaultPort : Number(url.port),
    socket,
    user: decoded('user', url.username),
    password: decoded('password', url.password),
    database,
    tls: tlsOf(options),
  };
}

function decoded(part: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new DatabaseUrlFault(`the ${part} has a % that begins no character; % itself is written as %25`);
  }
}

/** MySQL's option names, and the names that other clients use, in lower case without separators. */
const optionNames = new Map([
  ['sslmode', 'ssl-mode'],
  ['sslca', 'ssl-ca'],
  ['sslrootcert', 'ssl-ca'],
  ['sslcert', 'ssl-cert'],
  ['sslkey', 'ssl-key'],
  ['ssl', 'ssl'],
  ['tls', 'ssl'],
  ['socket', 'socket'],
  ['socketpath', 'socket'],
  ['unixsocket', 'socket'],
]);

function optionsOf(url: URL): Map<string, string> {
  const options = new Map<string, string>();
  // `searchParams` would read a + as a space, but in a path it is a plus.
  for (const part of url.search.slice(1).split('&')) {
    if (part === '') continue;
    const [given = '', ...rest] = part.split('=');
    const name = optionNames.get(given.toLowerCase().replaceAll(/[-_]/g, ''));
    if (name === undefined) throw unknownOption(given);
    const value = decoded(`option ${name}`, rest.join('='));
    if (value === '') throw new DatabaseUrlFault(`${name}: has no value`);
    if (options.has(name)) throw new DatabaseUrlFault(`${name}: is given twice`);
    options.set(name, value);
  }
  return options;
}

/**
 * A URL split at the wrong character may hold a part of its password where an option should be. So only a
 * plausible option name is shown.
 */
function unknownOption(name: string): DatabaseUrlFault {
  const shownName = /^[a-z][a-z\d_-]{1,39}$/i.test(name) ? `the option ${name}` : 'one of its options';
  const known = [...new Set(optionNames.values())].join(', ');
  return new DatabaseUrlFault(`${shownName} is unknown; known are ${known}`);
}
