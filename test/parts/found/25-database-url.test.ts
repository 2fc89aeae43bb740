// databases: sqlite, mariadb
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dataSourceOptions } from '../../../src/store/sql/open-sources.js';
import { certify, makeAuthority, type Certified } from '../../support/certificates.js';
import { CommandLine, type Ended } from '../../support/command-line.js';
import { targetOf, testDatabase } from '../../support/database.js';
import { freshMariaDb } from '../../support/fresh-database.js';
import { forgetful, startMariaDb, type MariaDb } from '../../support/mariadb.js';
import { memoryFolder } from '../../support/memory-folder.js';
import { TestServer } from '../../support/server.js';

let cli: CommandLine;
beforeAll(async () => {
  cli = await CommandLine.open();
});
afterAll(() => cli.close());

const migrate = (url: string): Promise<Ended> => cli.run(['migrate'], { DATABASE_URL: url });

describe('25 every command reads DATABASE_URL alike', () => {
  test.each([
    [
      'mysql://anna:hidden@127.0.0.1/behalf?tls-version=1',
      /tls-version is unknown; known are ssl-mode, ssl-ca/,
    ],
    ['sqlite:behalf.sqlite?mode=ro', /which has no options/],
  ])('%s is refused', async (url, fault) => {
    for (const command of [['migrate'], ['start'], ['user', 'list']]) {
      const ended = await cli.run(command, { DATABASE_URL: url });
      expect(ended).toMatchObject({ code: 78, stdout: '' });
      expect(ended.stderr).toMatch(fault);
      expect(ended.stderr).not.toContain('hidden');
    }
  });
});

const ipv6 = await new Promise<boolean>((resolve) => {
  const probe = createServer().once('error', () => {
    resolve(false);
  });
  probe.listen(0, '::1', () =>
    probe.close(() => {
      resolve(true);
    }),
  );
});

