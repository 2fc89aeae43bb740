import { expect, test } from 'vitest';
import { ClientDocuments } from '../src/oauth/clients/client-documents.js';

const clientId = 'https://desk.example/client.json';
const document = Buffer.from(JSON.stringify({ client_id: clientId }));

/** Documents of clients, of which one is kept as `keep` says at each attempt. */
function documentsWith(...keep: readonly (() => unknown)[]): {
  find: () => Promise<unknown>;
  attempts: number;
} {
  const state = { attempts: 0, find: (): Promise<unknown> => documents.find(clientId) };
  const clients = {
    describe: () => ({ name: 'Desk' }),
    keep: () => Promise.resolve(keep[(state.attempts += 1) - 1]?.()),
  };
  const parts = {
    clients,
    clock: { now: () => 0 },
    database: { transaction: (work: (tx: object) => unknown) => work({}) },
    documentFetch: {
      ask: () =>
        Promise.resolve({ status: 200, headers: { 'content-type': 'application/json' }, body: document }),
    },
  };
  const documents = new ClientDocuments(parts as never);
  return state;
}

const kept = () => ({ client: { clientId }, changes: [] });

test('a client that could not be kept because a lock was lost is kept by the next request', async () => {
  const documents = documentsWith(() => Promise.reject(new Error('a lost lock')), kept);
  await expect(documents.find()).rejects.toThrow('a lost lock');
  expect(await documents.find()).toEqual({ clientId });
});

test('that too many wait is not asked again at once', async () => {
  const documents = documentsWith(() => undefined, kept);
  for (let request = 0; request < 3; request += 1)
    await expect(documents.find()).rejects.toMatchObject({ error: 'invalid_client' });
  expect(documents.attempts).toBe(1);
});
