// databases: sqlite, mariadb
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { sha256 } from '../../../src/core/digest.js';
import { bumpEpoch } from '../../../src/delegation/authority-epoch.js';
import { DeviceCodeAdapter } from '../../../src/oauth/library/device-code-adapter.js';
import { all, eq, isNull } from '../../../src/store/sql/condition.js';
import { backchannelRequests } from '../../../src/store/tables/backchannel-requests.js';
import { delegations } from '../../../src/store/tables/identity.js';
import { browserOf } from '../../support/account.js';
import type { Employee } from '../../support/administration.js';
import { BackChannel } from '../../support/back-channel.js';
import { testDatabase } from '../../support/database.js';
import { Office, type Agent, type TokenAnswer } from '../../support/office.js';
import type { Browser, Shown } from './browser.js';

let office: Office;
let backChannel: BackChannel;
let agents: Agent[];
let desk: Agent;
let ines: Employee;
let people = 0;
/** Her user name. */
let hint = '';

beforeAll(async () => {
  office = await Office.start();
  backChannel = new BackChannel(office);
  agents = [];
  for (const name of ['desk', 'clerk', 'guard', 'porter', 'filler'])
    agents.push(await office.agent(name, office.company.root, 'support-agent'));
  [desk] = agents as [Agent];
});
afterAll(() => office.server.stop());
beforeEach(async () => {
  people += 1;
  hint = `ines-${String(people)}`;
  ines = await office.company.employee(hint, 'support-rep');
});
afterEach(() => {
  vi.useRealTimers();
});

const told = ({ status, body }: TokenAnswer): string => `${String(status)} ${body.error ?? 'none'}`;
const begun = (changes: Record<string, string> = {}) => backChannel.begun(desk, hint, changes);
const poll = async (id: string) => told(await backChannel.poll(desk, id));
const waiting = () => office.server.database.read.select(backchannelRequests, eq('userId', ines.id));
const tasks = () =>
  office.server.database.read.select(delegations, all(eq('userId', ines.id), isNull('endedAt')));
/** The page on which the person decides. */
const opened = async (): Promise<[Browser, Shown]> =>
  backChannel.opened(await backChannel.linkOf(ines), ines);

/** Runs `work` while such statements fail. */
async function failing<T>(statement: string, when: string, work: () => Promise<T>): Promise<T> {
  const run = (sql: string) => office.server.database.transaction((tx) => tx.query(sql));
  const body =
    testDatabase() === 'sqlite'
      ? `WHEN ${when} BEGIN SELECT RAISE(ABORT, 'out of order'); END`
      : `BEGIN IF ${when} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'out of order'; END IF; END`;
  await run(`CREATE TRIGGER failing BEFORE ${statement} FOR EACH ROW ${body}`);
  try {
    return await work();
  } finally {
    await run('DROP TRIGGER failing');
  }
}

