// databases: sqlite, mariadb
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { eq } from '../../src/store/sql/condition.js';
import { roles } from '../../src/store/tables/identity.js';
import { agentClient } from '../../src/client/index.js';
import { StdioBridge } from '../../src/cli/stdio-bridge.js';
import { TokenStore } from '../../src/cli/sign-in/token-store.js';
import { withPassword } from '../support/account.js';
import { builtCommand } from '../support/command-line.js';
import { freePort } from '../support/free-port.js';
import { Office } from '../support/office.js';
import { password } from '../support/passwords.js';
import { Browser } from './oauth/browser.js';

let office: Office;
let folder: string;
beforeAll(async () => {
  office = await Office.start();
  folder = await mkdtemp(join(tmpdir(), 'behalf-stdio-'));
});

afterAll(async () => {
  await office.server.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The command as a program starts it that knows no HTTP. */
const transport = (...args: readonly string[]): StdioClientTransport => transportTo(office.server.url, args);
const transportTo = (server: string, args: readonly string[]): StdioClientTransport =>
  new StdioClientTransport({
    command: process.execPath,
    args: [builtCommand, 'mcp', '--stdio', '--server', server, ...args],
    env: { PATH: process.env.PATH ?? '', XDG_CONFIG_HOME: folder },
    stderr: 'pipe',
  });

interface JsonRpcAnswer {
  readonly jsonrpc?: string;
  readonly id: number | null;
  readonly result?: object;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: object };
}

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

const connected = async (over: StdioClientTransport, mode: 'legacy' | 'auto'): Promise<Client> => {
  const client = new Client({ name: 'desktop', version: '1.0.0' }, { versionNegotiation: { mode } });
  await client.connect(over);
  return client;
};

test('an agent signs in by itself, and a client of either era gets its answers', async () => {
  const rosa = await office.company.employee('rosa', 'support-rep');
  const agent = await office.agent('desk', rosa, 'support-agent');
  await office.delegate(rosa, { agent: agent.name, role: 'support-agent', scopes: ['tickets:read'] });
  const file = join(folder, 'secret');
  await writeFile(file, `${agent.secret}\n`);
  for (const mode of ['legacy', 'auto'] as const) {
    const client = await connected(transport('--agent', 'desk', '--secret-file', file), mode);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('query');
    const told = await client.callTool({ name: 'whoami', arguments: {} });
    expect(told.structuredContent).toMatchObject({
      data: { viewer: { agents: [{ name: 'desk' }], task: { task: 'ticket:T-1' } } },
    });
    await client.close();
  }
});

test('every request gets an answer of the protocol, also where the server reads none, and notifications get none', async () => {
  const rosa = await office.company.employee('rosa2', 'support-rep');
  const agent = await office.agent('writer', rosa, 'support-agent');
  await office.delegate(rosa, { agent: agent.name, role: 'support-agent', scopes: ['tickets:read'] });
  const client = agentClient({
    ...{ server: office.server.url, agent: 'writer', secret: agent.secret, path: '/mcp' as const },
  });
  const call = (id: number, rest: string): string =>
    `{"jsonrpc":"2.0","id":${String(id)},"method":"tools/call","params":{${rest},"_meta":${JSON.stringify(modernMeta)}}}`;
  const lines = [
    call(1, `"name":"query","arguments":{"document":"#${'x'.repeat(1_100_000)}"}`),
    call(2, '"name":"query","arguments":{"document":"\\ud800"}'),
    call(3, '"name":"whoami","__proto__":{}'),
    call(4, '"name":"é中"'),
    call(5, '"name":"whoami"'),
    `[${call(6, '"name":"whoami"')}]`,
    '5',
    '{"jsonrpc":"2.0","method":"notifications/initialized","params":{"__proto__":{}}}',
  ];
  const out = new PassThrough();
  const send = (url: string, init: RequestInit) => client.fetch(url, init);
  await new StdioBridge(`${office.server.url}/mcp`, send, out).run(
    Readable.from(lines.map((line) => `${line}\n`)),
  );
  const answers = String(out.read())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as JsonRpcAnswer);
  expect(answers.every(({ jsonrpc }) => jsonrpc === '2.0')).toBe(true);
  expect(answers.map(({ id }) => id).sort()).toEqual([1, 2, 3, 4, 5, null, null]);
  const of = (id: number) => answers.find((answer) => answer.id === id);
  expect(of(1)?.error).toMatchObject({
    ...{ code: 413, message: 'The body is larger than 1048576 bytes.' },
    data: { code: 'BAD_USER_INPUT', operationId: expect.stringMatching(/^[0-9A-Z]{26}$/) as string },
  });
  expect(of(4)?.error).toMatchObject({ code: -32_602, message: 'There is no tool "é中" here.' });
  expect(of(5)?.error).toBeUndefined();
  for (const id of [2, 3]) expect(of(id)?.error?.message).toMatch(/./);
});

