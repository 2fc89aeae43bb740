// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isoTime } from '../../src/core/clock.js';
import { eq } from '../../src/store/sql/condition.js';
import { users } from '../../src/store/tables/identity.js';
import { userIdentities } from '../../src/store/tables/identity-providers.js';
import { optionsOn, type Lies, type SoftwarePasskey } from '../support/authenticator.js';
import { recordsOf } from '../support/account.js';
import type { Employee } from '../support/administration.js';
import { addCompany } from '../support/company-provider.js';
import { PasskeyOffice } from '../support/passkeys.js';
import { Browser, CodeFlow, type Shown } from './oauth/browser.js';
import { password } from '../support/passwords.js';

let at: PasskeyOffice;
let rosa: Employee;
let hers: SoftwarePasskey;
let shiftMs = 0;

beforeAll(async () => {
  at = await PasskeyOffice.start({ clock: { now: () => Date.now() + shiftMs } });
  ({ who: rosa, passkey: hers } = await at.personWithPasskey('rosa', 'support-rep'));
});
afterAll(() => at.office.server.stop());

const refusedOn = (page: Shown): unknown[] => [
  page.status,
  page.html.includes('This passkey was not accepted.'),
];
const isSignedIn = async (browser: Browser): Promise<boolean> =>
  (await browser.open(at.url('/account'))).status === 200;

describe('a person', () => {
  test('adds a passkey and signs in with it alone', async () => {
    const { browser, page } = await at.byPasskey(hers);
    expect(page.url).toBe(at.url('/account'));
    expect(page.html).toContain('Signed in as <strong>Employee rosa</strong>');
    expect(page.html).toContain('With a passkey');
    const list = await browser.open(at.url('/account/passkeys'));
    expect(list.html).toMatch(/Laptop.*last used/s);
    expect(await recordsOf(at.office, rosa, 'AccountAddPasskey')).toMatchObject([{ outcome: 'succeeded' }]);
    const [record] = await recordsOf(at.office, rosa, 'AccountAddPasskey');
    const [row] = await at.passkeysOf(rosa);
    for (const kept of [row?.publicKey, row?.credentialId, 'attestationObject'])
      expect(record?.body).not.toContain(kept);
  });

  test('renames a passkey', async () => {
    const { browser } = await at.byPasskey(hers);
    const [row] = await at.passkeysOf(rosa);
    const form = await browser.open(at.url(`/account/passkeys/${row?.id ?? ''}`));
    const nameless = await browser.submitTo(form, `/account/passkeys/${row?.id ?? ''}`, { name: ' ' });
    expect(nameless.status).toBe(422);
    const list = await browser.submitTo(form, `/account/passkeys/${row?.id ?? ''}`, { name: 'Key <ring>' });
    expect(list.html).toContain('Key &lt;ring&gt;');
  });

  test('needs a passkey to add another one or to remove one, and removing ends the other sign-ins', async () => {
    const { who, passkey } = await at.personWithPasskey('nora', 'support-rep');
    const weak = (await at.byPassword(who)).browser;
    const refused = await weak.open(at.url('/account/passkeys/add'));
    expect([refused.status, refused.html]).toEqual([401, expect.stringContaining('sign-in with a passkey')]);
    const [{ id } = { id: '' }] = await at.passkeysOf(who);
    const path = `/account/passkeys/${id}/remove`;
    expect((await weak.submitTo(await weak.open(at.url(path)), path)).status).toBe(401);
    expect(await at.passkeysOf(who)).toHaveLength(1);
    expect(await recordsOf(at.office, who, 'AccountRemovePasskey')).toMatchObject([{ outcome: 'refused' }]);

    // The link of the refusal leads to the passkey and back.
    const link = / href="([^"]+acr_values=phr[^"]+)"/.exec(refused.html)?.[1] ?? '';
    const form = await weak.open(link.replaceAll('&amp;', '&'));
    const second = await weak.submit(form, { username: 'nora', password });
    expect(second.html).toContain('needs one of your passkeys as well');
    expect(optionsOn(second.html)).toMatchObject({ allowCredentials: [{ id: passkey.id }] });
    const back = await at.use(weak, second, passkey);
    expect([back.status, back.url]).toEqual([200, at.url('/account/passkeys/add')]);

    const other = (await at.byPasskey(passkey)).browser;
    await weak.submitTo(await weak.open(at.url(path)), path);
    expect(await at.passkeysOf(who)).toEqual([]);
    expect([await isSignedIn(weak), await isSignedIn(other)]).toEqual([true, false]);
    expect(refusedOn((await at.byPasskey(passkey)).page)).toEqual([422, true]);
  });

  test('sees the passkeys of nobody else', async () => {
    const { who } = await at.personWithPasskey('odd', 'support-rep', 'auditor');
    const { browser } = await at.byPassword(who);
    const [theirs] = await at.passkeysOf(rosa);
    expect((await browser.open(at.url('/account/passkeys'))).html).not.toContain(theirs?.name);
    expect((await browser.open(at.url(`/account/passkeys/${theirs?.id ?? ''}`))).status).toBe(404);
  });

  test('gets a script from the server alone, and only where a passkey is used', async () => {
    const { browser, page } = await at.askedForPasskey();
    expect(page.headers.get('content-security-policy')).toMatch(/script-src 'self';/);
    expect(page.html).toMatch(/<noscript>.*JavaScript, which is off/s);
    expect(page.html).toContain('Other ways to sign in');
    const [, src = ''] = / src="([^"]+)"/.exec(page.html) ?? [];
    const script = await browser.open(at.url(src));
    expect([script.status, script.headers.get('content-type')]).toEqual([
      200,
      'text/javascript; charset=utf-8',
    ]);
    const first = await browser.open(page.url.replace('?passkey=', ''));
    expect(first.headers.get('content-security-policy')).not.toContain('script-src');
    expect(first.html).not.toContain('<script');
  });

  test('whom a program asks for a passkey by acr_values adds the first one after the password', async () => {
    const who = await at.office.company.employee('ada', 'support-rep');
    const { browser } = await at.byPassword(who);
    const form = await browser.open(at.url('/account/sign-in?acr_values=phr'));
    const first = await browser.submit(form, { username: 'ada', password });
    expect(first.html).toContain('you have none yet');
    const made = at.passkey();
    const home = await browser.submit(first, {
      action: 'passkey',
      passkey: made.create(optionsOn(first.html)),
    });
    expect(home.url).toBe(at.url('/account'));
    expect((await browser.open(at.url('/account/passkeys/add'))).status).toBe(200);
    expect((await at.byPasskey(made)).page.url).toBe(at.url('/account'));
  });
});

