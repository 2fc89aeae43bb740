// databases: sqlite
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAgent } from '../../src/admin/agents.js';
import { giveAgentRole } from '../../src/admin/assignments.js';
import { addProvider, linkIdentity } from '../../src/admin/identity-providers.js';
import { users } from '../../src/store/tables/identity.js';
import { eq } from '../../src/store/sql/condition.js';
import { codes, type Employee } from '../support/administration.js';
import { ClientHost } from '../support/client-host.js';
import { chromiumPath, launchChromium, Tab } from '../support/chromium.js';
import { companyClientId, CompanyProvider, companySecret } from '../support/company-provider.js';
import { given, Office, type Agent } from '../support/office.js';
import { CodeFlow } from './oauth/browser.js';
import { secretsAllowed } from '../support/secrets-allowed.js';

vi.setConfig({ testTimeout: 120_000 });

/** The pages that the docs show, with the width of the window. */
const pictures = [
  ...['sign-in 360', 'consent 1280', 'account 360', 'task 1280'],
  ...['application-waits 1280', 'applications 360', 'device 360'],
];

// Skipped where the machine has no Chromium; `.ci/run` installs one, and fails over a skipped test.
describe.skipIf(chromiumPath === undefined)('by keyboard alone and without script, in a Chromium', () => {
  let office: Office;
  let host: ClientHost;
  let acme: CompanyProvider;
  let rosa: Employee;
  let helper: Agent;
  let browser: Browser;
  /** The agent's own server, to which a person's browser returns. */
  let back: Server;
  let callback: string;

  beforeAll(async () => {
    back = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>Back</title><h1>Back</h1>');
    });
    await new Promise<void>((resolve) => back.listen(0, '127.0.0.1', resolve));
    callback = `http://127.0.0.1:${String((back.address() as AddressInfo).port)}/back`;
    host = await ClientHost.start();
    office = await Office.start(
      {},
      { BEHALF_CLIENT_METADATA_DOCUMENTS: 'true', BEHALF_CLIENT_METADATA_HOSTS: host.host },
    );
    const { company, server } = office;
    rosa = await company.employee('rosa', 'support-rep');
    await company.do(({ tx }) => tx.update(users, eq('id', rosa.id), { displayName: 'Rosa Lind' }));
    acme = await CompanyProvider.start([`${server.url}/oauth/callback/acme`]);
    acme.signedIn = { sub: 'acme|rosa', name: 'Rosa Lind' };
    helper = await company.do(async (unit) => {
      const row = await unit.tx.byId(users, rosa.id);
      if (row === undefined) throw new Error('There is no Rosa.');
      const provider = await addProvider(
        unit,
        {
          ...{ name: 'acme', label: 'Acme', issuer: acme.issuer, clientId: companyClientId },
          ...{ clientSecret: companySecret, scopes: ['profile'], groupsClaim: 'groups' },
          ...{ userNameClaim: 'preferred_username', mayCreateUsers: false },
        },
        false,
      );
      await linkIdentity(unit, company.root.id, provider, row, 'acme|rosa');
      const of = { displayName: 'Helpdesk Assistant', businessTask: 'Answers the tickets of customers.' };
      const input = { name: 'helper', ...of, ownerId: company.root.id, redirectUris: [callback] };
      const { agent, secret } = await createAgent(unit, input, secretsAllowed);
      await giveAgentRole(unit, agent, await company.role('support-agent'), null);
      return { id: agent.id, name: 'helper', secret: secret ?? '' };
    });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await Promise.all([browser.close(), office.server.stop(), acme.stop()]);
    host.stop();
    back.closeAllConnections();
    back.close();
  });

  const details = JSON.stringify([
    { type: 'behalf_delegation', purpose: 'Answer the customer’s letter', task: 'ticket:T-4021' },
  ]);

  const tokenFor = async (flow: CodeFlow, answer: URL): Promise<string> =>
    given(
      await office.post(
        '/oauth/token',
        {
          grant_type: 'authorization_code',
          code: answer.searchParams.get('code') ?? '',
          redirect_uri: callback,
          code_verifier: flow.verifier,
        },
        helper,
      ),
    );

  /** A tab without script, and the faults of the pages that were looked at. */
  async function opened(width: number) {
    const tab = await Tab.open(browser, { javaScriptEnabled: false, viewport: { width, height: 800 } });
    const faults: string[] = [];
    const look = async (name: string): Promise<void> => {
      faults.push(...(await tab.faults(name)));
      if (pictures.includes(`${name} ${String(width)}`))
        await tab.keepPicture(name, width > 800 ? 'light' : 'dark');
    };
    return { tab, page: tab.page, faults, look };
  }

  const widths: [string, number][] = [
    ['narrow', 360],
    ['wide', 1280],
  ];

  test.each(widths)(
    'a person signs in with the company, hands over one customer, sees the task and takes it back: %s',
    async (_name, width) => {
      const { tab, page, faults, look } = await opened(width);
      const flow = await CodeFlow.start(
        { issuer: office.server.url },
        {
          ...{ client_id: 'helper', redirect_uri: callback, authorization_details: details },
          scope: 'tickets:read customers:read tickets:reply',
        },
      );
      await page.goto(flow.url.href);
      await look('sign-in');
      await tab.go(page.getByRole('link', { name: /Acme/ }), 'Let Helpdesk Assistant work for you?');
      await look('consent-as-asked');

      const [customer, other] = office.data.customers;
      const name = customer?.name ?? '';
      await tab.type(page.locator('#find-customer'), name);
      await tab.press(page.locator('#for-customer button'));
      await tab.press(page.getByRole('checkbox', { name }), 'Space');
      await look('consent');
      await tab.go(page.getByRole('button', { name: 'Allow', exact: true }), 'Back');
      const token = await tokenFor(flow, new URL(page.url()));
      const first = '{ customers(first: 5) { nodes { name } totalCount } }';
      expect((await office.company.ask({ token }, first)).data).toEqual({
        customers: { nodes: [{ name }], totalCount: 1 },
      });
      const another = await office.company.ask({ token }, 'query ($id: ID!) { customer(id: $id) { name } }', {
        id: other?.id,
      });
      expect(another.data).toEqual({ customer: null });

      await page.goto(`${office.server.url}/account`);
      await look('not-signed-in');
      await tab.press(page.getByRole('link', { name: 'Sign in' }));
      await tab.go(page.getByRole('link', { name: /Acme/ }), 'Your account');
      await look('account');
      await tab.go(
        page.getByRole('link', { name: 'Answer the customer’s letter', exact: true }),
        'Answer the customer’s letter',
      );
      expect(await page.getByText(name).count()).toBeGreaterThan(0);
      await look('task');
      await tab.go(page.getByRole('link', { name: /^Take back/ }), 'Take back this task?');
      await look('take-back');
      await tab.press(page.getByRole('button', { name: 'Take back' }));
      await page.getByText('This task is taken back').waitFor();
      await look('taken-back');
      const refused = await office.company.ask({ token }, first);
      expect([refused.status, codes(refused), refused.data]).toEqual([401, ['UNAUTHENTICATED'], undefined]);

      await tab.go(page.getByRole('button', { name: 'Sign out' }), 'You have signed out');
      await look('signed-out');
      expect(faults).toEqual([]);
      await tab.close();
    },
  );

  test.each(widths)(
    'a person reads that an application waits, asks for it and sees what becomes of it: %s',
    async (name, width) => {
      const { tab, page, faults, look } = await opened(width);
      const clientId = host.publish(`/${name}/assistants/desk/client.json`, {
        client_name: 'Desk Assistant',
        redirect_uris: ['http://127.0.0.1/back', 'https://desk.example/back', 'com.example.desk:/back'],
      });
      const parameters = { client_id: clientId, authorization_details: details };
      const from = { issuer: office.server.url };
      const flow = await CodeFlow.start(from, { ...parameters, redirect_uri: 'https://desk.example/back' });
      await page.goto(flow.url.href);
      expect(await page.getByText(host.host, { exact: true }).count()).toBe(1);
      await look('application-waits');
      await tab.go(page.getByRole('link', { name: 'Ask an administrator' }), 'You are not signed in');
      await look('not-signed-in');
      await tab.go(page.getByRole('link', { name: 'Sign in' }), 'Sign in');
      await tab.go(page.getByRole('link', { name: /Acme/ }), 'Ask for this application?');
      await look('ask');
      await tab.go(page.getByRole('button', { name: 'Ask' }), 'Your account');
      await page.getByRole('heading', { name: 'Desk Assistant' }).first().waitFor();
      await look('applications');
      const thief = await CodeFlow.start(from, {
        client_id: 'helper',
        redirect_uri: 'https://thief.example/',
      });
      await page.goto(thief.url.href);
      await page.getByRole('heading', { name: 'That did not work' }).waitFor();
      await look('dead-end');
      expect(faults).toEqual([]);
      await tab.close();
    },
  );

  test.each(widths)(
    'a person connects a device, and says of another that it is not theirs: %s',
    async (_name, width) => {
      const { tab, page, faults, look } = await opened(width);
      const begun = async (): Promise<{ readonly user_code: string }> => {
        const task = [{ type: 'behalf_delegation', purpose: 'Show the letters', task: 'screen:1' }];
        const asked = {
          scope: 'tickets:read customers:read',
          authorization_details: JSON.stringify(task),
        };
        const { body } = await office.post('/oauth/device_authorization', asked, helper);
        return body as unknown as { readonly user_code: string };
      };
      const code = page.getByLabel('Code');
      const enter = async (text: string, heading: string): Promise<void> => {
        await page.goto(`${office.server.url}/oauth/device`);
        await tab.type(code, text);
        await tab.go(page.getByRole('button', { name: 'Continue' }), heading);
      };
      await page.goto(`${office.server.url}/oauth/device`);
      await look('device-code');
      await enter('BBBB-BBBB', 'Connect a device');
      await page.getByRole('alert').waitFor();
      await look('device-code-unknown');
      await enter((await begun()).user_code.toLowerCase(), 'Is this your device?');
      await look('device');
      await tab.go(page.getByRole('button', { name: 'It is mine' }), 'Sign in');
      await tab.go(page.getByRole('link', { name: /Acme/ }), 'Let Helpdesk Assistant work for you?');
      await look('device-consent');
      await tab.go(page.getByRole('button', { name: 'Allow', exact: true }), 'The device goes on');
      await look('device-connected');
      await enter((await begun()).user_code, 'Is this your device?');
      await tab.go(page.getByRole('button', { name: 'I did not begin this' }), 'Nothing was allowed');
      await look('nothing-allowed');
      expect(faults).toEqual([]);
      await tab.close();
    },
  );
});
