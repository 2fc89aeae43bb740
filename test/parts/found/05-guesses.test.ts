// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AgentRow, UserRow } from '../../../src/store/tables/identity.js';
import { Browser, CodeFlow, type Shown } from '../oauth/browser.js';
import { forwardSeconds, Harness, loopback } from '../oauth/harness.js';
import { password } from '../../support/passwords.js';

let harness: Harness;
let people = 0;
let person: UserRow;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());
beforeEach(async () => {
  forwardSeconds(7_200);
  person = await harness.addUser(`person-${String((people += 1))}`);
  harness.recorder.events.length = 0;
});

/** Someone at an address, with a browser. */
class Visitor {
  readonly browser: Browser;
  private flow: CodeFlow | undefined;
  private form: Shown | undefined;

  constructor(address: string, browser?: Browser) {
    this.browser = browser ?? new Browser(harness.issuer, { 'x-forwarded-for': address });
  }

  /** Opens the page once, and sends its form each time. */
  async try(userName: string, typed: string): Promise<Shown> {
    this.flow ??= await CodeFlow.start(harness);
    this.form ??= await this.browser.open(this.flow.url.href);
    return this.browser.submit(this.form, { username: userName, password: typed });
  }

  async getsIn(userName: string): Promise<boolean> {
    return isIn(await this.try(userName, password));
  }
}

const isIn = ({ url }: Shown): boolean => url.startsWith(loopback) && url.includes('code=');
const address = (n: number): string => `198.51.${String(Math.floor(n / 250))}.${String((n % 250) + 1)}`;
/** How many passwords were looked at. */
const looked = (): number => harness.recorder.events.filter(({ kind }) => kind === 'sign_in').length;

async function guess(times: number, from: (n: number) => string): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < times; n += 1) {
    statuses.push((await new Visitor(from(n)).try(person.name, `guess ${String(n)}`)).status);
  }
  return statuses;
}

describe('05 nobody is locked out by the guesses of others', () => {
  test('a browser that signed in before gets in at once, also where the guesses come from', async () => {
    const home = new Visitor('203.0.113.1');
    expect(await home.getsIn(person.name)).toBe(true);
    await guess(40, () => '203.0.113.1');
    expect(await new Visitor('', home.browser).getsIn(person.name)).toBe(true);
  });

  test('an address where the person signed in before gets in at once, with any browser', async () => {
    expect(await new Visitor('203.0.113.2').getsIn(person.name)).toBe(true);
    await guess(40, address);
    expect(await new Visitor('203.0.113.2').getsIn(person.name)).toBe(true);
  });

  test('a new browser at a new address gets in after a short wait, while others go on', async () => {
    await guess(20, address);
    // One address takes one turn, however many sign-ins it begins.
    await guess(20, () => '203.0.113.33');
    const visitor = new Visitor('203.0.113.3');
    const page = await visitor.try(person.name, password);
    expect(page.status).toBe(429);
    const wait = Number(page.headers.get('retry-after'));
    expect(wait).toBeLessThanOrEqual(30);
    expect(page.html).toContain('There were too many attempts. Wait');
    for (let second = 0; second < wait; second += 1) {
      forwardSeconds(1);
      await guess(2, (n) => address(500 + second * 2 + n));
    }
    expect(await visitor.getsIn(person.name)).toBe(true);
  });

  test('and ten wrong guesses hold up nobody', async () => {
    await guess(10, () => '203.0.113.4');
    expect(await new Visitor('203.0.113.4').getsIn(person.name)).toBe(true);
  });

  test("who guesses at one account slows down no other person's", async () => {
    await guess(40, () => '203.0.113.5');
    const other = await harness.addUser(`other-${person.name}`);
    expect(await new Visitor('203.0.113.6').getsIn(other.name)).toBe(true);
  });
});

