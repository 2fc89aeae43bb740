// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eq } from '../../src/store/sql/condition.js';
import { consents, delegations } from '../../src/store/tables/identity.js';
import { Browser } from './oauth/browser.js';
import { browserOf, recordsOf, signInAt, withPassword } from '../support/account.js';
import { codes, type Employee } from '../support/administration.js';
import { given, Office, type Agent } from '../support/office.js';
import { password } from '../support/passwords.js';

let office: Office;
let rosa: Employee;
let helper: Agent;
let shiftMs = 0;
/** Signed in as Rosa, for tests that leave the session as it is. */
let hers: Awaited<ReturnType<typeof browserOf>>;

beforeAll(async () => {
  office = await Office.start({ clock: { now: () => Date.now() + shiftMs } });
  rosa = await office.company.employee('rosa', 'support-rep');
  helper = await office.agent('helper', rosa, 'support-agent');
  hers = await browserOf(office, rosa);
});
afterAll(() => office.server.stop());

const scopes = ['tickets:read', 'customers:read'];
const hand = (who: Employee, purpose: string): Promise<string> =>
  office.delegate(who, { agent: 'helper', purpose, scopes });

const statusOf = async (id: string): Promise<string | undefined> =>
  (await office.server.database.read.byId(delegations, id))?.status;

const url = (path: string): string => `${office.server.url}${path}`;

