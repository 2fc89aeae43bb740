// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { eq } from '../../src/store/sql/condition.js';
import { consents, delegations, type DelegationRow } from '../../src/store/tables/identity.js';
import { browserOf, withPassword } from '../support/account.js';
import { at, codes, type Employee } from '../support/administration.js';
import { given, Office, type Agent, type TokenAnswer } from '../support/office.js';
import { password } from '../support/passwords.js';
import { CodeFlow, type Shown } from './oauth/browser.js';

let office: Office;
let helper: Agent;
let ines: Employee;
let people = 0;

// Time only goes forward: what counts attempts would wait for a time that it has seen.
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  office = await Office.start();
  helper = await office.agent('helper', office.company.root, 'support-agent');
});
afterAll(async () => {
  await office.server.stop();
  vi.useRealTimers();
});

beforeEach(async () => {
  people += 1;
  ines = await office.company.employee(`ines-${String(people)}`, 'support-rep');
});

const forwardSeconds = (seconds: number): void => {
  vi.setSystemTime(Date.now() + seconds * 1000);
};
const consent = (more: string): Promise<unknown> =>
  office.done(ines, 'giveConsent', `input: { agent: "helper", scopes: ["tickets:read"], ${more} }`);

async function exchange(): Promise<TokenAnswer> {
  const { access_token: own } = await office.signIn(ines);
  return office.exchange(helper, own, { purpose: 'By exchange', task: 'ticket:T-1' });
}
const tasks = (): Promise<DelegationRow[]> =>
  office.server.database.read.select(delegations, eq('userId', ines.id));
const refusal = (token: string) =>
  office.company.ask({ token }, '{ tickets(first: 1) { totalCount } }').then(codes);

describe('a consent ends', () => {
  test('by its time, with the delegations under it; then the exchange is refused and makes nothing', async () => {
    await consent('expiresInSeconds: 60');
    const token = given(await exchange());
    const [consented] = await office.server.database.read.select(consents, eq('userId', ines.id));
    const [made] = await tasks();
    expect(made?.expiresAt).toBe(consented?.expiresAt);
    expect(await refusal(token)).toEqual([]);
    forwardSeconds(61);
    expect(await refusal(token)).toEqual(['UNAUTHENTICATED']);
    const named = await office.requestToken(helper, made?.id ?? '');
    expect([named.status, named.body.error]).toEqual([400, 'invalid_grant']);
    const refused = await exchange();
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_request']);
    expect(refused.body.error_description).toContain('has not consented');
    expect((await tasks()).map(({ id }) => id)).toEqual([made?.id]);
  });

  test('earlier by a shorter one in its place, with the delegations that would outlast it', async () => {
    await consent('expiresInSeconds: 7200');
    const token = given(await exchange());
    await consent('expiresInSeconds: 7200');
    expect(await refusal(token)).toEqual([]);
    await consent('expiresInSeconds: 60');
    expect(await refusal(token)).toEqual(['UNAUTHENTICATED']);
    expect((await tasks()).map(({ status }) => status)).toEqual(['revoked']);
  });

  test('but a delegation that no consent allowed goes on', async () => {
    await consent('expiresInSeconds: 7200');
    const id = await office.delegate(ines, {
      ...{ agent: 'helper', scopes: ['tickets:read'], purpose: 'By hand', task: 'ticket:T-2' },
      ...{ standing: true, expiresInSeconds: 80_000 },
    });
    await consent('expiresInSeconds: 60');
    forwardSeconds(120);
    expect((await office.server.database.read.byId(delegations, id))?.status).toBe('active');
  });

  test('and its withdrawal afterwards leaves the tasks under a newer one alone', async () => {
    await consent('expiresInSeconds: 60');
    const [expired] = await office.server.database.read.select(consents, eq('userId', ines.id));
    forwardSeconds(61);
    await consent('expiresInSeconds: 7200');
    const token = given(await exchange());
    await office.done(ines, 'withdrawConsent', `id: "${expired?.id ?? ''}"`);
    expect(await refusal(token)).toEqual([]);
    expect((await tasks()).map(({ status }) => status)).toEqual(['active']);
  });

  test.each([0, -1, 7_776_001])('but not after %i seconds', async (seconds) => {
    const query = `mutation { giveConsent(input: { agent: "helper", expiresInSeconds: ${String(seconds)} }, idempotencyKey: "k") { consent { id } } }`;
    expect(codes(await office.company.ask(ines, query))).toEqual(['BAD_USER_INPUT']);
    expect(await office.server.database.read.select(consents, eq('userId', ines.id))).toEqual([]);
  });

  test('30 days later unless said; its owner sees when, and no longer sees it then', async () => {
    await consent('');
    const { data } = await office.company.ask(ines, '{ consents { nodes { createdAt expiresAt } } }');
    const [told] = at({ data } as never, 'consents.nodes') as { createdAt: string; expiresAt: string }[];
    expect(Date.parse(told?.expiresAt ?? '') - Date.parse(told?.createdAt ?? '')).toBe(2_592_000_000);
    const shown = async (): Promise<string> =>
      (await browserOf(office, ines)).home.html.replaceAll(/<[^>]*>/g, '').replaceAll(/\s+/g, ' ');
    expect(await shown()).toContain(`and until ${told?.expiresAt.slice(0, 10) ?? ''}`);
    forwardSeconds(2_592_001);
    expect(await shown()).toContain('No agent may begin tasks with your sign-in');
  });
});

describe('the consent page', () => {
  const open = async (): Promise<[CodeFlow, Shown]> => {
    const name = await withPassword(office, ines);
    const details = [{ type: 'behalf_consent', agent: 'helper', scopes: ['tickets:read'] }];
    const flow = await CodeFlow.start(
      { issuer: office.server.url },
      { authorization_details: JSON.stringify(details) },
    );
    return [flow, await flow.signIn(name, password)];
  };
  const lives = async (): Promise<number[]> =>
    (await office.server.database.read.select(consents, eq('userId', ines.id))).map(
      ({ createdAt, expiresAt }) => (Date.parse(expiresAt) - Date.parse(createdAt)) / 1000,
    );

  test('offers 30 days, and stores the shorter time that the person chooses', async () => {
    const [flow, page] = await open();
    expect(page.html.replaceAll(/\s+/g, ' ')).toContain(
      '<option value="2592000" selected> 30 days </option>',
    );
    await flow.redeem(await flow.browser.submit(page, { seconds: '3600' }));
    expect(await lives()).toEqual([3_600]);
  });

  test.each(['', '0', '-5', '1e99', '7776001', '3600.5', 'for ever'])(
    'asks again for a time such as “%s”, and stores nothing',
    async (seconds) => {
      const [flow, page] = await open();
      const again = await flow.browser.submit(page, { seconds });
      expect(again.status).toBe(422);
      expect(again.html).toContain('Choose how long');
      expect(await lives()).toEqual([]);
    },
  );
});