describe('a program', () => {
  test('learns which acr_values there are, and is refused for others', async () => {
    const flow = await CodeFlow.start({ issuer: at.origin }, { acr_values: 'phrh' });
    expect(flow.server.acr_values_supported).toEqual(['phr']);
    const returned = await flow.signIn('rosa', password);
    expect(new URL(returned.url).searchParams.get('error')).toBe('unmet_authentication_requirements');
  });
});

/** Each tells something untrue, or uses what is not its own. */
const signInAttacks: readonly (readonly [string, Lies, fault: string])[] = [
  ['from another origin', { origin: 'https://behalf.example' }, 'wrong_origin'],
  ['for another relying party', { rpId: 'behalf.example' }, 'wrong_rp_id'],
  ['with a challenge of one’s own', { challenge: 'AAAA' }, 'wrong_challenge'],
  ['without verification of the user', { isUserVerified: false }, 'user_not_verified'],
  ['with a count that has not grown', { signCount: 1 }, 'counter_regression'],
  ['with no user handle', { userHandle: undefined }, 'wrong_person'],
  ['with the user handle of somebody else', { userHandle: 'c29tZWJvZHk' }, 'wrong_person'],
  ['as an answer to another ceremony', { type: 'webauthn.create' }, 'malformed'],
];

describe('a sign-in is refused, recorded, and leaves the count as it is', () => {
  test.each(signInAttacks)('%s', async (_, lies, fault) => {
    const before = await at.passkeysOf(rosa);
    const recorded = await at.recordsWith(fault);
    const { browser, page } = await at.byPasskey(hers, lies);
    expect(refusedOn(page)).toEqual([422, true]);
    expect(await isSignedIn(browser)).toBe(false);
    expect(await at.passkeysOf(rosa)).toEqual(before);
    expect(await at.recordsWith(fault)).toBe(recorded + 1);
  });

  const answers: readonly (readonly [string, (answer: string) => string, fault: string])[] = [
    ['with a changed signature', (answer) => changed(answer, 'signature'), 'wrong_signature'],
    ['with changed authenticator data', (answer) => changed(answer, 'authenticatorData'), 'wrong_signature'],
    ['by an unknown passkey', () => at.passkey().get({ challenge: 'x', rpId: 'x' }), 'unknown_credential'],
    ['with text that is no answer', () => '{"id":1}', 'malformed'],
    ['with nothing', () => '', 'malformed'],
  ];
  test.each(answers)('%s', async (_, change, fault) => {
    const recorded = await at.recordsWith(fault);
    const { browser, page } = await at.askedForPasskey();
    const answer = change(hers.get(optionsOn(page.html)));
    expect(refusedOn(await browser.submit(page, { action: 'passkey', passkey: answer }))).toEqual([
      422,
      true,
    ]);
    expect(await isSignedIn(browser)).toBe(false);
    expect(await at.recordsWith(fault)).toBe(recorded + 1);
  });

  test('with an answer that was given before, in this sign-in or another', async () => {
    const { browser, page } = await at.askedForPasskey();
    const answer = hers.get(optionsOn(page.html));
    const elsewhere = await at.askedForPasskey();
    const stolen = await elsewhere.browser.submit(elsewhere.page, { action: 'passkey', passkey: answer });
    expect(refusedOn(stolen)).toEqual([422, true]);
    expect(await at.recordsWith('wrong_challenge')).toBeGreaterThan(0);
    const home = await browser.submit(page, { action: 'passkey', passkey: answer });
    expect(home.url).toBe(at.url('/account'));
    const again = await browser.submit(page, { action: 'passkey', passkey: answer });
    expect([again.status, again.html.includes('expired')]).toEqual([400, true]);
  });

  test('with the right answer after a wrong one: a challenge is used up', async () => {
    const { browser, page } = await at.askedForPasskey();
    const right = hers.get(optionsOn(page.html));
    await browser.submit(page, { action: 'passkey', passkey: changed(right, 'signature') });
    expect(refusedOn(await browser.submit(page, { action: 'passkey', passkey: right }))).toEqual([422, true]);
  });

  test('with a passkey of somebody else after one’s own password', async () => {
    await at.personWithPasskey('eve', 'support-rep');
    const browser = new Browser(at.origin);
    const form = await browser.open(at.url('/account/sign-in?acr_values=phr'));
    const second = await browser.submit(form, { username: 'eve', password });
    const recorded = await at.recordsWith('wrong_person');
    expect(refusedOn(await at.use(browser, second, hers))).toEqual([422, true]);
    expect(await isSignedIn(browser)).toBe(false);
    expect(await at.recordsWith('wrong_person')).toBe(recorded + 1);
  });

  test('of a person whose account is disabled', async () => {
    const { who, passkey } = await at.personWithPasskey('gone', 'support-rep');
    await at.office.company.do(({ tx }) => tx.update(users, eq('id', who.id), { status: 'disabled' }));
    expect(refusedOn((await at.byPasskey(passkey)).page)).toEqual([422, true]);
    expect(await at.recordsWith('"disabled"')).toBe(1);
  });

  test('of a person whom a provider vouches for: it is a second factor', async () => {
    const { who, passkey } = await at.personWithPasskey('pro', 'support-rep');
    const provider = await addCompany(at.office.company, 'acme', 'https://acme.example');
    await at.office.company.do(({ tx }) =>
      tx.insert(userIdentities, [
        { providerId: provider.id, subject: 'pro', userId: who.id, createdAt: isoTime(0), signedOutAt: null },
      ]),
    );
    const { browser, page } = await at.byPasskey(passkey);
    expect([page.status, page.html.includes('You sign in with an identity provider.')]).toEqual([422, true]);
    expect(await isSignedIn(browser)).toBe(false);
    expect(await at.recordsWith('provider_needed')).toBe(1);
  });

  test('by a form of another site', async () => {
    const { browser, page } = await at.askedForPasskey();
    const fields = { action: 'passkey', passkey: hers.get(optionsOn(page.html)) };
    const forged = await browser.submit(page, fields, { origin: 'https://evil.example' });
    expect(forged.status).toBe(403);
    expect(await isSignedIn(browser)).toBe(false);
  });
});

