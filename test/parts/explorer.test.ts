// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditBody } from '../../src/audit/record.js';
import { eq } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import { delegations } from '../../src/store/tables/identity.js';
import { tickets } from '../../src/domains/business/tables.js';
import { Browser } from './oauth/browser.js';
import { browserOf, withPassword } from '../support/account.js';
import { key, type Employee } from '../support/administration.js';
import { Office, type Agent } from '../support/office.js';
import { password } from '../support/passwords.js';
import { recordsOf } from '../support/records.js';
import { TestServer } from '../support/server.js';
import { getIntrospectionQuery } from 'graphql';

let office: Office;
let rosa: Employee;
let helper: Agent;
/** Signed in as Rosa. */
let hers: Browser;

beforeAll(async () => {
  office = await Office.start({}, { BEHALF_EXPLORER: 'true' });
  rosa = await office.company.employee('rosa', 'support-rep');
  helper = await office.agent('helper', rosa, 'support-agent');
  hers = (await browserOf(office, rosa)).browser;
});
afterAll(() => office.server.stop());

const url = (path: string): string => `${office.server.url}${path}`;
const scopes = ['tickets:read', 'customers:read', 'tickets:update_status'];
const hand = (who: Employee, purpose = 'Answer the ticket'): Promise<string> =>
  office.delegate(who, { agent: 'helper', purpose, scopes });

interface Answered {
  readonly status: number;
  readonly id: string;
  /** Without the operation's id. */
  readonly text: string;
}

async function answered(response: Response): Promise<Answered> {
  const id = response.headers.get('behalf-operation-id') ?? '';
  const text = await response.text();
  return { status: response.status, id, text: id === '' ? text : text.replaceAll(id, 'ID') };
}

const formOf = async (browser: Browser): Promise<string> =>
  /data-form="([^"]+)"/.exec((await browser.open(url('/graphql'))).html)?.[1] ?? '';

/** Sends an operation as the script of the page does. */
async function explore(
  browser: Browser,
  body: object,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const sent = {
    'content-type': 'application/json',
    cookie: `behalf_account=${browser.cookie('behalf_account')}`,
    'behalf-form': await formOf(browser),
    origin: office.server.url,
    'sec-fetch-site': 'same-origin',
    ...headers,
  };
  const init = { method: 'POST', headers: sent, body: JSON.stringify(body) };
  return answered(await fetch(url('/graphql/explorer'), init));
}

const askAs = async (token: string, body: object): Promise<Answered> => {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return answered(await fetch(url('/graphql'), { method: 'POST', headers, body: JSON.stringify(body) }));
};

const recordOf = async (id: string): Promise<AuditBody> => {
  const row = await office.server.database.read.byId(auditRecords, id);
  return JSON.parse(row?.body ?? '{}') as AuditBody;
};
const usedBy = async (id: string): Promise<unknown> => {
  const row = await office.server.database.read.byId(delegations, id);
  return [row?.operationsUsed, row?.rowsUsed];
};
const statusOfTicket = async (): Promise<unknown> =>
  (await office.server.database.read.byId(tickets, office.ticketId))?.status;

const close = (): object => ({
  query: `mutation Close($id: ID!, $version: Int!, $key: String!) {
    setTicketStatus(ticketId: $id, expectedVersion: $version, status: RESOLVED, idempotencyKey: $key) { ticket { status } }
  }`,
  variables: { id: office.ticketId, version: 1, key: key() },
});