describe('the page', () => {
  test('shows who is signed in, and a task with its rights, limits and last records in words', async () => {
    const task = await hand(rosa, 'Answer <b>the</b> ticket');
    const token = await office.tokenOf(helper, task);
    await office.company.ask({ token }, 'query LookAround { tickets(first: 1) { nodes { number } } }');
    await office.company.ask(
      { token },
      'query TooMuch { tickets { nodes { number } } invoices { totalCount } }',
    );
    expect(hers.home.url).toBe(url('/account'));
    const home = await hers.browser.open(url('/account'));
    const text = textOf(home.html);
    expect(text).toContain('Signed in as Employee rosa (rosa)');
    expect(text).toContain('Answer <b>the</b> ticket');
    expect(text).toContain('Agent helper helper');
    expect(text).toMatch(/Read tickets[^.]*\. tickets:read/);
    expect(text).toContain('Documents marked public or internal');
    expect(text).toContain('Every collection, customer and region');
    expect(text).toMatch(/in 59 minutes/);
    expect(text).toMatch(/49\d of 500 operations/);
    expect(text).toMatch(/LookAround · done · read 1 × Ticket/);
    expect(text).toMatch(/TooMuch · (partly )?refused \(FORBIDDEN\)|TooMuch · failed \(BAD_USER_INPUT\)/);
  });

  test('shows only the tasks of its person, to those too who may read those of everybody', async () => {
    const mine = await hand(rosa, 'Look at the first ticket');
    const audra = await office.company.employee('audra', 'auditor', 'support-rep');
    const own = await hand(audra, 'Count the tickets');
    const { browser, home } = await browserOf(office, audra);
    const all = await browser.open(url('/account/tasks'));
    for (const { html } of [home, all]) {
      expect(html).toContain('Count the tickets');
      expect(html).not.toContain('Look at the first ticket');
    }
    expect((await browser.open(url(`/account/tasks/${own}`))).status).toBe(200);
    for (const path of [`/account/tasks/${mine}`, `/account/tasks/${mine}/take-back`, '/account/tasks/x']) {
      const foreign = await browser.open(url(path));
      expect([foreign.status, foreign.html.includes('first ticket')]).toEqual([404, false]);
    }
  });

  test('says what a person without the rights does not see, and shows the rest', async () => {
    const clerk = await office.company.employee('clerk');
    const { home } = await browserOf(office, clerk);
    expect([home.status, home.html]).toEqual([200, expect.stringContaining('do not let you see tasks')]);
    const admin = await office.company.employee('minna', 'administrator');
    const { browser, home: own } = await browserOf(office, admin);
    expect(own.html).toContain('No task is under way');
    expect((await browser.open(url('/account/tasks'))).html).toContain('You have handed over no task');
  });

  test('has no script, no token, and headers that keep it out of frames and caches', async () => {
    const { browser, home } = hers;
    expect(home.headers.get('cache-control')).toBe('no-store');
    expect(home.headers.get('x-frame-options')).toBe('DENY');
    expect(home.headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*form-action 'self'; frame-ancestors 'none'/,
    );
    expect(home.html).not.toMatch(/<script|javascript:| on\w+=| style="/i);
    for (const secret of browser.cookieValues()) expect(home.html).not.toContain(secret);
  });
});

describe('taking back', () => {
  test('a task: asked first, then the agent is refused, and the record names the person', async () => {
    const task = await hand(rosa, 'Take me back');
    const token = await office.tokenOf(helper, task);
    const { browser } = hers;
    const question = await browser.open(url(`/account/tasks/${task}/take-back`));
    expect(question.html).toContain('Take back this task?');
    expect(await statusOf(task)).toBe('active');
    const after = await browser.submitTo(question, `/account/tasks/${task}/take-back`);
    expect(after.url).toBe(url(`/account/tasks/${task}`));
    expect(textOf(after.html)).toContain('This task is taken back');
    expect(await statusOf(task)).toBe('revoked');
    const refused = await office.company.ask({ token }, '{ viewer { scopes } }');
    expect([refused.status, codes(refused)]).toEqual([401, ['UNAUTHENTICATED']]);
    expect(await recordsOf(office, rosa, 'AccountTakeBack')).toMatchObject([
      { outcome: 'succeeded', agentId: null, kind: 'graphql' },
    ]);
    // The same form once more gives the first answer again.
    await browser.submitTo(question, `/account/tasks/${task}/take-back`);
    expect(await statusOf(task)).toBe('revoked');
  });

  test('all tasks of the person, and nobody else’s', async () => {
    const ivo = await office.company.employee('ivo', 'support-rep');
    const mine = [await hand(ivo, 'First of Ivo'), await hand(ivo, 'Second of Ivo')];
    const other = await hand(rosa, 'Goes on');
    const { browser } = await browserOf(office, ivo);
    const question = await browser.open(url('/account/take-back-all'));
    expect(textOf(question.html)).toMatch(/2 tasks under way.*Second of Ivo.*First of Ivo/s);
    const after = await browser.submitTo(question, '/account/take-back-all');
    expect(textOf(after.html)).toMatch(/No task is under way any more.*No task is under way/s);
    expect(await Promise.all([...mine, other].map(statusOf))).toEqual(['revoked', 'revoked', 'active']);
    expect(await recordsOf(office, ivo, 'AccountTakeBack')).toHaveLength(2);
  });

  test('a consent, with the tasks that rest on it', async () => {
    const ola = await office.company.employee('ola', 'support-rep');
    const input = `input: { agent: "helper", role: "support-agent", scopes: ["tickets:read"] }`;
    await office.done(ola, 'giveConsent', input);
    const { browser, home } = await browserOf(office, ola);
    const action = /href="(\/account\/consents\/[^"]+\/withdraw)"/.exec(home.html)?.[1] ?? '';
    const { access_token: own } = await office.signIn(ola);
    const token = given(await office.exchange(helper, own, { purpose: 'By exchange', task: 'ticket:T-1' }));
    expect((await hers.browser.open(url(action))).status).toBe(404);
    const after = await browser.submitTo(await browser.open(url(action)), action);
    expect(textOf(after.html)).toMatch(/consent is withdrawn.*No agent may begin tasks/s);
    const [row] = await office.server.database.read.select(consents, eq('userId', ola.id));
    expect(row?.revokedAt).not.toBeNull();
    expect((await office.company.ask({ token }, '{ viewer { scopes } }')).status).toBe(401);
    expect(await recordsOf(office, ola, 'AccountWithdraw')).toHaveLength(1);
  });
});

