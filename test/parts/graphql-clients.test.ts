// databases: sqlite
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ticketMessages } from '../../src/domains/business/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import { key, type Employee } from '../support/administration.js';
import { chromiumPath, launchChromium } from '../support/chromium.js';
import { root } from '../support/imports.js';
import { Office, type Agent } from '../support/office.js';

vi.setConfig({ testTimeout: 120_000 });

const registered = 'query MyScopes {\n  viewer {\n    scopes\n    __typename\n  }\n}';
const subject = 'query Subject($id: ID!) { ticket(id: $id) { id subject } }';
const emails = 'query Emails { customers(first: 1) { nodes { id name email } } }';
const reply = `mutation Reply($id: ID!, $body: String!, $key: String!) {
  replyToTicket(ticketId: $id, body: $body, idempotencyKey: $key) { message { id } }
}`;

/** The page's script in one file, as an application would ship it. */
async function bundled(): Promise<string> {
  const build = await rolldown({
    input: join(root, 'test/support/pages/clients.mjs'),
    resolve: { alias: { 'behalf/client': join(root, 'src/client/index.ts') } },
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  });
  const { output } = await build.generate({ format: 'iife' });
  await build.close();
  return output[0].code;
}

// Skipped where the machine has no Chromium; `.ci/run` installs one, and fails over a skipped test.
describe.skipIf(chromiumPath === undefined)('on a page of another origin, in a Chromium', () => {
  let pages: Server;
  let office: Office;
  let rosa: Employee;
  let helper: Agent;
  let delegation: string;
  let token: string;
  let browser: Browser;
  let page: Page;
  let origins: { readonly allowed: string; readonly other: string };
  const asked: { readonly method: string; readonly text: boolean }[] = [];

  beforeAll(async () => {
    const script = await bundled();
    pages = createServer(({ url }, response) => {
      if (url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script);
      else
        response
          .setHeader('content-type', 'text/html')
          .end('<!doctype html><script src="/page.js"></script>');
    });
    await new Promise<void>((resolve) => pages.listen(0, resolve));
    const { port } = pages.address() as AddressInfo;
    origins = { allowed: `http://127.0.0.1:${String(port)}`, other: `http://localhost:${String(port)}` };
    office = await Office.start({}, { BEHALF_ALLOWED_ORIGINS: origins.allowed });
    rosa = await office.company.employee('rosa', 'support-rep');
    helper = await office.agent('helper', rosa, 'support-agent');
    const scopes = ['tickets:read', 'tickets:reply', 'customers:read'];
    delegation = await office.delegate(rosa, { agent: 'helper', scopes });
    token = await office.tokenOf(helper, delegation);
    const input = [{ name: 'MyScopes', source: registered }];
    const args =
      'mutation ($input: [RegisterDocumentInput!]!, $key: String!) { registerDocuments(input: $input, idempotencyKey: $key) { created } }';
    expect((await office.company.ask(office.company.root, args, { input, key: key() })).errors).toEqual([]);
    browser = await launchChromium();
    page = await browser.newPage();
    page.on('request', (request) => {
      if (!request.url().startsWith(`${office.server.url}/graphql`)) return;
      const all = `${request.url()} ${request.postData() ?? ''}`;
      asked.push({ method: request.method(), text: /[?&"]query[=":]/.test(all) });
    });
  });
  afterAll(async () => {
    await browser.close();
    await office.server.stop();
    pages.closeAllConnections();
    await new Promise((resolve) => pages.close(resolve));
  });

  const messages = (): Promise<number> =>
    office.server.database.read.count(ticketMessages, eq('ticketId', office.ticketId));

  /** Runs these operations by a client of the page, one after the other. */
  async function ask(client: string, operations: object[], origin = origins.allowed): Promise<unknown[]> {
    asked.length = 0;
    await page.goto(origin);
    const at = {
      url: `${office.server.url}/graphql`,
      token,
      agent: { agent: helper.name, secret: helper.secret, delegation },
    };
    return page.evaluate<unknown[]>(
      `ask(${[client, at, operations].map((value) => JSON.stringify(value)).join(', ')})`,
    );
  }

  test.each(['urql', 'apollo', 'behalf'])(
    '%s reads, changes, and is told what it may not see',
    async (client) => {
      const before = await messages();
      const { ticketId: id } = office;
      const found = office.data.tickets.find((ticket) => ticket.id === id)?.subject;
      const answers = await ask(client, [
        { text: subject, variables: { id } },
        { text: emails },
        { text: reply, variables: { id, body: `From ${client}.`, key: client } },
        { text: reply, variables: { id, body: `From ${client}.`, key: client } },
      ]);
      expect(answers).toMatchObject([
        { data: { ticket: { subject: found } }, codes: [] },
        { data: { customers: { nodes: [{ email: null }] } }, codes: ['FORBIDDEN'] },
        { data: { replyToTicket: { message: { id: expect.any(String) } } }, codes: [] },
        { codes: [] },
      ]);
      expect(answers[3]).toEqual(answers[2]);
      expect(await messages()).toBe(before + 1);
    },
  );

  test('urql sends queries by GET', async () => {
    await ask('urql', [{ text: registered }]);
    expect(asked.map(({ method, text }) => [method, text])).toEqual([['GET', true]]);
  });

  test('Apollo Client sends the hash of a registered document alone, and the text of another after it', async () => {
    const [answer] = await ask('apollo', [{ text: registered }]);
    expect(answer).toMatchObject({ data: { viewer: { scopes: expect.any(Array) } }, codes: [] });
    expect(asked.map(({ method, text }) => [method, text])).toEqual([['GET', false]]);
    await ask('apollo', [{ text: subject, variables: { id: office.ticketId } }]);
    expect(asked.map(({ text }) => text)).toEqual([false, true]);
  });

  test.each(['urql', 'apollo', 'behalf'])(
    '%s gets nothing at an origin that is not allowed, and changes nothing',
    async (client) => {
      const before = await messages();
      const variables = { id: office.ticketId, body: 'From elsewhere.', key: `${client}-elsewhere` };
      const work = ask(
        client,
        [
          { text: subject, variables },
          { text: reply, variables },
        ],
        origins.other,
      );
      const answers = await work.catch(() => []);
      expect(JSON.stringify(answers)).not.toContain(office.ticketId);
      expect(await messages()).toBe(before);
    },
  );
});