describe('a request by the back channel', () => {
  test.each([
    ['as it is', ''],
    ['with a letter that others read as one of its own', 'ſ'],
    ['with a sign', '-ß'],
  ])('is not refused by somebody who only knows its id, written %s', async (_how, more) => {
    const id = await begun();
    const link = await backChannel.linkOf(ines);
    const [browser] = await backChannel.signInFor(link);
    const typed = `${new URL(link).searchParams.get('user_code') ?? ''}${more}`;
    await browser.submit(await browser.open(link), { user_code: typed, abort: 'yes' });
    expect(await poll(id)).toBe('400 authorization_pending');
    expect(await waiting()).toHaveLength(1);
    await backChannel.allow(ines);
    expect(await poll(id)).toBe('200 none');
  });

  test('keeps its answer, whatever a page saves that was opened before it', async () => {
    const id = await begun();
    const { database, clock } = office.server;
    const pages = new DeviceCodeAdapter(
      { database, clock, epochBump: bumpEpoch },
      { takeBack: () => Promise.reject(new Error('nothing was refused')) },
    );
    const [request] = await waiting();
    const before = await pages.findByUserCode(request?.id ?? '');
    if (before === undefined) throw new Error('no code');
    await backChannel.allow(ines);
    await expect(pages.upsert(before.jti ?? '', { ...before, inFlight: true }, 600)).rejects.toThrow(
      'already been used',
    );
    expect(await poll(id)).toBe('200 none');
  });

  test.each([
    [
      'a browser whose session was another',
      async (browser: Browser, resume: string) => {
        browser.set('behalf_session', 'made-up', '/oauth');
        return browser.open(resume);
      },
    ],
    [
      'a failure of the server',
      (browser: Browser, resume: string) =>
        failing('DELETE ON behalf_oauth_payloads', "OLD.model = 'Interaction'", () => browser.open(resume)),
    ],
  ])('is not ended by %s', async (_what, goOn) => {
    const id = await begun();
    const [browser, page] = await opened();
    const answer = await goOn(browser, await browser.send(page, {}));
    expect(answer.html).toContain('Nothing was decided');
    expect(await poll(id)).toBe('400 authorization_pending');
    expect(await waiting()).toHaveLength(1);
    await backChannel.allow(ines);
    expect(await poll(id)).toBe('200 none');
    expect(await tasks()).toHaveLength(1);
  });

  test('has its answer even where what is kept for the account page cannot be deleted', async () => {
    const id = await begun();
    const [browser, page] = await opened();
    const answer = await failing('DELETE ON behalf_backchannel_requests', '1 = 1', () =>
      browser.submit(page, {}),
    );
    expect(answer.html).toContain('The agent goes on');
    expect(await poll(id)).toBe('200 none');
  });

  test('has one task, that of the last decision, however late it comes', async () => {
    const id = await begun({ requested_expiry: '3600' });
    const [first, page] = await opened();
    await first.send(page, {});
    const [before] = await tasks();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 700_000, shouldAdvanceTime: true });
    await office.server.app.oauth.purgeExpired();
    const [second, again] = await opened();
    await second.submit(again, { scope: 'tickets:read' });
    const after = await tasks();
    expect(after).toMatchObject([{ scopes: ['tickets:read'] }]);
    expect(after[0]?.id).not.toBe(before?.id);
    expect((await backChannel.poll(desk, id)).body.scope).toBe('tickets:read');
  });

  test('that is refused while another tab allows it leaves no task', async () => {
    const id = await begun();
    const [refusing, refusal] = await opened();
    const [allowing, consent] = await opened();
    const refused = await refusing.send(refusal, { action: 'cancel' });
    const allowed = await allowing.send(consent, {});
    expect(await tasks()).toHaveLength(1);
    await refusing.open(refused);
    expect(await tasks()).toEqual([]);
    expect((await allowing.open(allowed)).html).not.toContain('The agent goes on');
    expect(await poll(id)).toBe('400 access_denied');
    expect(await tasks()).toEqual([]);
  });

  test('that is allowed in two tabs has the task of the later one, whichever goes on first', async () => {
    const id = await begun();
    const [first, page] = await opened();
    const [second, again] = await opened();
    const before = await first.send(page, {});
    const after = await second.send(again, { scope: 'tickets:read' });
    expect((await first.open(before)).html).toContain('The agent goes on');
    await second.open(after);
    expect(await tasks()).toMatchObject([{ scopes: ['tickets:read'] }]);
    expect((await backChannel.poll(desk, id)).body.scope).toBe('tickets:read');
  });

  test('is not shown where the code that the agent waits with cannot be kept', async () => {
    const before = await backChannel.kept();
    const answer = await failing('INSERT ON behalf_oauth_payloads', "NEW.model = 'DeviceCode'", () =>
      backChannel.begin(desk, { login_hint: hint }),
    );
    expect(answer.status).toBe(500);
    expect(await backChannel.kept()).toEqual(before);
  });

  test('waits with 19 others of one person at most, and the account page says where there are more', async () => {
    const { ids, clock, database } = office.server;
    const row = (count: number) => ({
      ...{ id: ids.next(), userId: ines.id, hint: sha256(hint), agentId: agents.at(-1)?.id ?? '' },
      ...{ message: `Letter ${String(count)}`, address: '192.0.2.1', userAgent: null },
      createdAt: new Date(clock.now()).toISOString(),
      expiresAt: new Date(clock.now() + 600_000).toISOString(),
    });
    const rows = Array.from({ length: 19 }, (_, count) => row(count));
    await database.transaction((tx) => tx.insert(backchannelRequests, rows));
    const answers = await Promise.all(
      agents.slice(0, 4).map((agent) => backChannel.begin(agent, { login_hint: hint })),
    );
    const limited = Array.from({ length: 3 }, () => '429 slow_down');
    expect(answers.map(told).toSorted()).toEqual(['200 none', ...limited]);
    expect((await browserOf(office, ines)).home.html).not.toContain('More wait');
    await database.transaction((tx) => tx.insert(backchannelRequests, [row(20)]));
    expect((await browserOf(office, ines)).home.html).toContain('More wait than the newest 20');
  });
});
