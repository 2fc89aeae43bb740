import { describe, expect, test } from 'vitest';
import { describeDatabase, parseDatabaseUrl, type MysqlUrl } from '../../src/core/database-url.js';
import { ConfigError, readConfig } from '../../src/config.js';

const mysql = (text: string): MysqlUrl => {
  const url = parseDatabaseUrl(text);
  if (url.dialect !== 'mysql') throw new Error('This is SQLite.');
  return url;
};
const tls = (options: string): unknown => mysql(`mysql://u:p@db.example/behalf?${options}`).tls;
const faultOf = (text: string): string => {
  try {
    readConfig({ DATABASE_URL: text });
    return 'none';
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.join('\n');
    throw error;
  }
};
const optionFault = (options: string): string => faultOf(`mysql://u:p@db.example/behalf?${options}`);

describe('25 everything that DATABASE_URL says is kept or refused', () => {
  test('user, password, host, port and database are taken as they are meant', () => {
    expect(mysql('mysql://an%40na:p%3A%2F%3F%23%25%40+@[::1]:3307/my%20base')).toEqual({
      dialect: 'mysql',
      host: '::1',
      port: 3307,
      socket: undefined,
      user: 'an@na',
      password: 'p:/?#%@+',
      database: 'my base',
      tls: undefined,
    });
    expect(mysql('MySQL://u@DB.example/behalf')).toMatchObject({
      host: 'DB.example',
      port: 3306,
      password: '',
    });
    expect(mysql('mysql://u:p@localhost/behalf?socket=/run/my+sql.sock').socket).toBe('/run/my+sql.sock');
  });

  test('the server is told without user, password and options', () => {
    const told = (text: string): string => describeDatabase(parseDatabaseUrl(text));
    expect(told('mysql://u:secret@[fd00::5]/behalf?ssl-mode=REQUIRED')).toBe('mysql://[fd00::5]:3306/behalf');
    expect(told('mysql://u:secret@localhost/behalf?socket=/run/my.sock')).toBe('mysql:///run/my.sock/behalf');
    expect(told('sqlite:data/behalf.sqlite')).toBe('sqlite:data/behalf.sqlite');
  });

  const modes: readonly (readonly [options: string, tls: unknown])[] = [
    ['', undefined],
    ['ssl-mode=DISABLED', undefined],
    ['ssl=false', undefined],
    ['ssl-mode=REQUIRED', { verify: 'nothing' }],
    ['sslmode=require', { verify: 'nothing' }],
    ['ssl-mode=required&ssl-ca=/ca.pem', { verify: 'authority', ca: { file: '/ca.pem' } }],
    ['ssl-mode=VERIFY_CA&ssl-ca=/ca.pem', { verify: 'authority', ca: { file: '/ca.pem' } }],
    ['sslMode=verify-ca&ssl_ca=%2Fca.pem', { verify: 'authority', ca: { file: '/ca.pem' } }],
    ['ssl-ca=/ca.pem', { verify: 'authority', ca: { file: '/ca.pem' } }],
    ['ssl-mode=VERIFY_IDENTITY', { verify: 'identity' }],
    ['sslmode=verify-full&sslrootcert=/ca.pem', { verify: 'identity', ca: { file: '/ca.pem' } }],
    ['ssl=true', { verify: 'identity' }],
    ['ssl=1&ssl-mode=REQUIRED', { verify: 'nothing' }],
    [
      'ssl-cert=/c.pem&ssl-key=/k.pem',
      { verify: 'nothing', cert: { file: '/c.pem' }, key: { file: '/k.pem' } },
    ],
    ['ssl={"rejectUnauthorized":true}', { verify: 'identity' }],
    ['ssl={"rejectUnauthorized":false}', { verify: 'nothing' }],
    ['ssl=%7B%7D', { verify: 'identity' }],
    [
      'ssl={"ca":"PEM","minVersion":"TLSv1.3"}',
      { verify: 'authority', ca: { text: 'PEM' }, minVersion: 'TLSv1.3' },
    ],
  ];
  test.each(modes)('the options %j', (options, expected) => {
    expect(tls(options)).toEqual(expected);
  });

  const faults: readonly (readonly [options: string, fault: RegExp])[] = [
    [
      'charset=latin1',
      /the option charset is unknown; known are ssl-mode, ssl-ca, ssl-cert, ssl-key, ssl, socket$/,
    ],
    ['sslaccept=strict', /the option sslaccept is unknown/],
    ['ssl-capath=/etc', /the option ssl-capath is unknown/],
    ['ssl-mode=PREFERRED', /ssl-mode: PREFERRED would go on without TLS/],
    ['ssl-mode=sometimes', /ssl-mode: must be DISABLED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY$/],
    ['ssl-mode=', /ssl-mode: has no value/],
    ['ssl', /ssl: has no value/],
    ['ssl-mode=REQUIRED&sslmode=DISABLED', /ssl-mode: is given twice/],
    ['ssl-mode=VERIFY_CA', /VERIFY_CA needs ssl-ca/],
    ['ssl-mode=DISABLED&ssl-ca=/ca.pem', /turn TLS off and say how it is to be/],
    ['ssl=false&ssl-mode=REQUIRED', /turn TLS off and say how it is to be/],
    ['ssl=true&ssl-mode=DISABLED', /turn TLS off and say how it is to be/],
    ['ssl-cert=/c.pem', /needs ssl-cert and ssl-key/],
    ['ssl=Amazon%20RDS', /ssl: must be true, false or a JSON object/],
    ['ssl={"rejectUnauthorised":true}', /ssl: rejectUnauthorised is unknown; known are rejectUnauthorized, /],
    ['ssl={"rejectUnauthorized":"no"}', /ssl: rejectUnauthorized has a wrong value/],
    ['ssl={"rejectUnauthorized":false,"ca":"PEM"}', /nothing looks at ca/],
    ['ssl={}&ssl-mode=REQUIRED', /as JSON it says all about TLS/],
    ['ssl={', /begins like JSON and is none/],
    ['socket=/run/my.sock', /the host must be localhost/],
  ];
  test.each(faults)('the options %j are refused', (options, fault) => {
    expect(optionFault(options)).toMatch(/^DATABASE_URL: [^\n]*$/);
    expect(optionFault(options)).toMatch(fault);
  });

  const urls: readonly (readonly [url: string, fault: RegExp])[] = [
    ['mysql://u:hidden@host', /name of one database/],
    ['mysql://u:hidden@host/a/b', /name of one database/],
    ['mysql://u:hidden@host:0/a', /a port from 1 to 65535/],
    ['mysql://u:hidden@host:99999/a', /must be sqlite:PATH or mysql/],
    ['mysql://u:hidden#x@host/a', /are written as %40/],
    ['mysql://u:hidden?x@host/a', /are written as %40/],
    ['mysql://u:1234?hidden@host/a', /name of one database/],
    ['mysql://u:1234/a?hidden@host', /one of its options is unknown/],
    ['mysql://u:hidden%zz@host/a', /the password has a % that begins no character/],
    ['mysql://u:hidden@[::1/a', /must be sqlite:PATH or mysql/],
    ['mysql:u:hidden@host/a', /must be sqlite:PATH or mysql/],
    ['mysql:///a', /must be sqlite:PATH or mysql/],
    ['sqlite::memory:', /must name a file/],
    ['sqlite://data/hidden.sqlite', /without slashes/],
    ['sqlite:data/hidden.sqlite?mode=ro', /has no options/],
  ];
  test.each(urls)('%j is refused without a word of the password', (url, fault) => {
    expect(faultOf(url)).toMatch(fault);
    expect(faultOf(url)).not.toContain('hidden');
  });
});
