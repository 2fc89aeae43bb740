// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eq } from '../../../src/store/sql/condition.js';
import { delegations } from '../../../src/store/tables/identity.js';
import { withPassword } from '../../support/account.js';
import { askingAgent, callback, details } from '../../support/asking-agents.js';
import type { Employee } from '../../support/administration.js';
import { given, Office, type Agent, type TokenAnswer } from '../../support/office.js';
import { password } from '../../support/passwords.js';
import { Browser, CodeFlow, type Shown } from './browser.js';

const scopes = ['tickets:read', 'customers:read', 'orders:read', 'tickets:reply'];

let office: Office;
let agent: Agent;
let ines: Employee;

beforeAll(async () => {
  office = await Office.start();
  agent = await askingAgent(office, 'helper');
  ines = await office.company.employee('ines', 'support-rep');
  await withPassword(office, ines);
});
afterAll(() => office.server.stop());

type Request = Record<string, string>;
interface Asked {
  readonly browser: Browser;
  readonly page: Shown;
  readonly redeem: (returned: Shown) => Promise<TokenAnswer>;
}

const signedIn = (browser: Browser, form: Shown): Promise<Shown> =>
  browser.submit(form, { username: 'ines', password });

async function byCode(request: Request, pushed = false): Promise<Asked> {
  const flow = await CodeFlow.start(
    { issuer: office.server.url },
    { client_id: agent.name, redirect_uri: callback, ...request },
  );
  let { href } = flow.url;
  if (pushed) {
    const answer = await office.post('/oauth/par', Object.fromEntries(flow.url.searchParams), agent);
    const { request_uri: uri = '' } = answer.body as { request_uri?: string };
    const query = new URLSearchParams({ client_id: agent.name, request_uri: uri });
    href = `${office.server.url}/oauth/authorize?${query.toString()}`;
  }
  return {
    browser: flow.browser,
    page: await signedIn(flow.browser, await flow.browser.open(href)),
    redeem: (returned) => {
      const code = new URL(returned.url).searchParams.get('code') ?? '';
      const grant = { grant_type: 'authorization_code', redirect_uri: callback };
      return office.post('/oauth/token', { ...grant, code, code_verifier: flow.verifier }, agent);
    },
  };
}

async function byDevice(request: Request): Promise<Asked> {
  const { body } = await office.post('/oauth/device_authorization', request, agent);
  const { device_code: code, verification_uri_complete: link } = body as unknown as Record<string, string>;
  const browser = new Browser(office.server.url);
  const form = await browser.submit(await browser.open(link ?? ''), { confirm: 'yes' });
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: code ?? '' };
  return {
    browser,
    page: await signedIn(browser, form),
    redeem: () => office.post('/oauth/token', grant, agent),
  };
}

const flows = {
  code: (request: Request) => byCode(request),
  pushed: (request: Request) => byCode(request, true),
  device: byDevice,
} as const;

const some = fc.subarray(scopes, { minLength: 1 });
const within = (answer: TokenAnswer, ...limits: readonly (readonly string[])[]): void => {
  for (const scope of (answer.body.scope ?? '').split(' '))
    for (const limit of limits) expect(limit).toContain(scope);
};

test('no flow gives more than was asked, than the person left, and than the token before', async () => {
  const property = fc.asyncProperty(
    fc.constantFrom('code', 'pushed', 'device'),
    ...[some, some, some],
    fc.integer({ min: 60, max: 3_000 }),
    fc.integer({ min: 1, max: 400 }),
    async (name, wanted, left, refreshed, seconds, operations) => {
      const limits = { operations, depth: 0, expiresInSeconds: seconds };
      const task = { purpose: 'A property', task: 'ticket:T-1', limits };
      const asked = await flows[name]({
        scope: wanted.join(' '),
        authorization_details: details(task),
      });
      const ticked = left.filter((scope) => wanted.includes(scope));
      if (ticked.length === 0) return;
      // The form says more than the page offered.
      const answer = await asked.redeem(await asked.browser.submit(asked.page, { scope: left }));
      given(answer);
      within(answer, wanted, left);
      const { delegation } = (answer.body as { authorization_details?: { delegation: string }[] })
        .authorization_details?.[0] ?? { delegation: '' };
      const [row] = await office.server.database.read.select(delegations, eq('id', delegation));
      expect(row).toMatchObject({ operationsMax: operations, depthMax: 0, userId: ines.id });
      const life = Date.parse(row?.expiresAt ?? '') - Date.parse(row?.createdAt ?? '');
      expect([life <= seconds * 1000, (answer.body.expires_in ?? 0) <= seconds]).toEqual([true, true]);

      const form = { grant_type: 'refresh_token', refresh_token: answer.body.refresh_token ?? '' };
      const next = await office.post('/oauth/token', { ...form, scope: refreshed.join(' ') }, agent);
      const held = (answer.body.scope ?? '').split(' ');
      if (refreshed.every((scope) => held.includes(scope))) within(next, refreshed, held);
      else expect(next.body).toMatchObject({ error: 'invalid_scope' });
      const more = await office.requestToken(agent, delegation, { scope: scopes.join(' ') });
      if (scopes.some((scope) => !held.includes(scope))) expect(more.status).toBe(400);
    },
  );
  await fc.assert(property, { numRuns: 12, endOnFailure: true });
});
