// databases: sqlite, mariadb
import { UnauthorizedError, type Client } from '@modelcontextprotocol/client';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AuditBody } from '../../src/audit/record.js';
import { eq } from '../../src/store/sql/condition.js';
import { clients, type ClientRow } from '../../src/store/tables/clients.js';
import { withPassword } from '../support/account.js';
import { certify, makeAuthority } from '../support/certificates.js';
import { chromiumPath } from '../support/chromium.js';
import { ClientHost } from '../support/client-host.js';
import { builtCommand } from '../support/command-line.js';
import { ConsentingPerson } from '../support/consenting-person.js';
import { freePort } from '../support/free-port.js';
import { Inspector } from '../support/inspector.js';
import { McpProgram } from '../support/mcp-program.js';
import type { Era } from '../support/mcp.js';
import { OAuthCallback } from '../support/oauth-callback.js';
import { Office } from '../support/office.js';
import { recordsOf } from '../support/records.js';
import { ServerProcess } from '../support/server-process.js';

vi.setConfig({ testTimeout: 120_000 });

const eras: readonly Era[] = ['modern', 'legacy'];

const publicClient = { response_types: ['code'], token_endpoint_auth_method: 'none' };
/** The documents of VS Code and Claude Code, with where each listens. */
const documents = {
  modern: {
    ...{ host: '127.0.0.1', path: '/' },
    members: {
      ...{ ...publicClient, client_name: 'Visual Studio Code', application_type: 'native' },
      redirect_uris: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
      grant_types: [
        ...['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      ],
    },
  },
  legacy: {
    ...{ host: 'localhost', path: '/callback' },
    members: {
      ...{ ...publicClient, client_name: 'Claude Code', client_uri: 'https://claude.ai' },
      redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
    },
  },
};

/** The name of a client in a record. Without sessions, one of 2025 tells it in its first message alone. */
const nameIn = (era: Era, name: string): unknown =>
  era === 'modern' ? (expect.stringMatching(name) as string) : null;

// Skipped where the machine has no Chromium; `.ci/run` installs one, and fails over a skipped test.
describe.skipIf(chromiumPath === undefined)('a program that knows nothing but the address of `/mcp`', () => {
  let folder: string;
  let host: ClientHost;
  let office: Office;
  let server: ServerProcess;
  let callback: OAuthCallback;
  let person: ConsentingPerson;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-mcp-clients-'));
    const authority = await makeAuthority(folder, 'authority');
    [host, office, callback, person] = await Promise.all([
      certify(authority, folder, 'clients', 'IP:127.0.0.1').then((certified) => ClientHost.start(certified)),
      Office.start(),
      OAuthCallback.start(),
      ConsentingPerson.start(),
    ]);
    // Node.js reads the authorities that it trusts when it starts, so the server has a process of its own.
    server = await ServerProcess.start(office.server.databaseUrl, {
      NODE_EXTRA_CA_CERTS: authority.cert,
      BEHALF_CLIENT_REGISTRATION: 'true',
      BEHALF_CLIENT_METADATA_DOCUMENTS: 'true',
      BEHALF_CLIENT_METADATA_HOSTS: host.host,
    });
    person.username = await withPassword(office, await office.company.employee('rosa', 'support-rep'));
    const { root } = office.company;
    const { id } = await office.company.role('support-agent');
    const rights = `roleId: "${id}", scopes: ["tickets:read", "customers:read"], ownerId: "${root.id}"`;
    await office.done(root, 'addClientRule', `input: { host: "${host.host}", ${rights} },`);
  });
  afterAll(async () => {
    await Promise.all([person.stop(), server.stop()]);
    await office.server.stop();
    host.stop();
    callback.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const rowOf = async (clientId: string): Promise<ClientRow> => {
    const row = await office.server.database.read.one(clients, eq<ClientRow>('clientId', clientId));
    if (row === undefined) throw new Error(`There is no client ${clientId}.`);
    return row;
  };
  const idOf = ({ memory }: McpProgram): string => memory.client?.client_id ?? '';
  const agentNamed = async (name: string): Promise<string> => {
    const { root } = office.company;
    const { id } = await office.company.role('support-agent');
    return `agent: { name: "${name}", businessTask: "Answer tickets", ownerId: "${root.id}", roleIds: ["${id}"] }`;
  };

  async function admit(clientId: string, name: string): Promise<void> {
    const { id, version } = await rowOf(clientId);
    const looked = `id: "${id}", expectedVersion: ${String(version)}`;
    await office.done(office.company.root, 'admitClient', `${looked}, input: { ${await agentNamed(name)} },`);
  }

  /** The input of `query` for one row. */
  const wanted = () => ({
    document: 'query ($id: ID!) { customer(id: $id) { name } }',
    variables: { id: office.data.customers[0]?.id },
  });

  /** The record of a result of `query`, which must have the row. */
  async function recordOfRow(told: unknown): Promise<AuditBody | undefined> {
    expect(told).toMatchObject({ data: { customer: { name: office.data.customers[0]?.name } } });
    const { operationId } = told as { operationId: string };
    const records = await recordsOf(office.server.database);
    return records.find((record) => record.operationId === operationId);
  }

  /** Expects a result of `query` that has the row, and its record. */
  async function hasRow(told: unknown, of: { clientId: string; task: string; name: unknown }): Promise<void> {
    expect(await recordOfRow(told)).toMatchObject({
      outcome: 'succeeded',
      chain: { person: { name: 'rosa' }, agents: [{ id: (await rowOf(of.clientId)).agentId }] },
      delegation: { task: of.task, purpose: 'Answer the letter' },
      mcp: { client: of.name, method: 'tools/call', target: 'query' },
    });
  }

  async function getsARow(client: Client, era: Era, clientId: string, task: string): Promise<void> {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('query');
    const { structuredContent } = await client.callTool({ name: 'query', arguments: wanted() });
    await hasRow(structuredContent, { clientId, task, name: nameIn(era, '^assistant 1.0.0$') });
  }

  test.each(eras)('registers itself, waits, and once it is admitted gets an answer: %s', async (era) => {
    const task = `ticket:registered-${era}`;
    const program = new McpProgram(`${server.url}/mcp`, { era, callback });
    const address = await program.begin();
    expect(program.asked).toEqual([
      '401 /mcp',
      '200 /.well-known/oauth-protected-resource/mcp',
      '200 /.well-known/oauth-authorization-server',
      '201 /oauth/register',
    ]);
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      ...{ client_id: idOf(program), redirect_uri: callback.url(), resource: `${server.url}/mcp` },
      code_challenge_method: 'S256',
    });
    await person.visit(address, (page) =>
      page.getByRole('heading', { name: 'This application waits for an administrator' }).waitFor(),
    );
    await expect(program.redeem('made-up')).rejects.toMatchObject({
      code: 'invalid_client',
      message: expect.stringContaining('waits until an administrator admits it') as string,
    });
    expect(await rowOf(idOf(program))).toMatchObject({ status: 'quarantined', agentId: null });

    await admit(idOf(program), `registered-${era}`);
    await person.consent(address, task);
    await getsARow(await program.finish(), era, idOf(program), task);
    await program.client.close();
  });

  test.each(eras)(
    'has a document, which a rule admits, and where its token is too narrow asks the person anew: %s',
    async (era) => {
      const { members, host: listening, path } = documents[era];
      const document = host.publish(`/${era}/client-metadata`, members);
      const redirectUrl = callback.url(listening, path);
      const program = new McpProgram(`${server.url}/mcp`, { era, callback, document, redirectUrl });
      await program.connect((address) =>
        person.consent(address, 'ticket:first', async (page) => {
          expect(await page.locator('dd strong', { hasText: host.host }).count()).toBe(1);
          expect(await page.getByText('pass itself off as this one').count()).toBe(1);
        }),
      );
      expect([idOf(program), program.scopes]).toEqual([document, ['customers:read', 'tickets:read']]);
      await getsARow(program.client, era, document, 'ticket:first');

      program.refreshFor('tickets:read');
      await program.client.callTool({ name: 'whoami', arguments: {} });
      expect(program.scopes).toEqual(['tickets:read']);
      const refused = program.client.callTool({ name: 'query', arguments: wanted() });
      await expect(refused).rejects.toThrow(UnauthorizedError);
      expect(program.asked.at(-1)).toBe('403 /mcp');
      const again = program.addressForPerson();
      expect(again.searchParams.get('scope')?.split(' ').sort()).toEqual(['customers:read', 'tickets:read']);
      await person.consent(again, 'ticket:second');
      await getsARow(await program.finish(), era, document, 'ticket:second');
      expect([host.asked.includes(new URL(document).pathname), host.credentials]).toEqual([true, []]);
      await program.client.close();
    },
  );

  test('is its person’s own tool, and asks for scopes when it needs them', async () => {
    const of = 'clientId: "tool", name: "Tool", redirectUris: ["http://127.0.0.1/callback"], ownTool: true';
    await office.done(office.company.root, 'createClient', `input: { ${of} }`);
    const registered = { clientId: 'tool', scope: 'tickets:read' };
    const program = new McpProgram(`${server.url}/mcp`, { era: 'modern', callback, registered });
    await program.connect((address) => person.signIn(address));
    expect(program.scopes).toEqual(['tickets:read']);
    const refused = program.client.callTool({ name: 'query', arguments: wanted() });
    await expect(refused).rejects.toThrow(UnauthorizedError);
    await person.signIn(program.addressForPerson());
    const client = await program.finish();
    expect(program.scopes).toEqual(['customers:read', 'tickets:read']);
    const told = (await client.callTool({ name: 'query', arguments: wanted() })).structuredContent;
    expect(await recordOfRow(told)).toMatchObject({
      chain: { person: { name: 'rosa' }, agents: [] },
      ...{ delegation: null, mcp: { client: 'assistant 1.0.0', target: 'query' } },
    });
    await client.close();
  });

  describe('the inspector’s command line', () => {
    const call = () => [
      ...['--method', 'tools/call', '--tool-name', 'query', '--tool-args-json', JSON.stringify(wanted())],
    ];
    /** From nothing; returns what it printed, and its client id. */
    async function signedIn(stored: string, era: Era, args: readonly string[], task: string) {
      const back = ['--callback-url', `http://127.0.0.1:${String(await freePort())}/callback`];
      const run = new Inspector(stored, [...atServer(era), ...back, ...args]);
      const address = await run.address();
      const clientId = address.searchParams.get('client_id') ?? '';
      await admit(clientId, `inspector-${era}`);
      await person.consent(address, task);
      return { clientId, told: await run.result() };
    }
    const atServer = (era: Era) => ['--server-url', `${server.url}/mcp`, '--protocol-era', era];

    test('signs in by itself, lists the tools, and calls one in its next run: modern', async () => {
      const stored = await mkdtemp(join(folder, 'modern-'));
      const task = 'ticket:inspector';
      const { clientId, told } = await signedIn(stored, 'modern', ['--method', 'tools/list'], task);
      expect(told).toMatchObject({
        tools: expect.arrayContaining([expect.objectContaining({ name: 'query' })]) as unknown,
      });
      const next = new Inspector(stored, [...atServer('modern'), '--stored-auth-only', ...call()]);
      const { structuredContent } = await next.result();
      await hasRow(structuredContent, { clientId, task, name: nameIn('modern', 'inspector') });
    });

    test('signs in by itself and calls a tool: legacy', async () => {
      const stored = await mkdtemp(join(folder, 'legacy-'));
      const task = 'ticket:inspector-of-2025';
      const { clientId, told } = await signedIn(stored, 'legacy', call(), task);
      await hasRow(told.structuredContent, { clientId, task, name: nameIn('legacy', 'inspector') });
    });

    test('starts `behalf mcp --stdio`, by which its person signs in', async () => {
      const { root } = office.company;
      const of = `clientId: "desktop", name: "Desktop", redirectUris: ["http://127.0.0.1/callback"]`;
      await office.done(root, 'createClient', `input: { ${of}, ${await agentNamed('desktop')} }`);
      const bridge = ['mcp', '--stdio', '--client', 'desktop', '--server', server.url];
      const run = new Inspector(folder, [process.execPath, builtCommand, ...bridge, '--', ...call()]);
      await person.consent(await run.address(), 'ticket:stdio');
      const { structuredContent } = await run.result();
      await hasRow(structuredContent, { clientId: 'desktop', task: 'ticket:stdio', name: null });
    });
  });
});