const encrypted = (): void => {
  let folder: string;
  let authority: Certified;
  let other: Certified;
  let mariaDb: MariaDb;
  let database: string;

  /** The URL of the database at another host, with options. */
  const at = (host: string, options: Record<string, string> = {}): string => {
    const query = new URLSearchParams(options).toString();
    return `${database.replace('127.0.0.1', host)}${query === '' ? '' : `?${query}`}`;
  };
  const ciphers = async (url: string): Promise<string[]> => {
    const source = await new DataSource(dataSourceOptions(targetOf(url), [], 2)).initialize();
    try {
      const ask = (): Promise<{ Value: string }[]> => source.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
      return (await Promise.all([ask(), ask()])).map((rows) => rows[0]?.Value ?? '');
    } finally {
      await source.destroy();
    }
  };
  const serverWith = (certificate: Certified): Promise<MariaDb> =>
    startMariaDb(
      [
        ...forgetful,
        ...[`--ssl-ca=${authority.cert}`, `--ssl-cert=${certificate.cert}`, `--ssl-key=${certificate.key}`],
        ...(ipv6 ? ['--bind-address=127.0.0.1,::1'] : []),
      ],
      memoryFolder(),
    );
  const admin = async (url: string, ...statements: string[]): Promise<void> => {
    const connection = await createConnection({ uri: url, ssl: { rejectUnauthorized: false } });
    for (const statement of statements) await connection.query(statement);
    await connection.end();
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-certificates-'));
    authority = await makeAuthority(folder, 'authority');
    other = await makeAuthority(folder, 'other');
    mariaDb = await serverWith(
      await certify(authority, folder, 'server', 'IP:127.0.0.1,IP:::1,DNS:db.example'),
    );
    database = (await freshMariaDb(mariaDb.url)).url;
    const { password } = new URL(mariaDb.url);
    await admin(
      mariaDb.url,
      'SET GLOBAL require_secure_transport = ON',
      `CREATE USER behalf@'::1' IDENTIFIED BY '${password}'`,
      "GRANT ALL ON *.* TO behalf@'::1'",
    );
  });
  afterAll(async () => {
    await mariaDb.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('a server that demands TLS says what to add to DATABASE_URL, and gets nothing', async () => {
    const ended = await migrate(at('127.0.0.1'));
    expect(ended.code).toBe(1);
    // MySQL says that it wants TLS, MariaDB that it does not take the user.
    expect(ended.stderr).toMatch(/^The database at 127\.0\.0\.1:\d+ .* only by TLS: add \?ssl-mode=/);
    expect(ended.stderr).not.toContain(new URL(database).password);
  });

  test('with every way to ask for TLS, each connection is encrypted', async () => {
    const ca = authority.cert;
    for (const url of [
      at('127.0.0.1', { 'ssl-mode': 'REQUIRED' }),
      at('127.0.0.1', { 'ssl-mode': 'VERIFY_CA', 'ssl-ca': ca }),
      at('localhost', { 'ssl-mode': 'VERIFY_CA', 'ssl-ca': ca }),
      at('127.0.0.1', { 'ssl-mode': 'VERIFY_IDENTITY', 'ssl-ca': ca }),
      at('127.0.0.1', { sslmode: 'verify-full', sslrootcert: ca }),
      at('127.0.0.1', { ssl: '{"rejectUnauthorized":false}' }),
      ...(ipv6 ? [at('[::1]', { 'ssl-mode': 'VERIFY_IDENTITY', 'ssl-ca': ca })] : []),
    ]) {
      expect(await ciphers(url)).toEqual([
        expect.stringMatching(/^TLS_|-/),
        expect.stringMatching(/^TLS_|-/),
      ]);
    }
  });

  test('the command and the server use it', async () => {
    const url = at('127.0.0.1', { 'ssl-mode': 'VERIFY_IDENTITY', 'ssl-ca': authority.cert });
    expect(await migrate(url)).toMatchObject({ code: 0 });
    const server = await TestServer.start({}, {}, { databaseUrl: url });
    try {
      const { token } = await server.person({ scopes: ['customers:read'] });
      expect((await server.query(token, '{ viewer { scopes } }')).errors).toEqual([]);
    } finally {
      await server.stop();
    }
  });

  test.each([
    [
      'an authority that did not sign',
      () => at('127.0.0.1', { 'ssl-mode': 'VERIFY_CA', 'ssl-ca': other.cert }),
      /certificate/,
    ],
    [
      'REQUIRED with such an authority',
      () => at('127.0.0.1', { 'ssl-mode': 'REQUIRED', 'ssl-ca': other.cert }),
      /certificate/,
    ],
    ['no authority that anybody knows', () => at('127.0.0.1', { ssl: 'true' }), /certificate/],
    [
      'another host name',
      () => at('localhost', { 'ssl-mode': 'VERIFY_IDENTITY', 'ssl-ca': authority.cert }),
      /altnames/,
    ],
  ])('a server with %s is not trusted', async (_what, url, why) => {
    const ended = await migrate(url());
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/^The database at \S+ is not trusted: /);
    expect(ended.stderr).toMatch(why);
    expect(ended.stderr).not.toContain(new URL(database).password);
  });

  test('a certificate for localhost is none for an address', async () => {
    const server = await serverWith(await certify(authority, folder, 'local', 'DNS:localhost'));
    try {
      const url = (await freshMariaDb(server.url)).url;
      const options = new URLSearchParams({
        'ssl-mode': 'VERIFY_IDENTITY',
        'ssl-ca': authority.cert,
      }).toString();
      expect((await migrate(`${url}?${options}`)).stderr).toMatch(/is not trusted: .*altnames/);
      expect(await migrate(`${url.replace('127.0.0.1', 'localhost')}?${options}`)).toMatchObject({ code: 0 });
    } finally {
      await server.stop();
    }
  });

  test('a file that is no certificate is named before anybody is asked', async () => {
    const none = join(folder, 'none.pem');
    const ended = await migrate(at('127.0.0.1', { 'ssl-mode': 'VERIFY_CA', 'ssl-ca': none }));
    expect(ended.stderr).toMatch(/was not asked: ssl-ca names .*none\.pem, which cannot be read\.\n$/);
    await writeFile(none, '-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n');
    const broken = await migrate(at('127.0.0.1', { 'ssl-mode': 'VERIFY_CA', 'ssl-ca': none }));
    expect(broken.stderr).toMatch(/was not asked: a certificate or a key of DATABASE_URL is no usable PEM/);
  });

  test('TLS that is asked for is never left out: a server without it is refused', async () => {
    const plain = await startMariaDb([...forgetful, '--skip-ssl'], memoryFolder());
    try {
      const { url } = await freshMariaDb(plain.url);
      const ended = await migrate(`${url}?ssl-mode=REQUIRED`);
      expect(ended.code).toBe(1);
      expect(ended.stderr).toMatch(/has no TLS, and DATABASE_URL asks for it/);
    } finally {
      await plain.stop();
    }
  });
};

if (testDatabase() === 'mariadb') describe('25 a connection to MySQL is as DATABASE_URL says', encrypted);