describe('05 guesses are slowed down', () => {
  test('at one account, from however many addresses', async () => {
    expect((await guess(40, address)).filter((status) => status === 422)).toHaveLength(11);
    expect(looked()).toBe(11);
    for (let second = 0; second < 60; second += 5) {
      forwardSeconds(5);
      await guess(6, (n) => address(100 + second * 6 + n));
    }
    expect(looked()).toBeLessThanOrEqual(11 + 30 + 15);
  }, 90_000);

  test('from one address, at however many accounts, and names that nobody has look alike', async () => {
    const visitor = new Visitor('203.0.113.7');
    const statuses: number[] = [];
    for (let n = 0; n < 40; n += 1) {
      statuses.push((await visitor.try(`nobody-${person.name}-${String(n)}`, 'guess')).status);
    }
    expect(statuses.filter((status) => status === 422)).toHaveLength(31);
    expect(statuses.at(-1)).toBe(429);
  });

  test('also with the cookie of the browser, and at a known address', async () => {
    const home = new Visitor('203.0.113.8');
    expect(await home.getsIn(person.name)).toBe(true);
    for (const visitor of [new Visitor('', home.browser), new Visitor('203.0.113.8')]) {
      const statuses: number[] = [];
      for (let n = 0; n < 20; n += 1) statuses.push((await visitor.try(person.name, 'guess')).status);
      expect(statuses.filter((status) => status === 422)).toHaveLength(11);
    }
  });

  test('a cookie is of one account, and nobody makes or changes one', async () => {
    const home = new Visitor('203.0.113.9');
    expect(await home.getsIn(person.name)).toBe(true);
    const victim = await harness.addUser(`victim-${person.name}`);
    person = victim;
    await guess(40, address);
    expect((await new Visitor('203.0.113.9', home.browser).try(victim.name, password)).status).toBe(429);
    const forged = new Browser(harness.issuer, { 'x-forwarded-for': '203.0.113.10' });
    forged.set('behalf_device', 'aaaa.zzzzzzzz.AAAA', '/oauth');
    expect((await new Visitor('', forged).try(victim.name, password)).status).toBe(429);
  });
});

describe('05 one broken agent holds up no other behind its address', () => {
  let good: { agent: AgentRow; secret: string };
  let owner: UserRow;
  let form: Record<string, string>;
  beforeAll(async () => {
    owner = await harness.addUser('owner');
    good = await harness.addAgent('good-agent', owner.id);
    await harness.addAgent('broken-agent', owner.id);
  });
  beforeEach(() => {
    const made = { userId: owner.id, agentId: good.agent.id, scopes: ['tickets:read'] };
    const { id: delegation } = harness.delegations.make(made);
    form = {
      grant_type: 'client_credentials',
      authorization_details: JSON.stringify([{ type: 'behalf_delegation', delegation }]),
    };
  });
  const ask = (id: string, secret: string, more: Record<string, string> = {}) =>
    harness.post('/oauth/token', { ...form, ...more }, { id, secret });

  test.each(['broken-agent', 'good-agent', 'nobody'])(
    'refused as %s, many are slowed down and few recorded; a right secret gets its token',
    async (name) => {
      const statuses: number[] = [];
      for (let sent = 0; sent < 80; sent += 1) statuses.push((await ask(name, 'wrong')).status);
      expect(statuses.filter((status) => status === 401)).toHaveLength(61);
      const answer = await ask(name, 'wrong');
      expect([answer.status, answer.body.error]).toEqual([429, 'slow_down']);
      expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(2);
      expect(harness.recorder.events).toHaveLength(61);
      expect((await ask('good-agent', good.secret)).status).toBe(200);
      // The refusals of others are told as what they are.
      const others = await ask('good-agent', good.secret, { scope: 'world:rule' });
      if (name !== 'good-agent') expect(others.status).toBe(400);
    },
  );

  test('names that nobody has count together', async () => {
    for (let sent = 0; sent < 61; sent += 1) await ask(`nobody-${String(sent)}`, 'wrong');
    expect((await ask('nobody-at-all', 'wrong')).status).toBe(429);
  });
});
