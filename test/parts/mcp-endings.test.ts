// databases: sqlite, mariadb
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import type { Resolver } from '../../src/delegation/resolver-context.js';
import { eq } from '../../src/store/sql/condition.js';
import { documents } from '../../src/domains/knowledge/tables.js';
import { delegations, roles } from '../../src/store/tables/identity.js';
import { loadBusiness, loadDocuments, smallBusiness } from '../support/demo-rows.js';
import { installedDomains } from '../support/installed.js';
import { postMessage, postOldMessage } from '../support/mcp.js';
import { recordsOf } from '../support/records.js';
import { everywhere, TestServer, type AgentFixture, type PersonFixture } from '../support/server.js';

const scopes = ['customers:read', 'documents:read', 'invoices:read'];
/** What happens while a resolver runs. */
let meanwhile: () => Promise<void> = () => Promise.resolve();
let server: TestServer;
let person: PersonFixture;
let uri: string;
beforeAll(async () => {
  server = await TestServer.start({
    domains: installedDomains().map((domain) => {
      const { Query: queries = {} } = domain.resolvers;
      const held = Object.entries(queries).map(([name, resolve]) => {
        const slow: Resolver = async (root, args, operation, info) => {
          await meanwhile();
          return resolve(root, args, operation, info);
        };
        return [name, ['customers', 'search', 'document'].includes(name) ? slow : resolve];
      });
      return {
        ...domain,
        resolvers: { ...domain.resolvers, Query: Object.fromEntries(held) as typeof queries },
      };
    }),
  });
  await loadBusiness(server.database, smallBusiness());
  await loadDocuments(server.database, server.ids);
  person = await server.person({ scopes });
  const [document] = await server.database.read.select(documents, eq('classification', 'public'));
  uri = `behalf://document/${document?.id ?? ''}`;
});
afterAll(() => server.stop());

const makeAgent = (): Promise<AgentFixture> => server.agent(person, { scopes });
const tokenOf = ({ delegationId }: AgentFixture): Promise<string> =>
  server.token(person.id, delegationId, scopes, '/mcp');

type Message = readonly [method: string, params: Readonly<Record<string, unknown>>];
const calling = (name: string, input: object): Message => ['tools/call', { name, arguments: input }];
const send = (token: string, [method, params]: Message): Promise<Response> =>
  postMessage(server.url, token, method, params);

/** Messages of every kind, each of which is answered with a result or an error of the protocol. */
const messages = (): Readonly<Record<string, Message>> => ({
  'the list of tools': ['tools/list', {}],
  'the list of resources': ['resources/list', {}],
  'the list of templates': ['resources/templates/list', {}],
  'a document': ['resources/read', { uri }],
  'an address of nothing': ['resources/read', { uri: 'file:///etc/passwd' }],
  discovery: ['server/discover', {}],
  'a method that there is not': ['no/such', {}],
  'a tool that there is not': calling('nothing', {}),
  'a query': calling('query', { document: '{ customers { totalCount } }' }),
  'a faulty input': calling('query', { nothing: 1 }),
  'who I am': calling('whoami', {}),
  'a search of the schema': calling('search_schema', { words: 'customers' }),
  'a check': calling('validate', { document: '{ customers { totalCount } }' }),
  'an explanation': calling('explain_refusal', { scopes }),
});
const kinds = Object.keys(messages());

const recordById = async (response: Response) => {
  const id = response.headers.get('behalf-operation-id');
  return (await recordsOf(server.database)).find(({ operationId }) => operationId === id);
};

describe('a right that ended since the last message', () => {
  test.each(kinds)('%s: is told by the status, with a challenge', async (kind) => {
    const agent = await makeAgent();
    const token = await tokenOf(agent);
    // The server knows the token now.
    expect((await send(token, ['tools/list', {}])).status).toBe(200);
    await server.endDelegation(agent.delegationId);
    const answer = await send(token, messages()[kind] ?? ['', {}]);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await answer.json()).not.toHaveProperty('result');
  });
});

describe('a right that ends while a message runs', () => {
  test.each(['a query', 'a document'])('%s: is told by the status, with a challenge', async (kind) => {
    const agent = await makeAgent();
    const token = await tokenOf(agent);
    meanwhile = async () => {
      meanwhile = () => Promise.resolve();
      await server.endDelegation(agent.delegationId);
    };
    const answer = await send(token, messages()[kind] ?? ['', {}]);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await answer.json()).toMatchObject({ error: { data: { code: 'UNAUTHENTICATED' } } });
    expect(await recordById(answer)).toMatchObject({
      outcome: 'refused',
      errors: [{ code: 'UNAUTHENTICATED' }],
    });
  });
});