const registrationAttacks: readonly (readonly [string, Lies])[] = [
  ['made at another origin', { origin: 'https://behalf.example' }],
  ['made for another relying party', { rpId: 'behalf.example' }],
  ['made for another challenge', { challenge: 'AAAA' }],
  ['that does not verify its user', { isUserVerified: false }],
  ['of another ceremony', { type: 'webauthn.get' }],
  ['with an attestation that is a list', { format: 'packed', statement: Buffer.from([0x80]) }],
  ['with an attestation that is a number', { format: 'packed', statement: Buffer.from([0x07]) }],
  ['with an attestation that is nothing', { format: 'packed', statement: Buffer.from([0xf6]) }],
  ['with an attestation nested very deep', { format: 'packed', statement: Buffer.alloc(11_000, 0x81) }],
];

describe('a new passkey is refused, recorded, and not stored', () => {
  let who: Employee;
  let browser: Browser;
  beforeAll(async () => {
    who = await at.office.company.employee('lea', 'support-rep');
    ({ browser } = await at.byPassword(who));
  });
  const failures = async (): Promise<number> =>
    (await recordsOf(at.office, who, 'AccountAddPasskey')).filter(({ outcome }) => outcome === 'failed')
      .length;

  test.each(registrationAttacks)('%s', async (_, lies) => {
    const failed = await failures();
    expect(refusedOn(await at.register(browser, at.passkey(), lies))).toEqual([422, true]);
    expect(await at.passkeysOf(who)).toEqual([]);
    expect(await failures()).toBe(failed + 1);
  });

  test('made in the session of somebody else, or in another one of one’s own', async () => {
    const theirs = await at.byPassword(await at.office.company.employee('max', 'support-rep'));
    const path = '/account/passkeys/add';
    const page = await browser.open(at.url(path));
    for (const other of [theirs.browser, (await at.byPassword(who)).browser]) {
      const answer = at.passkey().create(optionsOn((await other.open(at.url(path))).html));
      const refused = await browser.submitTo(page, path, { name: 'Not mine', passkey: answer });
      expect(refused.status).toBe(422);
    }
    const mixed = await theirs.browser.submitTo(page, path, { name: 'Not mine', passkey: '{}' });
    expect(mixed.status).toBe(403);
    expect(await at.passkeysOf(who)).toEqual([]);
  });

  test('sent twice, and added twice', async () => {
    const path = '/account/passkeys/add';
    const page = await browser.open(at.url(path));
    const made = at.passkey();
    const passkey = made.create(optionsOn(page.html));
    await browser.submitTo(page, path, { name: 'Once', passkey });
    await browser.submitTo(page, path, { name: 'Once', passkey });
    expect(await at.passkeysOf(who)).toHaveLength(1);
    const strong = (await at.byPasskey(made)).browser;
    expect((await at.register(strong, made)).html).toContain('added already');
    const replayed = await strong.submitTo(await strong.open(at.url(path)), path, { name: 'Again', passkey });
    expect(replayed.status).toBe(422);
    expect(await at.passkeysOf(who)).toHaveLength(1);
  });
});

