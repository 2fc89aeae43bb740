// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { endUser } from '../../../src/oauth/library/payload-adapter.js';
import { all, eq, isIn } from '../../../src/store/sql/condition.js';
import type { Connection } from '../../../src/store/sql/connection.js';
import type { Database } from '../../../src/store/sql/database.js';
import {
  oauthPayloads,
  users,
  type OAuthPayloadRow,
  type UserRow,
} from '../../../src/store/tables/identity.js';
import type { Employee } from '../../support/administration.js';
import { testDatabase } from '../../support/database.js';
import { Gate } from '../../support/gate.js';
import { Office } from '../../support/office.js';
import { CodeFlow, type Shown } from './browser.js';
import { forwardSeconds, Harness } from './harness.js';
import { password, passwordHash } from '../../support/passwords.js';

const chosen = 'a much better password';
const newPassword = { 'new-password': chosen, 'repeat-password': chosen };

/** A sign-in whose password was found right, before the browser goes on. */
async function halfWay(issuer: string, userName: string, parameters: Record<string, string> = {}) {
  const flow = await CodeFlow.start({ issuer }, parameters);
  const form = await flow.browser.open(flow.url.href);
  const next = await flow.browser.send(form, { username: userName, password });
  return { flow, goOn: () => flow.browser.open(next) };
}

const userOf = async (database: Database, id: string): Promise<UserRow> => {
  const user = await database.read.byId(users, id);
  if (user === undefined) throw new Error('no such user');
  return user;
};

/** What would let someone in. */
const keysOf = (database: Database, userId: string): Promise<number> =>
  database.read.count(
    oauthPayloads,
    all(
      eq<OAuthPayloadRow>('accountId', userId),
      isIn('model', ['Grant', 'AuthorizationCode', 'AccessToken', 'RefreshToken']),
    ),
  );

/** Transactions of this database that wait for a lock. */
async function waiting({ read }: Database): Promise<number> {
  const [row] = await read.query(
    `SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX t
     JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id AND p.DB = DATABASE()
     WHERE t.trx_state = 'LOCK WAIT'`,
  );
  return Number(row?.n);
}

const asksForPassword = ({ status, html }: Shown): boolean =>
  status === 200 && html.includes('name="password"');
const hasExpired = ({ status, html }: Shown): boolean =>
  status === 400 && html.includes('This sign-in has expired');

describe.each(['resetPassword', 'revokeTokens', 'disableUser'])('after %s', (mutation) => {
  let office: Office;
  let person: Employee;
  let issuer: string;
  const name = 'rosa';
  beforeAll(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    office = await Office.start();
    issuer = office.server.url;
    person = await office.company.employee(name, 'support-rep');
  });
  afterAll(async () => {
    await office.server.stop();
    vi.useRealTimers();
  });

  /** An account with `password`, and nothing that lets anyone in. */
  const renew = async (changes: Partial<UserRow> = {}): Promise<void> => {
    await office.company.do(async ({ tx }) => {
      await tx.delete(oauthPayloads, eq('accountId', person.id));
      await tx.update(users, eq('id', person.id), {
        status: 'active',
        mustChangePassword: false,
        passwordHash,
        ...changes,
      });
    });
  };
  const end = (): Promise<void> => office.done(office.company.root, mutation, `id: "${person.id}"`);
  beforeEach(() => renew());

  test('who gave the password before gives it again', async () => {
    const { goOn } = await halfWay(issuer, name);
    await end();
    expect(asksForPassword(await goOn())).toBe(true);
    expect(await keysOf(office.server.database, person.id)).toBe(0);
  });

  test('nobody chooses a password in a sign-in of before', async () => {
    await renew({ mustChangePassword: true });
    const { flow, goOn } = await halfWay(issuer, name);
    const form = await goOn();
    expect(form.html).toContain('Choose a new password');
    await end();
    const before = await userOf(office.server.database, person.id);
    expect(hasExpired(await flow.browser.submit(form, newPassword))).toBe(true);
    expect(hasExpired(await flow.browser.open(form.url))).toBe(true);
    expect(await userOf(office.server.database, person.id)).toEqual(before);
    expect(await keysOf(office.server.database, person.id)).toBe(0);
  });

  test('a code of before gets no token', async () => {
    const { flow, goOn } = await halfWay(issuer, name);
    const returned = await goOn();
    await end();
    const answer = await flow.redeemRaw(returned);
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_grant' }]);
    expect(await keysOf(office.server.database, person.id)).toBe(0);
  });

  test('enabling the account revives no sign-in', async () => {
    const { goOn } = await halfWay(issuer, name);
    await end();
    await office.done(office.company.root, 'enableUser', `id: "${person.id}"`);
    expect(asksForPassword(await goOn())).toBe(true);
    expect(await keysOf(office.server.database, person.id)).toBe(0);
  });
});