describe('where it is off', () => {
  let off: TestServer;
  beforeAll(async () => {
    off = await TestServer.start();
  });
  afterAll(() => off.stop());

  test('browsers get what they got before, and there are no files', async () => {
    const headers = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
    const response = await fetch(`${off.url}/graphql`, { headers });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      401,
      'application/json; charset=utf-8',
    ]);
    for (const path of ['/graphql/explorer', '/graphql/explorer/explorer.js'])
      expect((await fetch(`${off.url}${path}`, { method: 'POST' })).status).toBe(404);
  });

  test.each<[string, RequestInit, string?]>([
    ['GET without anything', {}],
    ['GET for anything', { headers: { accept: '*/*' } }],
    ['GET for JSON', { headers: { accept: 'application/graphql-response+json, application/json;q=0.9' } }],
    ['GET with a token', { headers: { accept: 'text/html', authorization: 'Bearer x' } }],
    ['GET with a query', { headers: { accept: 'text/html' } }, '?query={__typename}'],
    ['GET with a document', { headers: { accept: 'text/html' } }, '?documentId=x'],
    ['HEAD', { method: 'HEAD', headers: { accept: 'text/html' } }],
    ['POST', { method: 'POST', headers: { accept: 'text/html' } }],
  ])('and where it is on, programs get the same bytes: %s', async (_name, init, query = '') => {
    const [without, having] = await Promise.all(
      [off.url, office.server.url].map(async (server) => {
        const response = await fetch(`${server}/graphql${query}`, init);
        const headers = [...response.headers]
          .filter(([name]) => name !== 'date' && name !== 'behalf-operation-id')
          .map(([name, value]) => [name, value.replaceAll(server, 'SERVER')]);
        const { status, text } = await answered(response);
        return { status, text, headers };
      }),
    );
    expect(having).toEqual(without);
  });
});

describe('the page', () => {
  test('is for nobody without a sign-in, which leads back to it', async () => {
    const browser = new Browser(office.server.url);
    const page = await browser.open(url('/graphql'));
    expect([page.status, page.html]).toEqual([200, expect.stringContaining('/account/sign-in?to=explorer')]);
    expect(page.html).not.toContain('<script');
    const username = await withPassword(office, rosa);
    const form = await browser.open(url('/account/sign-in?to=explorer'));
    const back = await browser.submit(form, { username, password });
    expect([back.url, back.html]).toEqual([url('/graphql'), expect.stringContaining('id="explorer"')]);
  });

  test('a sign-in leads to no other place', async () => {
    const browser = new Browser(office.server.url);
    const username = await withPassword(office, rosa);
    const form = await browser.open(url('/account/sign-in?to=https://evil.example'));
    expect((await browser.submit(form, { username, password })).url).toBe(url('/account'));
  });

  test('takes scripts and styles of this server alone, holds no token, and stays out of frames and caches', async () => {
    const page = await hers.open(url('/graphql'));
    expect(page.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    );
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    for (const secret of hers.cookieValues()) expect(page.html).not.toContain(secret);
    expect(page.html).not.toMatch(
      /<script(?! src="\/graphql\/explorer\/[a-z-]+\.js" defer>)| style="| on\w+=/,
    );
    const files = [...page.html.matchAll(/(?:src|href)="(\/graphql\/explorer\/[^"]+)"/g)].map(
      ([, path]) => path,
    );
    expect(files).toHaveLength(6);
    for (const path of files) {
      const file = await fetch(url(path ?? ''));
      expect([file.status, file.headers.get('x-content-type-options')]).toEqual([200, 'nosniff']);
      expect(file.headers.get('content-type')).toMatch(/^text\/(?:javascript|css); charset=utf-8$/);
      const again = await fetch(url(path ?? ''), {
        headers: { 'if-none-match': file.headers.get('etag') ?? '' },
      });
      expect(again.status).toBe(304);
    }
  });

  test('offers the person’s own tasks under way, and no other', async () => {
    const ivo = await office.company.employee('ivo', 'support-rep');
    const mine = await hand(rosa, 'Mine <i>');
    const ended = await hand(rosa, 'Ended');
    await office.done(rosa, 'revokeDelegation', `id: "${ended}"`);
    const his = await hand(ivo, 'His');
    const { html } = await hers.open(url('/graphql'));
    expect(html).toContain(`value="${mine}"`);
    expect(html).toContain('Mine &lt;i&gt;');
    expect(html).not.toMatch(new RegExp(`${ended}|${his}`));
    for (const id of [ended, his, 'x'])
      expect((await hers.open(url(`/graphql?delegation=${id}`))).status).toBe(404);
    const chosen = await hers.open(url(`/graphql?delegation=${mine}`));
    expect(chosen.html).toContain(`data-delegation="${mine}"`);
  });
});