describe('handing over', () => {
  const path = '/account/hand-over';
  const task = {
    purpose: 'Answer the <first> ticket',
    task: 'ticket:T-77',
    scope: ['tickets:read'],
    seconds: '900',
  };
  const opened = () => hers.browser.open(url(`${path}?agent=helper&role=support-agent`));
  const madeBy = async (who: Employee): Promise<number> =>
    (await office.server.database.read.select(delegations, eq('userId', who.id))).length;

  test('a task to an agent of one’s choice, with what was ticked and no more', async () => {
    expect(textOf((await hers.browser.open(url(path))).html)).toContain('Agent helper as support-agent');
    const number = office.data.customers[0]?.number ?? '';
    const page = await hers.browser.submitTo(await opened(), path, { ...task, customers: ` ${number}, ` });
    const id = page.url.split('/').at(-1) ?? '';
    expect(textOf(page.html)).toMatch(/Answer the <first> ticket.*ticket:T-77.*in (14|15) minutes/);
    for (const { html } of [page, await hers.browser.open(url('/account'))])
      expect(textOf(html)).toContain(`Customer: ${office.data.customers[0]?.name ?? ''} (${number})`);
    expect(await office.server.database.read.byId(delegations, id)).toMatchObject({
      userId: rosa.id,
      agentId: helper.id,
      scopes: ['tickets:read'],
      boundary: expect.objectContaining({ customer: [office.data.customers[0]?.id] }) as object,
    });
    expect((await office.requestToken(helper, id)).status).toBe(200);
    expect(await recordsOf(office, rosa, 'AccountHandOver')).toMatchObject([{ outcome: 'succeeded' }]);
  });

  test.each<[string, Record<string, string | string[]>, string, RegExp]>([
    ['no purpose', { purpose: ' ' }, 'purpose', /Say what the task is for/],
    ['no reference', { task: '' }, 'task', /Say what the task is about/],
    ['a purpose with an unseen character', { purpose: 'a\u200bb' }, 'purpose', /U\+200B/],
    ['nothing ticked', { scope: [] }, 'scopes', /Choose at least one/],
    ['a scope that the person lacks', { scope: ['refunds:issue'] }, 'scopes', /refunds:issue/],
    ['a scope of people alone', { scope: ['audit:read'] }, 'scopes', /audit:read/],
    ['a customer that is none', { customers: 'C-0' }, 'customers', /"C-0" is no `customer`/],
    ['longer than the role allows', { seconds: '604800' }, 'seconds', /At most 86400/],
    ['a time that is none', { seconds: 'x' }, 'seconds', /Choose how long/],
  ])('tells %s beside its field, keeps the rest, and makes nothing', async (_name, wrong, field, message) => {
    const before = await madeBy(rosa);
    const page = await hers.browser.submitTo(await opened(), path, { ...task, ...wrong });
    expect([page.status, await madeBy(rosa)]).toEqual([422, before]);
    expect(page.html).toContain(`href="#${field}"`);
    expect(page.html).toMatch(new RegExp(`id="${field}"`));
    expect(
      textOf(new RegExp(`<p class="fault" id="${field}-fault">[^]*?</p>`).exec(page.html)?.[0] ?? ''),
    ).toMatch(message);
    if (field !== 'task') expect(page.html).toContain('value="ticket:T-77"');
  });

  test('is not offered to those who may not, and names no agent or role that is not there', async () => {
    const minna = await office.company.employee('minna-2', 'administrator');
    const { browser, home } = await browserOf(office, minna);
    expect(home.html).not.toContain(path);
    expect((await browser.open(url(path))).status).toBe(404);
    for (const query of [
      'agent=nobody&role=support-agent',
      'agent=helper&role=administrator',
      'agent=&role=',
    ]) {
      expect((await hers.browser.open(url(`${path}?${query}`))).status).toBe(404);
    }
  });

  test('needs a form of one’s own sign-in', async () => {
    const before = await madeBy(rosa);
    const page = await hers.browser.submitTo(await opened(), path, { ...task, form: 'x' });
    expect([page.status, await madeBy(rosa)]).toEqual([403, before]);
  });
});

describe('forms of others are refused, and change nothing', () => {
  test.each<[string, Record<string, string>, Record<string, string>]>([
    ['without its hidden value', { form: '' }, {}],
    ['with a made-up hidden value', { form: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }, {}],
    ['from another site', {}, { origin: 'https://evil.example' }],
    ['from a sandboxed frame', {}, { origin: 'null' }],
    ['from another site, by Sec-Fetch-Site', {}, { 'sec-fetch-site': 'cross-site' }],
    ['from a sibling site', {}, { 'sec-fetch-site': 'same-site' }],
  ])('%s', async (_name, fields, headers) => {
    const task = await hand(rosa, 'Stays');
    const { browser } = hers;
    const action = `/account/tasks/${task}/take-back`;
    const answer = await browser.submitTo(await browser.open(url(action)), action, fields, headers);
    expect([answer.status, await statusOf(task)]).toEqual([403, 'active']);
  });

  test('with the hidden value of another sign-in, another person’s or the same one’s', async () => {
    const task = await hand(rosa, 'Stays too');
    const action = `/account/tasks/${task}/take-back`;
    const second = await browserOf(office, rosa);
    const answer = await second.browser.submitTo(await hers.browser.open(url(action)), action);
    expect([answer.status, await statusOf(task)]).toEqual([403, 'active']);
  });

  test('signing out is a form as well, and JSON is no form', async () => {
    const { browser, home } = hers;
    expect((await browser.submitTo(home, '/account/sign-out', { form: 'x' })).status).toBe(403);
    const json = await browser.submitAs(home, '{}', 'application/json');
    expect([json.status, (await browser.open(url('/account'))).status]).toEqual([415, 200]);
  });
});

