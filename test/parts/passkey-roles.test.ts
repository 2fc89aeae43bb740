// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eq } from '../../src/store/sql/condition.js';
import { delegations, roles, type RoleRow } from '../../src/store/tables/identity.js';
import { codes, key, type Employee } from '../support/administration.js';
import { optionsOn, type SoftwarePasskey } from '../support/authenticator.js';
import { PasskeyOffice } from '../support/passkeys.js';
import { password } from '../support/passwords.js';
import { withPassword } from '../support/account.js';
import { CodeFlow } from './oauth/browser.js';
import type { Agent } from '../support/office.js';

let at: PasskeyOffice;
let rosa: Employee;
let hers: SoftwarePasskey;
let helper: Agent;

const tickets = '{ tickets(first: 1) { nodes { number } } }';
const mine = '{ passkeys { totalCount } }';
const change = (input: string, version: number, id: string): string =>
  `mutation { updateRole(id: "${id}", input: { ${input} }, expectedVersion: ${String(version)}, idempotencyKey: "${key()}") { role { signIn } } }`;

/** Sets the policy of the role of support as an administrator does. */
async function require(signIn: 'ANY' | 'PASSKEY'): Promise<void> {
  const { company, server } = at.office;
  const role = await server.database.read.one(roles, eq<RoleRow>('name', 'support-rep'));
  const answer = await company.ask(
    company.root,
    change(`signIn: ${signIn}`, role?.version ?? 0, role?.id ?? ''),
  );
  expect(answer.data).toEqual({ updateRole: { role: { signIn } } });
}

/** Tokens by the password, and by the passkey where it is asked for or given. */
async function tokenOf(who: Employee, passkey?: SoftwarePasskey): Promise<string> {
  const username = await withPassword(at.office, who);
  const flow = await CodeFlow.start(
    { issuer: at.origin },
    passkey === undefined ? {} : { acr_values: 'phr' },
  );
  const page = await flow.signIn(username, password);
  const returned = passkey === undefined ? page : await at.use(flow.browser, page, passkey);
  return (await flow.redeem(returned)).access_token;
}

beforeAll(async () => {
  at = await PasskeyOffice.start({}, { BEHALF_EXPLORER: 'true' });
  ({ who: rosa, passkey: hers } = await at.personWithPasskey('rosa', 'support-rep'));
  helper = await at.office.agent('helper', rosa, 'support-agent');
});
afterAll(() => at.office.server.stop());