describe('as oneself', () => {
  test('an operation gives what one’s own token gives, and its record is the person’s', async () => {
    const body = {
      query: 'query Mine { viewer { person { name } } tickets(first: 2) { nodes { number } } }',
    };
    const { access_token: token } = await office.signIn(rosa);
    const answer = await explore(hers, body);
    expect(answer.text).toBe((await askAs(token, body)).text);
    expect(await recordOf(answer.id)).toMatchObject({
      outcome: 'succeeded',
      operation: { name: 'Mine' },
      chain: { person: { id: rosa.id }, agents: [] },
      delegation: null,
      detail: {},
    });
  });
});

describe('under a task', () => {
  let task: string;
  let token: string;
  beforeAll(async () => {
    task = await hand(rosa);
    token = await office.tokenOf(helper, task);
  });
  const look = (body: object) => explore(hers, body, { 'behalf-delegation': task });

  test.each<[string, object]>([
    [
      'data',
      { query: '{ tickets(first: 3) { nodes { number subject } pageInfo { endCursor } totalCount } }' },
    ],
    [
      'who it is',
      { query: '{ viewer { person { name } scopes agents { name } task { task } boundaries { scope } } }' },
    ],
    ['a refused field', { query: '{ customers(first: 2) { nodes { name email } } }' }],
    ['a hidden field', { query: '{ invoices { totalCount } }' }],
    ['a faulty variable', { query: 'query ($n: Int!) { tickets(first: $n) { totalCount } }', variables: {} }],
    ['a syntax error', { query: '{' }],
    ['no document', {}],
    ['its schema', { query: getIntrospectionQuery() }],
  ])('%s: the bytes of its agent, uncharged', async (_name, body) => {
    const theirs = await askAs(token, body);
    const before = await usedBy(task);
    const seen = await look(body);
    expect(seen).toEqual({ ...theirs, id: seen.id });
    expect(await usedBy(task)).toEqual(before);
    expect(await recordOf(seen.id)).toMatchObject({
      chain: { person: { id: rosa.id }, agents: [] },
      delegation: { id: task },
      authority: { layers: [{ layer: 'person' }, { layer: 'agent' }, { layer: 'delegation' }] },
      detail: { inspection: true },
    });
    expect(await recordOf(theirs.id)).toMatchObject({ chain: { agents: [{ name: 'helper' }] }, detail: {} });
  });

  test('a change is refused, and recorded as refused', async () => {
    const before = [await statusOfTicket(), await usedBy(task)];
    const refused = await look(close());
    expect(JSON.parse(refused.text)).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    expect([await statusOfTicket(), await usedBy(task)]).toEqual(before);
    expect(await recordOf(refused.id)).toMatchObject({ outcome: 'refused', chain: { agents: [] } });
  });

  test('operations of one batch keep their own rights where these end meanwhile', async () => {
    const other = await hand(rosa, 'Another');
    const body = { query: '{ tickets(first: 1) { nodes { number } } }' };
    const through = (id: string) => explore(hers, body, { 'behalf-delegation': id });
    await Promise.all([through(other), explore(hers, body)]);
    const [gone] = await Promise.all([
      office.done(rosa, 'revokeDelegation', `id: "${other}"`).then(() => through(other)),
      explore(hers, body),
      through(task),
    ]);
    expect(gone.status).toBe(401);
    expect((await explore(hers, body)).status).toBe(200);
  });

  test('that is somebody else’s, or none, is refused with the words for one that has ended', async () => {
    const uma = await office.company.employee('uma', 'support-rep');
    const foreign = await hand(uma);
    const body = { query: '{ tickets(first: 1) { nodes { number } } }' };
    for (const id of [foreign, 'x', '']) {
      const { status, text } = await explore(hers, body, { 'behalf-delegation': id });
      expect([status, JSON.parse(text)]).toMatchObject([
        401,
        { errors: [{ message: 'The delegation of this token has ended.' }] },
      ]);
    }
    expect(await usedBy(foreign)).toEqual([0, 0]);
  });

  test('that is used up is refused as its agent is', async () => {
    const small = await office.delegate(rosa, { agent: 'helper', scopes, operations: 1 });
    const agentToken = await office.tokenOf(helper, small);
    const body = { query: '{ tickets(first: 1) { nodes { number } } }' };
    expect((await askAs(agentToken, body)).status).toBe(200);
    const theirs = await askAs(agentToken, body);
    expect(theirs.text).toContain('LIMIT_EXCEEDED');
    const seen = await explore(hers, body, { 'behalf-delegation': small });
    expect(seen).toEqual({ ...theirs, id: seen.id });
  });

  test('that was taken back is refused, as its agent is, and recorded by its person', async () => {
    const body = { query: 'query After { tickets(first: 1) { nodes { number } } }' };
    const page = await hers.open(url(`/graphql?delegation=${task}`));
    await office.done(rosa, 'revokeDelegation', `id: "${task}"`);
    const [seen, theirs] = [await look(body), await askAs(token, body)];
    expect([seen.status, theirs.status, page.status]).toEqual([401, 401, 200]);
    expect(seen.text).not.toContain('data');
    expect(await recordOf(seen.id)).toMatchObject({
      kind: 'rejected',
      outcome: 'refused',
      chain: { person: { id: rosa.id }, agents: [] },
    });
  });
});