test('where BEHALF_PASSWORD_USERS is set, only they sign in with a passkey alone', async () => {
  const few = await PasskeyOffice.start({}, { BEHALF_PASSWORD_USERS: 'glass' });
  try {
    const { who, passkey } = await few.personWithPasskey('glass', 'administrator');
    expect((await few.byPasskey(passkey)).page.url).toBe(few.url('/account'));
    await few.office.company.do(({ tx }) => tx.update(users, eq('id', who.id), { name: 'wood' }));
    const { page } = await few.byPasskey(passkey);
    expect([page.status, page.html.includes('You sign in with an identity provider.')]).toEqual([422, true]);
  } finally {
    await few.office.server.stop();
  }
});

test('a challenge is good for five minutes', async () => {
  const { browser, page } = await at.askedForPasskey();
  const answer = hers.get(optionsOn(page.html));
  // The clock stays there: time never goes back.
  shiftMs = 301_000;
  const late = await browser.submit(page, { action: 'passkey', passkey: answer });
  expect(refusedOn(late)).toEqual([422, true]);
  expect(await isSignedIn(browser)).toBe(false);
  expect(await at.recordsWith('no_challenge')).toBeGreaterThan(0);
});

/** The answer with one bit of a value changed. */
function changed(answer: string, name: string): string {
  const parsed = JSON.parse(answer) as { response: Record<string, string> };
  const bytes = Buffer.from(parsed.response[name] ?? '', 'base64url');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  parsed.response[name] = bytes.toString('base64url');
  return JSON.stringify(parsed);
}