describe('a role that needs a passkey', () => {
  test('gives nothing to tokens and tasks of weaker sign-ins, from the next operation on', async () => {
    const { office } = at;
    const [weak, strong] = [await tokenOf(rosa), await tokenOf(rosa, hers)];
    const hand = (token: string) => office.delegate({ token }, { agent: 'helper', scopes: ['tickets:read'] });
    const tasks = [await hand(weak), await hand(strong)];
    const agents = await Promise.all(tasks.map((task) => office.tokenOf(helper, task)));
    const ask = (token: string, query = tickets) => office.company.ask({ token }, query);
    for (const token of [weak, strong, ...agents]) expect(codes(await ask(token))).toEqual([]);

    await require('PASSKEY');
    const refused = await ask(weak);
    expect([refused.status, codes(refused)]).toEqual([401, ['INSUFFICIENT_USER_AUTHENTICATION']]);
    expect(refused.errors[0]?.extensions).toMatchObject({
      missingScopes: ['tickets:read'],
      layer: 'person',
      acrValues: 'phr',
    });
    expect(refused.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_user_authentication", .*acr_values="phr", scope="tickets:read"/,
    );
    expect(codes(await ask(weak, mine))).toEqual(['INSUFFICIENT_USER_AUTHENTICATION']);
    const byAgent = await ask(agents[0] ?? '');
    expect([byAgent.status, codes(byAgent)]).toEqual([200, ['FORBIDDEN']]);
    for (const token of [strong, agents[1] ?? '']) expect(codes(await ask(token))).toEqual([]);

    // Nothing can be handed over with a weaker sign-in.
    const before = await office.server.database.read.select(delegations, eq('userId', rosa.id));
    const handed = await office.change(
      { token: weak },
      'delegate',
      `input: { agent: "helper", purpose: "No", task: "ticket:T-1", scopes: ["tickets:read"] },`,
    );
    expect([handed.status, codes(handed)]).toEqual([401, ['INSUFFICIENT_USER_AUTHENTICATION']]);
    expect(await office.server.database.read.select(delegations, eq('userId', rosa.id))).toEqual(before);

    await require('ANY');
    for (const token of [weak, strong, ...agents]) expect(codes(await ask(token))).toEqual([]);
  });

  test('gives nothing to a weaker sign-in that looks through a task of a stronger one', async () => {
    const token = await tokenOf(rosa, hers);
    const task = await at.office.delegate({ token }, { agent: 'helper', scopes: ['tickets:read'] });
    const { browser } = await at.byPassword(rosa);
    const { html } = await browser.open(at.url('/graphql'));
    const headers = {
      ...{ 'content-type': 'application/json', cookie: `behalf_account=${browser.cookie('behalf_account')}` },
      ...{ 'behalf-form': /data-form="([^"]+)"/.exec(html)?.[1] ?? '', 'behalf-delegation': task },
    };
    const look = async (): Promise<unknown> => {
      const body = JSON.stringify({ query: tickets });
      const response = await fetch(at.url('/graphql/explorer'), { method: 'POST', headers, body });
      return response.json();
    };
    expect(await look()).toMatchObject({ data: { tickets: { nodes: [{}] } } });
    await require('PASSKEY');
    expect(await look()).toMatchObject({ data: { tickets: null }, errors: [{}] });
    await require('ANY');
  });

  test('leaves the person’s other roles alone', async () => {
    const both = await at.office.company.employee('both', 'support-rep', 'auditor');
    const token = await tokenOf(both);
    await require('PASSKEY');
    const answer = await at.office.company.ask(
      { token },
      '{ auditRecords(first: 1) { nodes { id } } tickets { totalCount } }',
    );
    expect(answer.data).toMatchObject({ auditRecords: { nodes: [{}] }, tickets: null });
    expect(codes(answer)).toEqual(['INSUFFICIENT_USER_AUTHENTICATION']);
    await require('ANY');
  });

  test('makes signing in ask for it, and for a first one where there is none', async () => {
    const nils = await at.office.company.employee('nils', 'support-rep');
    await require('PASSKEY');
    const { browser, page } = await at.byPassword(rosa);
    expect(page.html).toContain('needs one of your passkeys as well');
    expect((await browser.open(at.url('/account'))).status).toBe(401);
    expect((await at.use(browser, page, hers)).url).toBe(at.url('/account'));

    const first = await at.byPassword(nils);
    expect(first.page.html).toContain('you have none yet');
    const foreign = await first.browser.submit(first.page, {
      action: 'passkey',
      passkey: at.passkey().create(optionsOn(first.page.html), { origin: 'https://evil.example' }),
    });
    expect(foreign.status).toBe(422);
    expect(await at.passkeysOf(nils)).toEqual([]);
    const home = await first.browser.submit(foreign, {
      action: 'passkey',
      passkey: at.passkey().create(optionsOn(foreign.html)),
    });
    expect(home.url).toBe(at.url('/account'));
    expect(await at.passkeysOf(nils)).toHaveLength(1);
    await require('ANY');
  });

  test('is for people alone', async () => {
    const { company, server } = at.office;
    const role = await server.database.read.one(roles, eq<RoleRow>('name', 'support-agent'));
    const answer = await company.ask(
      company.root,
      change('signIn: PASSKEY', role?.version ?? 0, role?.id ?? ''),
    );
    expect([codes(answer), answer.errors[0]?.extensions.path]).toEqual([['BAD_USER_INPUT'], 'signIn']);
    expect(await server.database.read.one(roles, eq<RoleRow>('name', 'support-agent'))).toEqual(role);
  });
});