describe('a link to the account', () => {
  const opened = async (browser: Browser, query: string) => browser.open(url(`/account?${query}`));

  test.each(['/account', '/account/tasks'])('does not say at %s that a session has ended', async (path) => {
    const page = await hers.browser.open(url(`${path}?done=signed-out`));
    expect([page.status, textOf(page.html)]).toEqual([200, expect.stringContaining('Employee rosa')]);
    expect(page.html).not.toContain('You have signed out');
  });

  test('does not say that tasks are taken back which are under way', async () => {
    const ulf = await office.company.employee('ulf', 'support-rep');
    await hand(ulf, 'Goes on');
    const { browser } = await browserOf(office, ulf);
    const { html } = await opened(browser, 'done=all');
    expect(textOf(html)).toContain('Still under way: 1 task.');
    expect(textOf(html)).not.toMatch(/taken back|No task is under way/);
  });

  test('does not say that a consent is withdrawn which stands, or is that of another person', async () => {
    const consentOf = async (name: string): Promise<[Employee, string]> => {
      const who = await office.company.employee(name, 'support-rep');
      const input = `input: { agent: "helper", role: "support-agent", scopes: ["tickets:read"] }`;
      await office.done(who, 'giveConsent', input);
      const [row] = await office.server.database.read.select(consents, eq('userId', who.id));
      return [who, row?.id ?? ''];
    };
    const [eva, hersId] = await consentOf('eva');
    const [, othersId] = await consentOf('finn');
    const { browser } = await browserOf(office, eva);
    for (const query of ['done=consent', `withdrawn=${hersId}`, `withdrawn=${othersId}`, 'withdrawn='])
      expect((await opened(browser, query)).html).not.toContain('is withdrawn');
  });
});