describe('a sign-in that is under way', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.start();
  });
  afterAll(() => harness.stop());
  beforeEach(() => {
    forwardSeconds(3600);
    vi.restoreAllMocks();
    harness.delegations.consents.length = 0;
  });

  /** As the change of a password does, in one transaction. */
  const end = async (tx: Connection, { id }: UserRow): Promise<void> => {
    const { version } = (await tx.byId(users, id)) ?? { version: 0 };
    await tx.update(users, eq('id', id), { version: version + 1 });
    await endUser(harness.delegations, tx, id);
  };
  const endNow = (user: UserRow): Promise<void> => harness.database.transaction((tx) => end(tx, user));

  test('ends when the person chooses a password in another one', async () => {
    const user = await harness.addUser('chooser', { mustChangePassword: true });
    const [first, second, third] = [
      await halfWay(harness.issuer, 'chooser'),
      await halfWay(harness.issuer, 'chooser'),
      await halfWay(harness.issuer, 'chooser'),
    ];
    const form = await second.goOn();
    const tokens = await first.flow.redeem(await first.flow.browser.submit(await first.goOn(), newPassword));
    expect((await harness.fact(tokens.access_token))?.userId).toBe(user.id);
    const after = await userOf(harness.database, user.id);
    const others = { 'new-password': 'another good password', 'repeat-password': 'another good password' };
    expect(hasExpired(await second.flow.browser.submit(form, others))).toBe(true);
    expect(asksForPassword(await third.goOn())).toBe(true);
    expect(await userOf(harness.database, user.id)).toEqual(after);
    expect(await harness.fact(tokens.access_token)).toBeDefined();
  });

  test('that ends while its password is being checked goes no further', async () => {
    const user = await harness.addUser('checked');
    vi.spyOn(harness.recorder, 'recordAuthEvent').mockImplementationOnce(() => endNow(user));
    const { goOn } = await halfWay(harness.issuer, 'checked');
    expect(asksForPassword(await goOn())).toBe(true);
    expect(await keysOf(harness.database, user.id)).toBe(0);
  });

  const losesItsGrant = async (): Promise<void> => {
    const user = await harness.addUser('granted');
    const { goOn } = await halfWay(harness.issuer, 'granted');
    const gate = new Gate();
    const { arrived, open } = gate.arm();
    const ending = harness.database.transaction(async (tx) => {
      await end(tx, user);
      await gate.pass();
    });
    await arrived;
    let answered = false;
    const page = goOn().finally(() => (answered = true));
    // Its grant is too late to be deleted by that transaction; MariaDB tells waiters only to who asks seldom.
    await expect.poll(() => keysOf(harness.database, user.id)).toBe(1);
    const isHeld = async (): Promise<boolean> => answered || (await waiting(harness.database)) > 0;
    await expect.poll(isHeld, { interval: 200, timeout: 10_000 }).toBe(true);
    open();
    await ending;
    expect(asksForPassword(await page)).toBe(true);
    expect(await keysOf(harness.database, user.id)).toBe(0);
  };
  // SQLite has one transaction at a time.
  if (testDatabase() === 'mariadb') test('that ends while it gets its grant loses it', losesItsGrant);

  describe('with consent', () => {
    const asked = JSON.stringify([{ type: 'behalf_consent', agent: 'helper', role: 'support-agent' }]);
    const begin = async (userName: string) => {
      const user = await harness.addUser(userName);
      const { flow, goOn } = await halfWay(harness.issuer, userName, { authorization_details: asked });
      return { user, flow, form: await goOn() };
    };
    beforeAll(async () => {
      const owner = await harness.addUser('owner');
      await harness.addAgent('helper', owner.id);
    });

    test('shows and stores nothing once it has ended', async () => {
      const { user, flow, form } = await begin('asked');
      expect(form.html).toContain('helper');
      await endNow(user);
      expect(hasExpired(await flow.browser.open(form.url))).toBe(true);
      expect(hasExpired(await flow.browser.submit(form, {}))).toBe(true);
      expect(harness.delegations.consents).toEqual([]);
    });

    test('stores nothing where it ends while the form is read', async () => {
      const { user, flow, form } = await begin('deciding');
      const offer = harness.delegations.consentOffer.bind(harness.delegations);
      vi.spyOn(harness.delegations, 'consentOffer').mockImplementationOnce(async (input) => {
        await endNow(user);
        return offer(input);
      });
      expect(hasExpired(await flow.browser.submit(form, {}))).toBe(true);
      expect(harness.delegations.consents).toEqual([]);
    });

    test('asks again after a second login: someone else may have decided before', async () => {
      const { user, flow, form } = await begin('first');
      const next = await flow.browser.send(form, {});
      expect(harness.delegations.consents).toHaveLength(1);
      await endNow(user);
      const login = await flow.browser.open(next);
      expect(asksForPassword(login)).toBe(true);
      await harness.addUser('second');
      const page = await flow.browser.submit(login, { username: 'second', password });
      expect(page.html).toContain('helper');
      expect(harness.delegations.consents).toHaveLength(1);
    });
  });
});