test('a sign-in with a passkey is asked for by the status, as at `/graphql`', async () => {
  const roleId = await server.giveRole(person.id, { scopes: ['refunds:read'] });
  await server.database.transaction(async (tx) => {
    await tx.update(roles, eq('id', roleId), { signIn: 'passkey' });
    await bumpEpoch(tx);
  });
  const document = '{ refunds(first: 1) { nodes { id } } }';
  const there = await server.query(person.token, document);
  const token = await server.token(person.id, undefined, undefined, '/mcp');
  const here = await send(token, calling('query', { document }));
  expect([there.status, here.status]).toEqual([401, 401]);
  const challenge = here.headers.get('www-authenticate');
  expect(challenge).toContain('acr_values="phr"');
  expect(challenge).toBe(there.headers.get('www-authenticate')?.replace(/\/graphql"/, '/mcp"'));
});

describe('without the log', () => {
  const rename = (from: string, to: string) =>
    server.database.transaction((tx) => tx.query(`ALTER TABLE ${from} RENAME TO ${to}`));
  let token: string;
  beforeAll(async () => {
    token = await tokenOf(await makeAgent());
    await rename('behalf_audit_records', 'audit_lost');
  });
  afterAll(() => rename('audit_lost', 'behalf_audit_records'));

  test.each(kinds)('%s: nothing leaves, and the status says why', async (kind) => {
    const answer = await send(token, messages()[kind] ?? ['', {}]);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { data: { code: 'AUDIT_UNAVAILABLE' } } });
  });
});

describe('a document that is read leaves no word', () => {
  const notes: Readonly<Record<string, (agent: AgentFixture) => Promise<unknown>>> = {
    'where its task has no rows left at the end': ({ delegationId }) =>
      server.database.transaction((tx) =>
        tx.update(delegations, eq('id', delegationId), { rowsMax: 1, rowsUsed: 1 }),
      ),
    'where the boundary was narrowed meanwhile': ({ roleId }) =>
      server.database.transaction(async (tx) => {
        await tx.update(roles, eq('id', roleId), {
          boundary: { ...everywhere, classification: [] },
        });
        await bumpEpoch(tx);
      }),
    'where a scope was taken meanwhile': ({ roleId }) =>
      server.database.transaction(async (tx) => {
        await tx.update(roles, eq('id', roleId), { scopes: ['customers:read'] });
        await bumpEpoch(tx);
      }),
  };
  test.each(Object.entries(notes))('%s', async (_when, change) => {
    const agent = await makeAgent();
    const token = await tokenOf(agent);
    // The server knows the token now.
    expect(await (await send(token, ['resources/read', { uri }])).text()).toContain('"contents"');
    meanwhile = async () => {
      meanwhile = () => Promise.resolve();
      await change(agent);
    };
    const answer = await send(token, ['resources/read', { uri }]);
    const text = await answer.text();
    expect(text).not.toContain('"contents"');
    expect(JSON.parse(text)).toMatchObject({ error: { code: expect.any(Number) as number } });
    expect((await recordById(answer))?.outcome).toMatch(/^(?:refused|failed)$/);
  });
});

/** The responses to requests that this process starts to serve. */
function startedResponses() {
  const responses: ServerResponse[] = [];
  const note = (message: unknown): void => {
    responses.push((message as { readonly response: ServerResponse }).response);
  };
  subscribe('http.server.request.start', note);
  return {
    stop: (): readonly ServerResponse[] => {
      unsubscribe('http.server.request.start', note);
      return responses;
    },
  };
}

describe('a client that goes away while its message runs', () => {
  const params = { name: 'query', arguments: { document: 'query Gone { customers { nodes { id } } }' } };
  /** The SDK reads these. */
  const forms: Readonly<Record<string, (token: string, signal: AbortSignal) => Promise<Response>>> = {
    'of 2025': (token, signal) => postOldMessage(server.url, token, 'tools/call', params, { signal }),
    'of 2026-07-28': (token, signal) =>
      postMessage(server.url, token, 'tools/call', params, {
        ...{ signal, headers: { 'mcp-name': `=?base64?${btoa('query')}?=` } },
      }),
  };

  test.each(Object.entries(forms))('%s: its operation has the record of what it did', async (_name, ask) => {
    const token = await tokenOf(await makeAgent());
    const before = new Set((await recordsOf(server.database)).map(({ operationId }) => operationId));
    const gone = new AbortController();
    const responses = startedResponses();
    meanwhile = async () => {
      meanwhile = () => Promise.resolve();
      const [response] = responses.stop();
      if (response === undefined) throw new Error('No request has started.');
      const closed = once(response, 'close');
      gone.abort();
      await closed;
      // What ends with the response has ended before this is answered.
      await fetch(`${server.url}/healthz`);
    };
    await expect(ask(token, gone.signal)).rejects.toThrow();
    const left = async () =>
      (await recordsOf(server.database)).filter(({ operationId }) => !before.has(operationId));
    await vi.waitFor(async () => {
      expect(await left()).toHaveLength(1);
    });
    const [record] = await left();
    expect(record).toMatchObject({ outcome: 'succeeded', errors: [], operation: { name: 'Gone' } });
    expect(record?.rowCount).toBeGreaterThan(0);
  });
});
