// databases: sqlite, mariadb
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Crashes } from '../support/crash.js';
import { Crowd } from '../support/crowd.js';
import { freshDatabaseUrl } from '../support/database.js';
import { gatedParts } from '../support/gate.js';
import { recordOf } from '../support/records.js';
import { TestServer, type Answer } from '../support/server.js';

const query = '{ customers { nodes { id } } }';
const crowd = new Crowd();
let server: TestServer;
let token: string;

const start = async (env: Record<string, string> = {}): Promise<void> => {
  server = await TestServer.start(gatedParts(crowd), env);
  ({ token } = await server.person({ scopes: ['customers:read'] }));
};
const ask = (): Promise<Answer> => server.query(token, query);

describe('a server that is asked to end', () => {
  beforeEach(() => {
    crowd.shut();
  });
  afterEach(async () => {
    crowd.open();
    await server.stop();
  });

  test('answers what is under way, each answer with its record, and takes nothing new', async () => {
    await start();
    const held = [ask(), ask(), ask()];
    await crowd.holds(3);
    const ended = server.app.close();
    await expect
      .poll(() =>
        ask().then(
          () => 'answered',
          () => 'refused',
        ),
      )
      .toBe('refused');
    crowd.open();
    for (const answer of await Promise.all(held)) {
      expect([answer.status, answer.errors]).toEqual([200, []]);
      expect(answer.headers.get('connection')).toBe('close');
      expect(await recordOf(server.database, answer)).toMatchObject({ outcome: 'succeeded' });
    }
    expect(await ended).toBe(0);
  });

  test('does not wait for a connection on which nobody asks', async () => {
    await start({ BEHALF_SHUTDOWN_SECONDS: '300' });
    crowd.open();
    const { hostname, port } = new URL(server.url);
    const silent = connect(Number(port), hostname);
    await once(silent, 'connect');
    const lost = once(silent, 'close');
    // It knows the connection once it has answered on a later one.
    await ask();
    expect(await server.app.close()).toBe(0);
    await lost;
  });

  test('says at once that it is not ready, and goes on for as long as it was told to', async () => {
    await start({ BEHALF_DRAIN_SECONDS: '1' });
    crowd.open();
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    const ended = server.app.close();
    const ready = await fetch(`${server.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      {
        ready: false,
        problems: [
          { code: 'draining', message: 'The server was asked to end and answers what is under way.' },
        ],
      },
    ]);
    const answer = await ask();
    expect([answer.status, answer.errors, answer.headers.get('connection')]).toEqual([200, [], 'close']);
    const oauth = await fetch(`${server.url}/.well-known/oauth-authorization-server`);
    expect([oauth.status, oauth.headers.get('connection')]).toEqual([200, 'close']);
    expect(await ended).toBe(0);
    await expect(ask()).rejects.toThrow();
  });

  test('ends anyway when what is under way takes too long, and says how much it cut off', async () => {
    await start({ BEHALF_SHUTDOWN_SECONDS: '1' });
    const held = [ask(), ask()].map((answer) =>
      answer.then(
        () => 'answered',
        () => 'cut',
      ),
    );
    await crowd.holds(2);
    expect(await server.app.close()).toBe(2);
    expect(await Promise.all(held)).toEqual(['cut', 'cut']);
  });
});

test(
  'a process that is asked to end under load: no operation is done whose answer was lost, and every change has its record',
  { timeout: 120_000 },
  async () => {
    const database = await freshDatabaseUrl();
    const crashes = await Crashes.start(database.url);
    expect(await crashes.shutDown()).toBe(0);
    const { faults, acknowledged, records, changes } = await crashes.figures();
    expect(faults).toEqual([]);
    expect(crashes.refused).toEqual([]);
    expect(changes).toBeGreaterThan(0);
    expect(records).toBe(acknowledged);
    await database.drop();
  },
);
