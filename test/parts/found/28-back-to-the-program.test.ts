// databases: sqlite, mariadb
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BehalfError } from '../../../src/core/errors.js';
import { gather } from '../../support/child-output.js';
import { CommandLine } from '../../support/command-line.js';
import { freshDatabaseUrl } from '../../support/database.js';
import type { FreshDatabase } from '../../support/fresh-database.js';
import { CodeFlow, type Shown } from '../oauth/browser.js';
import { forwardSeconds, Harness, loopback } from '../oauth/harness.js';
import { password } from '../../support/passwords.js';

describe('28 a sign-in or consent that came to nothing goes back to the program', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.start();
    const owner = await harness.addUser('ada');
    await harness.addUser('fresh', { mustChangePassword: true });
    await harness.addAgent('helper', owner.id);
  });
  afterAll(() => harness.stop());

  const asked = JSON.stringify([{ type: 'behalf_consent', agent: 'helper', role: 'support-agent' }]);
  /** What the program is told, after its own library has checked `state` and `iss`. */
  const told = ({ url }: Shown, state: string): Record<string, string> => {
    expect(url.startsWith(loopback)).toBe(true);
    const params = Object.fromEntries(new URL(url).searchParams);
    expect(params).toMatchObject({ state, iss: harness.issuer });
    expect(params.code).toBeUndefined();
    return params;
  };
  const start = (parameters: Record<string, string> = {}): Promise<CodeFlow> =>
    CodeFlow.start(harness, { state: 'the state', ...parameters });

  test('cancelled at the password', async () => {
    const flow = await start();
    const page = await flow.browser.open(flow.url.href);
    const answer = await flow.browser.submit(page, { action: 'cancel' });
    expect(told(answer, 'the state')).toMatchObject({ error: 'access_denied' });
  });

  test('cancelled at the new password', async () => {
    const flow = await start();
    const page = await flow.signIn('fresh', password);
    expect(page.html).toContain('Choose a new password');
    const answer = await flow.browser.submit(page, { action: 'cancel' });
    expect(told(answer, 'the state')).toMatchObject({ error: 'access_denied' });
  });

  test('cancelled at the consent, which is not stored', async () => {
    const flow = await start({ authorization_details: asked });
    const page = await flow.signIn('ada', password);
    expect(page.html).toContain('Do not allow');
    const answer = await flow.browser.submit(page, { action: 'cancel' });
    expect(told(answer, 'the state')).toMatchObject({ error: 'access_denied' });
    expect(harness.delegations.consents).toEqual([]);
  });

  const refuse = (code: 'FORBIDDEN' | 'INTERNAL') =>
    vi
      .spyOn(harness.delegations, 'consentOffer')
      .mockImplementation(() =>
        Promise.reject(new BehalfError(code, 'Your roles do not "reach" this – agent.')),
      );

  test('refused before the consent is shown, with the reason', async () => {
    const refusing = refuse('FORBIDDEN');
    const flow = await start({ authorization_details: asked });
    const answer = await flow.signIn('ada', password);
    refusing.mockRestore();
    expect(told(answer, 'the state')).toMatchObject({
      error: 'access_denied',
      error_description: "Your roles do not 'reach' this ? agent.",
    });
  });

  test('refused when the consent is given, which is not stored', async () => {
    const flow = await start({ authorization_details: asked });
    const page = await flow.signIn('ada', password);
    const refusing = refuse('FORBIDDEN');
    const answer = await flow.browser.submit(page, {});
    refusing.mockRestore();
    expect(told(answer, 'the state')).toMatchObject({ error: 'access_denied' });
    expect(harness.delegations.consents).toEqual([]);
  });

  test('but not for a failure of ours, which may be tried again', async () => {
    const refusing = refuse('INTERNAL');
    const flow = await start({ authorization_details: asked });
    const page = await flow.signIn('ada', password);
    refusing.mockRestore();
    expect(page.status).toBe(503);
    expect((await flow.browser.open(page.url)).html).toContain('Do not allow');
  });

  test('and one that has expired says so', async () => {
    const flow = await start();
    const page = await flow.browser.open(flow.url.href);
    const next = await flow.browser.send(page, { username: 'ada', password });
    forwardSeconds(601);
    for (const url of [page.url, next]) {
      const answer = await flow.browser.open(url);
      expect([answer.status, answer.html]).toEqual([
        400,
        expect.stringContaining('This sign-in has expired'),
      ]);
    }
  });
});

describe('28 the page that the terminal shows in the browser tells what happened', () => {
  let fresh: FreshDatabase;
  let cli: CommandLine;
  beforeAll(async () => {
    fresh = await freshDatabaseUrl();
    cli = await CommandLine.open({ DATABASE_URL: fresh.url });
    await cli.ok(['migrate']);
    await cli.start();
  }, 120_000);
  afterAll(async () => {
    await cli.close();
    await fresh.drop();
  });

  /** What the browser shows and the terminal says where the server sends these parameters back. */
  async function backWith(parameters: Record<string, string>) {
    const child = cli.spawn(['login']);
    const stderr = gather(child, 'stderr');
    const ended = once(child, 'close');
    const url = (): URL | undefined => {
      const text = /http:\S+\/oauth\/authorize\S+/.exec(stderr.text)?.[0];
      return text === undefined ? undefined : new URL(text);
    };
    await expect.poll(url, { timeout: 60_000 }).toBeDefined();
    const asked = url()?.searchParams ?? new URLSearchParams();
    const own = { state: asked.get('state') ?? '', iss: cli.url };
    const query = new URLSearchParams({ ...own, ...parameters });
    const response = await fetch(`${asked.get('redirect_uri') ?? ''}?${query.toString()}`);
    const html = await response.text();
    const [code] = (await ended) as [number];
    return { url: response.url, status: response.status, html, code, stderr: stderr.text };
  }

  test.each<[string, Record<string, string>, string]>([
    [
      'refused',
      { error: 'access_denied', error_description: 'the person cancelled' },
      'the person cancelled',
    ],
    ['an error', { error: 'invalid_scope' }, 'invalid_scope'],
    ['expired', { code: 'x'.repeat(43) }, 'The server gave no token: grant request is invalid.'],
    ['not the answer', { state: 'another', code: 'x' }, 'What came back was not the answer to this sign-in.'],
  ])(
    '%s',
    async (_name, parameters, text) => {
      const { url, status, html, code, stderr } = await backWith(parameters);
      expect(new URL(url).pathname).toBe('/callback');
      expect([status, code]).toEqual([400, 1]);
      expect(html).toContain('<h1>You are not signed in</h1>');
      expect(html).toContain(text);
      expect(stderr).toContain(text);
    },
    120_000,
  );

  test('with nothing of it as markup', async () => {
    const description = '<img src=x onerror=alert(1)>"&';
    const { html } = await backWith({ error: 'access_denied', error_description: description });
    expect(html).not.toContain('<img');
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&amp;');
  }, 120_000);
});
