// databases: sqlite, mariadb
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { defaultLimits } from '../../../src/oauth/contract/dependencies.js';
import { eq } from '../../../src/store/sql/condition.js';
import { oauthPayloads, users } from '../../../src/store/tables/identity.js';
import { Browser, CodeFlow, tokensOf } from './browser.js';
import { allScopes, forwardSeconds, Harness } from './harness.js';
import { password } from '../../support/passwords.js';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());
beforeEach(() => {
  forwardSeconds(3600);
  harness.recorder.events.length = 0;
  harness.recorder.isBroken = false;
});

describe('signing in', () => {
  test('a person gets a token for the API with all scopes by default', async () => {
    const user = await harness.addUser('ada');
    const tokens = await tokensOf(harness, 'ada', password);
    expect(tokens.token_type).toBe('bearer');
    expect(tokens.expires_in).toBe(300);
    expect(tokens.scope?.split(' ')).toEqual(allScopes);
    expect(tokens.refresh_token).toBeDefined();
    expect(tokens.id_token).toBeUndefined();
    expect(await harness.fact(tokens.access_token)).toMatchObject({
      userId: user.id,
      clientId: 'behalf-cli',
      scopes: allScopes,
      expiresAt: Date.now() + 300_000,
    });
    expect(harness.recorder.events.map(({ kind, outcome, userId }) => [kind, outcome, userId])).toEqual([
      ['sign_in', 'success', user.id],
      ['token', 'success', user.id],
    ]);
  });

  test('a client may ask for fewer scopes, and not for unknown ones', async () => {
    await harness.addUser('few');
    const tokens = await tokensOf(harness, 'few', password, { scope: 'tickets:read' });
    expect(tokens.scope).toBe('tickets:read');
    const flow = await CodeFlow.start(harness, { scope: 'tickets:read world:rule' });
    const answer = await flow.browser.open(flow.url.href);
    expect(new URL(answer.url).searchParams.get('error')).toBe('invalid_scope');
  });

  test.each([
    ['no PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['another resource', { resource: 'https://elsewhere.example/graphql' }, 'invalid_target'],
    ['no prompt', { prompt: 'none' }, 'login_required'],
    ['an implicit grant', { response_type: 'token' }, 'invalid_request'],
  ])('%s is refused', async (_name, parameters, error) => {
    const flow = await CodeFlow.start(harness, parameters);
    const answer = await flow.browser.open(flow.url.href);
    // The implicit grant answers in the fragment.
    expect(new URLSearchParams(answer.url.split(/[?#]/)[1]).get('error')).toBe(error);
  });

  test('a page carries exactly the style that its policy allows', async () => {
    const flow = await CodeFlow.start(harness);
    const page = await flow.browser.open(flow.url.href);
    const style = /<style>([^]*?)<\/style>/.exec(page.html)?.[1] ?? '';
    const digest = createHash('sha256').update(style).digest('base64');
    expect(style).toContain('body{');
    expect(page.headers.get('content-security-policy')).toContain(`style-src 'sha256-${digest}'`);
  });

  test.each(['http://evil.example/callback', 'http://127.0.0.1:9/elsewhere', 'http://localhost:9/callback'])(
    'never sends anyone to %s',
    async (redirectUri) => {
      const flow = await CodeFlow.start(harness, { redirect_uri: redirectUri });
      const page = await flow.browser.open(flow.url.href);
      expect(page.status).toBe(400);
      expect(page.html).toContain('invalid_redirect_uri');
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    },
  );

  test.each([
    ['a wrong password', 'grace', 'not the password'],
    ['an unknown name', 'nobody', password],
    ['a disabled account', 'gone', password],
  ])('%s gets the same answer', async (_name, userName, typed) => {
    const known = await harness.database.read.one(users, eq('name', userName));
    if (known === undefined && userName !== 'nobody') {
      await harness.addUser(userName, { status: userName === 'gone' ? 'disabled' : 'active' });
    }
    const flow = await CodeFlow.start(harness);
    const page = await flow.signIn(userName, typed);
    expect(page.status).toBe(422);
    expect(page.html).toContain('The user name or the password is wrong.');
    expect(page.html).toContain('aria-invalid="true"');
    expect(harness.recorder.last()).toMatchObject({ kind: 'sign_in', outcome: 'refused' });
    expect(JSON.stringify(harness.recorder.events)).not.toContain('nobody');
  });

  test('every request asks for the password again, whatever the browser remembers', async () => {
    await harness.addUser('again');
    const first = await CodeFlow.start(harness);
    await first.redeem(await first.signIn('again', password));
    const second = await CodeFlow.start(harness);
    const page = await first.browser.open(second.url.href);
    expect(page.status).toBe(200);
    expect(page.html).toContain('name="password"');
  });

  test('another person may sign in with the same browser', async () => {
    await harness.addUser('one');
    const other = await harness.addUser('other');
    const first = await CodeFlow.start(harness);
    await first.redeem(await first.signIn('one', password));
    const second = await CodeFlow.start(harness);
    const page = await first.browser.open(second.url.href);
    const returned = await first.browser.submit(page, { username: 'other', password });
    const tokens = await second.redeem(returned);
    expect((await harness.fact(tokens.access_token))?.userId).toBe(other.id);
  });

  test('cancelling tells the program so', async () => {
    const flow = await CodeFlow.start(harness);
    const page = await flow.browser.open(flow.url.href);
    const answer = await flow.browser.submit(page, { action: 'cancel' });
    expect(new URL(answer.url).searchParams.get('error')).toBe('access_denied');
  });

  test('a form from another site is refused', async () => {
    await harness.addUser('target');
    const flow = await CodeFlow.start(harness);
    const page = await flow.browser.open(flow.url.href);
    const fields = { username: 'target', password };
    expect((await flow.browser.submit(page, fields, { origin: 'http://evil.example' })).status).toBe(403);
    expect((await flow.browser.submit(page, fields, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect(harness.recorder.events).toEqual([]);
  });

  test("without the interaction's cookie there is no page", async () => {
    const flow = await CodeFlow.start(harness);
    const page = await flow.browser.open(flow.url.href);
    const stranger = await new Browser(harness.issuer).open(page.url);
    expect(stranger.status).toBe(400);
    expect(stranger.html).toContain('This sign-in has expired');
  });

  test('a form that is too long is refused', async () => {
    const flow = await CodeFlow.start(harness);
    const page = await flow.browser.open(flow.url.href);
    expect((await flow.browser.submit(page, { username: 'x'.repeat(2_000_000), password })).status).toBe(413);
  });

  test('where the sign-in cannot be recorded nobody gets in', async () => {
    await harness.addUser('unlucky');
    harness.recorder.isBroken = true;
    const flow = await CodeFlow.start(harness);
    const page = await flow.signIn('unlucky', password);
    expect(page.status).toBe(503);
    expect(page.html).not.toContain('disk');
  });

  test('pages run no script, load nothing and are framed by nobody', async () => {
    const flow = await CodeFlow.start(harness);
    const page = await flow.browser.open(flow.url.href);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(policy).toContain("form-action 'self' http://127.0.0.1:45678;");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.html).toContain('<html lang="en">');
    expect(page.html).not.toMatch(/<script|style=|onclick/);
  });

  test('what a person types comes back escaped', async () => {
    const flow = await CodeFlow.start(harness);
    const page = await flow.signIn('"><script>alert(1)</script>', 'x');
    expect(page.html).not.toContain('<script>');
    expect(page.html).toContain('&lt;script&gt;');
  });
});

describe('a first password', () => {
  test('is replaced before the person gets in, and then is worth nothing', async () => {
    const user = await harness.addUser('fresh', { mustChangePassword: true });
    await harness.setUser(user.id, { mustChangePassword: false });
    const earlier = await tokensOf(harness, 'fresh', password);
    await harness.setUser(user.id, { mustChangePassword: true });
    harness.recorder.events.length = 0;
    const flow = await CodeFlow.start(harness);
    let page = await flow.signIn('fresh', password);
    expect(page.html).toContain('Choose a new password');
    const choose = (chosen: string, repeated = chosen) =>
      flow.browser.submit(page, { 'new-password': chosen, 'repeat-password': repeated });
    page = await choose('short');
    expect(page.html).toContain('Use at least 12 characters.');
    page = await choose('long enough to pass', 'but not the same');
    expect(page.html).toContain('The two passwords are not the same.');
    page = await choose(password);
    expect(page.html).toContain('Choose a password other than the present one.');
    page = await choose('my name is Fresh and I am here');
    expect(page.html).toContain('Leave your name');
    const tokens = await flow.redeem(await choose('a much better password'));
    expect((await harness.fact(tokens.access_token))?.userId).toBe(user.id);
    expect(harness.recorder.events.map(({ kind }) => kind)).toEqual(['sign_in', 'password_change', 'token']);

    expect(await harness.fact(earlier.access_token)).toBeUndefined();
    const stale = await (await CodeFlow.start(harness)).signIn('fresh', password);
    expect(stale.status).toBe(422);
    await expect(tokensOf(harness, 'fresh', 'a much better password')).resolves.toBeDefined();
  });

  test('stays where the change cannot be recorded', async () => {
    const user = await harness.addUser('stuck', { mustChangePassword: true });
    const flow = await CodeFlow.start(harness);
    const page = await flow.signIn('stuck', password);
    harness.recorder.isBroken = true;
    const chosen = 'a much better password';
    const answer = await flow.browser.submit(page, { 'new-password': chosen, 'repeat-password': chosen });
    expect(answer.status).toBe(503);
    expect(await harness.database.read.byId(users, user.id)).toEqual(user);
  });
});

test('behind TLS cookies are secure and every link leads to the issuer', async () => {
  const behindTls = await Harness.start({ issuer: 'https://behalf.example' });
  try {
    const query = new URLSearchParams({
      client_id: 'behalf-cli',
      response_type: 'code',
      redirect_uri: 'http://127.0.0.1:9/callback',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    });
    const url = `${behindTls.issuer}/oauth/authorize?${query.toString()}`;
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { 'x-forwarded-host': 'evil.example' },
    });
    expect(response.status).toBe(303);
    for (const cookie of response.headers.getSetCookie()) {
      expect(cookie).toMatch(/; secure/i);
      expect(cookie).toMatch(/; httponly/i);
      expect(cookie).toMatch(/; samesite=lax/i);
    }
    const stored = await behindTls.database.read.query('SELECT payload FROM behalf_oauth_payloads');
    expect(JSON.stringify(stored)).toContain('https://behalf.example/oauth/authorize/');
    expect(JSON.stringify(stored)).not.toContain('evil.example');
  } finally {
    await behindTls.stop();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  }
});

describe('sign-ins begun at one address', () => {
  let few: Harness;
  const begun = (): Promise<number> => few.database.read.count(oauthPayloads, eq('model', 'Interaction'));
  beforeAll(async () => {
    const begunPerAddress = { attempts: 3, windowSeconds: 600 };
    few = await Harness.start({ limits: { ...defaultLimits, begunPerAddress } });
  });
  afterAll(async () => {
    await few.stop();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  });

  test('and not finished end in a short wait, in which nothing more is kept', async () => {
    const flow = await CodeFlow.start(few);
    for (let sent = 0; sent < 4; sent += 1) expect((await flow.browser.open(flow.url.href)).status).toBe(200);
    expect(await begun()).toBe(4);
    const page = await flow.browser.open(flow.url.href);
    expect(page.status).toBe(429);
    expect(page.headers.get('retry-after')).toBe('1');
    expect(page.html).toContain('Wait 1 second, then load this page again');
    expect(await begun()).toBe(4);
    forwardSeconds(1);
    expect((await flow.browser.open(flow.url.href)).status).toBe(200);
  });

  test('and finished do not count, however many', async () => {
    forwardSeconds(3601);
    await few.addUser('colleague');
    for (let sent = 0; sent < 5; sent += 1) {
      await expect(tokensOf(few, 'colleague', password)).resolves.toBeDefined();
    }
  });

  test('hold up nobody who has begun', async () => {
    forwardSeconds(3601);
    await few.addUser('early');
    const flow = await CodeFlow.start(few);
    const form = await flow.browser.open(flow.url.href);
    const others = await CodeFlow.start(few);
    for (let sent = 0; sent < 3; sent += 1) await others.browser.open(others.url.href);
    expect((await others.browser.open(others.url.href)).status).toBe(429);
    const returned = await flow.browser.submit(form, { username: 'early', password });
    await expect(flow.redeem(returned)).resolves.toBeDefined();
  });
});