describe('the session', () => {
  test('ends with signing out, in every copy of its cookie', async () => {
    const { browser, home } = await browserOf(office, rosa);
    const copy = new Browser(office.server.url);
    copy.takeOver(browser);
    const out = await browser.submitTo(home, '/account/sign-out');
    expect(textOf(out.html)).toContain('You have signed out');
    expect((await browser.open(url('/account'))).status).toBe(401);
    const again = await copy.open(url('/account'));
    expect([again.status, copy.cookieNames()]).toEqual([401, expect.not.arrayContaining(['behalf_account'])]);
  });

  test('ends where an administrator ends the person’s tokens or the account', async () => {
    const una = await office.company.employee('una', 'support-rep');
    for (const end of ['revokeTokens', 'disableUser']) {
      const { browser } = await browserOf(office, una);
      await office.done(office.company.root, end, `id: "${una.id}"`);
      const page = await browser.open(url('/account'));
      expect([end, page.status, page.html.includes('una')]).toEqual([end, 401, false]);
    }
  });

  test('is renewed while the sign-in lasts, and then asks for a new one', async () => {
    const { browser } = hers;
    const before = browser.cookieValues();
    shiftMs = 298_000;
    const page = await browser.open(url('/account'));
    shiftMs = 0;
    expect(page.status).toBe(200);
    expect(browser.cookieValues()).not.toEqual(before);
    expect((await browser.open(url('/account'))).status).toBe(200);
  });

  test.each<[string, (cookie: string) => string]>([
    ['changed', (cookie) => `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`],
    ['cut off', (cookie) => cookie.slice(0, 40)],
    ['empty', () => ''],
    ['no cookie of ours', () => 'eyJhbGciOiJub25lIn0.e30.'],
  ])('is none where its cookie is %s', async (_name, change) => {
    const { browser } = hers;
    const cookie = browser.cookie('behalf_account');
    browser.set('behalf_account', change(cookie), '/');
    expect((await browser.open(url('/account'))).status).toBe(401);
    browser.set('behalf_account', cookie, '/');
    expect((await browser.open(url('/account'))).status).toBe(200);
  });

  test('cannot be made of the cookie of a sign-in under way', async () => {
    const browser = new Browser(office.server.url);
    await browser.open(url('/account/sign-in'));
    browser.set('behalf_account', browser.cookie('behalf_account_sign_in'), '/');
    expect((await browser.open(url('/account'))).status).toBe(401);
  });

  test('begins anew at each sign-in, and ends the one before', async () => {
    const mallory = await office.company.employee('mallory', 'support-rep');
    const { browser: planted } = await browserOf(office, mallory);
    const victim = new Browser(office.server.url);
    victim.takeOver(planted);
    const home = await signInAt(office, rosa, victim);
    expect(textOf(home.html)).toContain('Signed in as Employee rosa');
    expect(victim.cookie('behalf_account')).not.toBe(planted.cookie('behalf_account'));
    expect((await planted.open(url('/account'))).status).toBe(401);
  });

  test('does not begin by an answer to a sign-in of another browser', async () => {
    const eve = await office.company.employee('eve', 'support-rep');
    const username = await withPassword(office, eve);
    const attacker = new Browser(office.server.url);
    const form = await attacker.open(url('/account/sign-in'));
    const callback = await attacker.follow(
      await attacker.send(form, { username, password }),
      '/account/signed-in',
    );
    for (const begins of [false, true]) {
      const victim = new Browser(office.server.url);
      if (begins) await victim.open(url('/account/sign-in'));
      const page = await victim.open(callback);
      expect([page.status, victim.cookieNames().includes('behalf_account')]).toEqual([400, false]);
    }
    const tampered = new URL(callback);
    tampered.searchParams.set('iss', 'https://elsewhere.example');
    expect((await attacker.open(tampered.href)).status).toBe(400);
  });
});

describe('/', () => {
  test('says to a browser where it is and how to sign in, and leads a signed-in one to its account', async () => {
    const browser = new Browser(office.server.url);
    const welcome = await browser.open(url('/'));
    expect([welcome.status, welcome.html]).toEqual([
      200,
      expect.stringContaining(`href="${url('/account/sign-in')}"`),
    ]);
    expect((await hers.browser.open(url('/'))).url).toBe(url('/account'));
  });

  test.each(['application/json', '*/*', undefined])('says JSON to a program (%s)', async (accept) => {
    const response = await fetch(url('/'), { headers: accept === undefined ? {} : { accept } });
    expect([response.status, await response.json()]).toEqual([
      404,
      expect.objectContaining({ error: 'not_found' }),
    ]);
  });
});

test.each([
  ['bytes that are no UTF-8', '/account/sign-ins/%ff'],
  ['half of a character', '/account/passkeys/%F0%9F'],
  ['below the endpoint', '/graphql/%ff'],
  ['half of an escape', '/.well-known/%'],
  ['a very long id', `/account/tasks/${'x'.repeat(3_000)}`],
])('an address that cannot be read is like one at which there is nothing: %s', async (_name, path) => {
  const response = await fetch(url(path));
  expect([response.status, await response.json()]).toEqual([
    404,
    { error: 'not_found', see: ['/graphql', '/mcp', '/.well-known/oauth-protected-resource'] },
  ]);
});

test('a role that runs registered documents only keeps nobody from taking a task back', async () => {
  const lea = await office.company.employee('lea', 'support-rep');
  const task = await hand(lea, 'Of Lea');
  await office.server.giveRole(lea.id, { scopes: ['tickets:read'], documents: 'registered' });
  const { browser } = await browserOf(office, lea);
  const action = `/account/tasks/${task}/take-back`;
  await browser.submitTo(await browser.open(url(action)), action);
  expect(await statusOf(task)).toBe('revoked');
  expect(codes(await office.company.ask(lea, '{ viewer { scopes } }'))).toEqual(['FORBIDDEN']);
});

/** The visible text of a page, white space drawn together. */
const textOf = (html: string): string =>
  html
    .replaceAll(/<style>[^]*?<\/style>/g, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&#39;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ([.,;)])/g, '$1');