test('a client of 2026-07-28 is told that its tools have changed, ends its streams, and is told where the server does', async () => {
  const { server } = office;
  const scopes = ['customers:read', 'documents:read'];
  const person = await server.person({ scopes });
  const { delegationId, roleId } = await server.agent(person, { scopes });
  const token = await server.token(person.id, delegationId, scopes, '/mcp');
  const [input, out] = [new PassThrough(), new PassThrough().setEncoding('utf8')];
  const send = (url: string, init: RequestInit) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    return fetch(url, { ...init, headers });
  };
  const running = new StdioBridge(`${server.url}/mcp`, send, out).run(input);
  const told = out[Symbol.asyncIterator]() as AsyncIterator<string>;
  const next = async () =>
    JSON.parse(String((await told.next()).value)) as JsonRpcAnswer & { method?: string };
  const say = (message: object): unknown =>
    input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const listen = (id: number) => {
    const params = { notifications: { toolsListChanged: true }, _meta: modernMeta };
    say({ id, method: 'subscriptions/listen', params });
  };
  listen(1);
  expect((await next()).method).toBe('notifications/subscriptions/acknowledged');
  say({ method: 'notifications/cancelled', params: { requestId: 1, _meta: modernMeta } });
  listen(2);
  expect((await next()).method).toBe('notifications/subscriptions/acknowledged');

  await server.database.transaction(async (tx) => {
    await tx.update(roles, eq('id', roleId), { scopes: ['customers:read'] });
    await bumpEpoch(tx);
  });
  expect((await next()).method).toBe('notifications/tools/list_changed');
  await server.endDelegation(delegationId);
  expect(await next()).toMatchObject({ id: 2 });
  input.end();
  await running;
  out.end();
  expect((await told.next()).done).toBe(true);
}, 30_000);

test('what something else than the server answers is no answer of it', async () => {
  const out = new PassThrough();
  const send = () => Promise.resolve(Response.json({ error: 'not_found', id: 9 }, { status: 404 }));
  const line = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n';
  await new StdioBridge(`${office.server.url}/mcp`, send, out).run(Readable.from([line]));
  expect(JSON.parse(String(out.read()))).toEqual({
    ...{ jsonrpc: '2.0', id: 1 },
    error: { code: -32_603, message: 'The server gave no answer: HTTP 404.' },
  });
});

const lineSigns = '\u2028\u2029';

test.each(['2025-11-25', '2026-07-28'])(
  'a line ends with a line feed alone, wherever its bytes are parted, in a request and in an answer of %s',
  async (version) => {
    const rosa = await office.company.employee(`lines-${version}`, 'support-rep');
    const agent = await office.agent(`lines-${version}`, rosa, 'support-agent');
    const to = { agent: agent.name, role: 'support-agent', scopes: ['tickets:read'] };
    const delegation = await office.delegate(rosa, to);
    const { name, secret } = agent;
    const client = agentClient({
      ...{ server: office.server.url, agent: name, secret, delegation, path: '/mcp' as const },
    });
    const types: (string | null)[] = [];
    const send = async (url: string, init: RequestInit) => {
      const response = await client.fetch(url, init);
      types.push(response.headers.get('content-type'));
      return response;
    };
    const clientInfo = { name: 'raw', version: '1' };
    const isModern = version === '2026-07-28';
    const initialize = { protocolVersion: version, capabilities: {}, clientInfo };
    const tool = `no${lineSigns}中😀`;
    const messages = [
      ...(isModern ? [] : [{ jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize }]),
      {
        ...{ jsonrpc: '2.0', id: 2, method: 'tools/call' },
        params: { name: tool, arguments: {}, ...(isModern ? { _meta: modernMeta } : {}) },
      },
    ];
    const lines = messages.map((message) => JSON.stringify(message).replace('{', '{\r'));
    const bytes = [...Buffer.from(lines.join('\r\n'))].map((byte) => Buffer.of(byte));
    const input = Readable.from(bytes, { objectMode: false, highWaterMark: 1 });
    const out = new PassThrough();
    await new StdioBridge(`${office.server.url}/mcp`, send, out).run(input);
    const answers = String(out.read())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as JsonRpcAnswer);
    expect(answers.map(({ id }) => id)).toEqual(isModern ? [2] : [1, 2]);
    expect(answers.at(-1)?.error?.message).toBe(`There is no tool ${JSON.stringify(tool)} here.`);
    if (!isModern) expect(types.at(-1)).toMatch(/^text\/event-stream/);
  },
);