describe('a request that no page of this sign-in sent is refused, and changes nothing', () => {
  test.each<[string, Record<string, string>]>([
    ['without the value of the page', { 'behalf-form': '' }],
    ['with a made-up value', { 'behalf-form': 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
    ['without a cookie', { cookie: '' }],
    ['with a made-up cookie', { cookie: 'behalf_account=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
    ['from another site', { origin: 'https://evil.example' }],
    ['from a sandboxed frame', { origin: 'null' }],
    ['from a sibling site', { 'sec-fetch-site': 'same-site' }],
    ['with a token instead', { cookie: '', authorization: '' }],
  ])('%s', async (_name, headers) => {
    const own: Record<string, string> = { ...headers };
    if ('authorization' in own) own.authorization = `Bearer ${(await office.signIn(rosa)).access_token}`;
    const before = await statusOfTicket();
    const refused = await explore(hers, close(), own);
    expect([401, 429]).toContain(refused.status);
    expect(await statusOfTicket()).toBe(before);
    expect(await recordsOf(office.server.database, 'rejected')).not.toHaveLength(0);
  });

  test('with the value of another sign-in', async () => {
    const { browser: second } = await browserOf(office, rosa);
    const refused = await explore(second, close(), { 'behalf-form': await formOf(hers) });
    expect([refused.status, await statusOfTicket()]).toEqual([401, 'open']);
  });

  test('that is no JSON, though the page sent it', async () => {
    const refused = await explore(hers, {}, { 'content-type': 'text/plain' });
    expect(refused.status).toBe(415);
  });

  test('and the page’s own change is made', async () => {
    const { text } = await explore(hers, close());
    expect(JSON.parse(text)).toMatchObject({ data: { setTicketStatus: { ticket: { status: 'RESOLVED' } } } });
    expect(await statusOfTicket()).toBe('resolved');
  });
});

test('after the sign-out, the page and its requests are refused', async () => {
  const ola = await office.company.employee('ola', 'support-rep');
  const { browser, home } = await browserOf(office, ola);
  const form = await formOf(browser);
  const cookie = `behalf_account=${browser.cookie('behalf_account')}`;
  await browser.submitTo(home, '/account/sign-out');
  const refused = await explore(browser, { query: '{ viewer { scopes } }' }, { cookie, 'behalf-form': form });
  expect([refused.status, (await browser.open(url('/graphql'))).html]).toEqual([
    401,
    expect.not.stringContaining('id="explorer"'),
  ]);
  const rows = await office.server.database.read.select(auditRecords, eq('id', refused.id));
  expect(rows.flatMap(({ userId }) => userId ?? [])).toEqual([]);
});
