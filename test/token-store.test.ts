import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TokenStore } from '../src/cli/sign-in/token-store.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-tokens-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const store = (server: string, client?: string): TokenStore =>
  new TokenStore(server, client, { XDG_CONFIG_HOME: folder });

test('each server and client has a file of its own, however alike their names are', async () => {
  const longId = `https://client.example/${'a'.repeat(300)}`;
  const places = [
    ['https://foo-bar.example'],
    ['https://foo--bar.example'],
    ['https://foo-bar.example', 'desk top'],
    ['https://foo-bar.example', 'desk-top'],
    ['https://foo-bar.example', 'Desk-Top'],
    ['https://foo--bar.example', 'desk-top'],
    ['https://foo-bar.example', longId],
    ['https://foo-bar.example', `${longId}b`],
  ] as const;
  for (const [server, client] of places)
    await store(server, client).write({
      server,
      user: client ?? 'rosa',
      refreshToken: `${server} ${client ?? ''}`,
    });
  for (const [server, client] of places)
    expect(await store(server, client).read()).toMatchObject({
      server,
      refreshToken: `${server} ${client ?? ''}`,
    });
  expect(new Set(places.map(([server, client]) => store(server, client).path.toLowerCase())).size).toBe(8);
});