/** A client that an administrator registered, with the agent that its tasks are for. */
async function registerClient(at: Office, name: string): Promise<void> {
  const { root } = at.company;
  const role = await at.company.role('support-agent');
  const agent = `agent: { name: "${name}", businessTask: "Answer tickets", ownerId: "${root.id}", roleIds: ["${role.id}"] }`;
  const uris = 'redirectUris: ["http://127.0.0.1/callback"]';
  await at.done(root, 'createClient', `input: { clientId: "${name}", name: "Desktop", ${uris}, ${agent} }`);
}

/** The person signs in at this address and decides; the browser goes back to the program. */
async function decide(url: string, username: string, decision: Readonly<Record<string, string>>) {
  const browser = new Browser(new URL(url).origin);
  const page = await browser.submit(await browser.open(url), { username, password });
  const back = await browser.submit(page, decision);
  await fetch(back.url, { redirect: 'manual' });
}

/** Resolves with the next address that the program prints for the person. */
async function address({ stderr }: StdioClientTransport): Promise<string> {
  let text = '';
  for await (const chunk of (stderr as Readable).iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    const found = /http\S+\/oauth\/authorize\?\S+/.exec(text)?.[0];
    if (found !== undefined) return found;
  }
  throw new Error(`The program printed no address:\n${text}`);
}

test('a client signs its person in with a browser, once: consent is the task that it gets', async () => {
  await registerClient(office, 'desktop');
  const ines = await office.company.employee('ines', 'support-rep');
  const username = await withPassword(office, ines);

  const over = transport('--client', 'desktop');
  const connecting = connected(over, 'legacy');
  await decide(await address(over), username, { purpose: 'Answer the letter', task: 'ticket:T-7' });
  const client = await connecting;
  const asked = async (of: Client) =>
    (await of.callTool({ name: 'whoami', arguments: {} })).structuredContent;
  expect(await asked(client)).toMatchObject({ data: { viewer: { task: { task: 'ticket:T-7' } } } });
  await client.close();

  const { path } = new TokenStore(office.server.url, 'desktop', { XDG_CONFIG_HOME: folder });
  const earlier = join(
    folder,
    'behalf',
    `${office.server.url.replace(/\W+/g, (text) => (text === '.' ? text : '-'))}-mcp-desktop.json`,
  );
  await rename(path, earlier);
  const again = await connected(transport('--client', 'desktop'), 'auto');
  expect(await asked(again)).toMatchObject({ data: { viewer: { task: { task: 'ticket:T-7' } } } });
  await again.close();
  expect([existsSync(earlier), existsSync(path)]).toEqual([false, true]);
});

test('a client whose sign-in failed tries again with its next message', async () => {
  const port = String(await freePort());
  const over = transportTo(`http://127.0.0.1:${port}`, ['--client', 'later']);
  const told = new Map<number, (answer: JsonRpcAnswer) => void>();
  over.onmessage = (message) => {
    const answer = message as JsonRpcAnswer;
    told.get(answer.id ?? 0)?.(answer);
  };
  await over.start();
  const ask = (id: number): Promise<JsonRpcAnswer> =>
    new Promise((resolve, reject) => {
      told.set(id, resolve);
      over
        .send({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'whoami', _meta: modernMeta } })
        .catch(reject);
    });

  expect((await ask(1)).error?.message).toContain(`No server answers at http://127.0.0.1:${port}`);

  const later = await Office.start({}, { PORT: port });
  await registerClient(later, 'later');
  const username = await withPassword(later, await later.company.employee('ines', 'support-rep'));
  const declined = ask(2);
  await decide(await address(over), username, { action: 'cancel' });
  expect((await declined).error?.message).toMatch(/^You are not signed in: /);

  const signedIn = ask(3);
  await decide(await address(over), username, { purpose: 'Answer the letter', task: 'ticket:T-8' });
  expect((await signedIn).result).toMatchObject({
    structuredContent: { data: { viewer: { task: { task: 'ticket:T-8' } } } },
  });
  await over.close();
  await later.server.stop();
});
