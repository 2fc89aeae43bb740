// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.js';
import { createApp } from '../../src/app.js';
import { ConfigError, readConfig } from '../../src/config.js';
import { Database } from '../../src/store/sql/database.js';
import { freshDatabaseUrl, targetOf } from '../support/database.js';
import type { FreshDatabase } from '../support/fresh-database.js';
import { freePort } from '../support/free-port.js';
import { TestServer } from '../support/server.js';

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('settings', () => {
  const table: readonly (readonly [env: Record<string, string>, fault: RegExp])[] = [
    [{ DATABASE_URL: 'postgres://u:secret@h/d' }, /^DATABASE_URL: must be sqlite:PATH or mysql:/],
    [{ DATABASE_URL: 'sqlite:' }, /^DATABASE_URL: must be/],
    [{ PORT: '80a' }, /^PORT: must be a whole number/],
    [{ PORT: '65536' }, /^PORT: /],
    [{ BEHALF_PUBLIC_URL: 'https://a.example/path' }, /^BEHALF_PUBLIC_URL: must be an origin/],
    [{ BEHALF_PUBLIC_URL: 'not a url' }, /^BEHALF_PUBLIC_URL: /],
    [{ BEHALF_COOKIE_KEYS: 'short' }, /^BEHALF_COOKIE_KEYS\S*: each key must have at least 32 characters/],
    [{ BEHALF_SMALLEST_CELL: '1' }, /^BEHALF_SMALLEST_CELL: /],
    [{ BEHALF_ACCESS_TOKEN_SECONDS: '86400' }, /^BEHALF_ACCESS_TOKEN_SECONDS: /],
    [{ BEHALF_ALLOW_HTTP: 'yes' }, /^BEHALF_ALLOW_HTTP: /],
    [{ PORT: '0' }, /^PORT: 0 takes a free port, so say BEHALF_PUBLIC_URL/],
    [{ BEHALF_LOG_LEVEL: 'loud' }, /^BEHALF_LOG_LEVEL: /],
    [{ BEHALF_EXECUTION: 'Shielded' }, /^BEHALF_EXECUTION: .*"fitting"\|"shielded"$/],
    [{ BEHALF_EXECUTION: 'plain' }, /^BEHALF_EXECUTION: .*"fitting"\|"shielded"$/],
    [{ BEHALF_COLOUR: 'red' }, /^BEHALF_COLOUR is not a setting of Behalf/],
    [{ BEHALF_OTLP_URL: 'collector:4318' }, /^BEHALF_OTLP_URL: must be an http or https URL/],
    [{ BEHALF_METRICS_HOST: '10.0.0.1' }, /^BEHALF_METRICS_HOST: say BEHALF_METRICS_PORT too/],
    [{ BEHALF_HEADERS_SECONDS: '60' }, /^BEHALF_HEADERS_SECONDS: must not be more than BEHALF_REQUEST/],
    [{ BEHALF_PUBLIC_URL: 'http://a.example' }, /would send tokens in the clear/],
    [{ HOST: '0.0.0.0' }, /would send tokens in the clear/],
  ];

  test.each(table)('%j is told', (env, fault) => {
    const faults = faultsOf(env);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(fault);
  });

  test('all that is wrong is told at once, and none of the values', () => {
    const faults = faultsOf({
      ...{ DATABASE_URL: 'postgres://user:pa55word@host/db', PORT: '-1', BEHALF_POOL_SIZE: '1' },
      ...{ BEHALF_COOKIE_KEYS: 'hunter2', BEHALF_NONSENSE: 'hunter3' },
    });
    expect(faults.map((fault) => /^[A-Z_]+/.exec(fault)?.[0]).sort()).toEqual([
      'BEHALF_COOKIE_KEYS',
      'BEHALF_NONSENSE',
      'BEHALF_POOL_SIZE',
      'DATABASE_URL',
      'PORT',
    ]);
    expect(faults.join('\n')).not.toMatch(/pa55word|hunter/);
  });

  test('without any, and with safe ones, there is nothing to tell', () => {
    expect(faultsOf({})).toEqual([]);
    expect(faultsOf({ HOST: '0.0.0.0', BEHALF_PUBLIC_URL: 'https://behalf.example' })).toEqual([]);
    expect(faultsOf({ BEHALF_PUBLIC_URL: 'http://a.example', BEHALF_ALLOW_HTTP: 'true' })).toEqual([]);
    expect(faultsOf({ PATH: '/bin', PORT: '' })).toEqual([]);
  });
});

describe('a database that is behind on migrations', () => {
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await freshDatabaseUrl();
  });
  afterAll(() => fresh.drop());

  test('refuses the start, names what is missing and what to do, and stays as it is', async () => {
    const config = readConfig({
      DATABASE_URL: fresh.url,
      PORT: String(await freePort()),
      BEHALF_LOG_LEVEL: 'silent',
    });
    const last = (migrations as { name: string }[]).at(-1)?.name ?? '';
    const start = createApp(config);
    await expect(start).rejects.toThrow(/^The database lacks .*: run `behalf migrate`\.$/);
    await expect(start).rejects.toThrow(last);
    const target = targetOf(fresh.url);
    const database = await Database.open(target, migrations);
    expect(await database.pendingMigrations()).toHaveLength(migrations.length);
    await database.close();
  });

  test('makes a running server say that it is not ready, without a trace of why in its insides', async () => {
    const server = await TestServer.start();
    const ready = await fetch(`${server.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, problems: [] }]);
    await server.database.transaction((tx) => tx.affecting('DELETE FROM behalf_migrations WHERE id = 1', []));
    const behind = await fetch(`${server.url}/readyz`);
    expect([behind.status, await behind.json()]).toEqual([
      503,
      {
        ready: false,
        problems: [
          {
            code: 'migrations_behind',
            message: 'The database is behind on migrations: run `behalf migrate`.',
          },
        ],
      },
    ]);
    await server.stop();
  });
});
