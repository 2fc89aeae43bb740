// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { at, codes, type Employee } from '../support/administration.js';
import { boundaryInput, changeRole, makeCase, type Case } from '../support/case.js';
import { testDatabase } from '../support/database.js';
import { given, Office } from '../support/office.js';
import { ServerProcess } from '../support/server-process.js';
import { postGraphQL, type Answer } from '../support/server.js';

let office: Office;
let root: Employee;
/** The same database through another server: on MariaDB a process of its own. */
let replica: { readonly url: string; stop(): Promise<void> };

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  office = await Office.start();
  root = office.company.root;
  const { server } = office;
  replica =
    testDatabase() === 'sqlite'
      ? await server.replica()
      : await ServerProcess.start(server.databaseUrl, { BEHALF_PUBLIC_URL: server.publicUrl });
});
afterAll(async () => {
  await replica.stop();
  await office.server.stop();
  vi.useRealTimers();
});

const query = '{ customers(first: 100) { nodes { id region } } }';

interface Seen {
  readonly code: unknown;
  readonly regions: readonly string[];
}

const seen = (answer: Answer): Seen => ({
  code: codes(answer)[0] ?? null,
  regions: answer.errors.length > 0 ? [] : regionsOf(answer),
});
const regionsOf = (answer: Answer): string[] =>
  [...new Set((at(answer, 'customers.nodes') as { region: string }[]).map(({ region }) => region))].sort();

/** The next operation on each server; it must be the same on both. */
async function next(token: string): Promise<Seen> {
  const here = seen(await office.company.ask({ token }, query));
  const there = seen(await postGraphQL(replica.url, token, JSON.stringify({ query })));
  expect(there).toEqual(here);
  return here;
}

const everyRegion = ['asia-pacific', 'europe', 'latin-america', 'north-america'];
const works: Seen = { code: null, regions: everyRegion };
const ended: Seen = { code: 'UNAUTHENTICATED', regions: [] };
const notNow: Seen = { code: 'FORBIDDEN', regions: [] };
/** As a field that does not exist. */
const hidden: Seen = { code: 'BAD_USER_INPUT', regions: [] };

interface Ending {
  readonly name: string;
  readonly by: (one: Case) => Promise<unknown>;
  /** What the agent and the one to whom it handed on see next. */
  readonly agent: Seen;
  readonly next: Seen;
}

const endings: readonly Ending[] = [
  {
    name: 'the delegation revoked',
    by: ({ person, delegationId }) => office.done(person, 'revokeDelegation', `id: "${delegationId}"`),
    agent: ended,
    next: ended,
  },
  {
    name: 'the delegation completed by its person',
    by: ({ person, delegationId }) => office.done(person, 'completeDelegation', `id: "${delegationId}"`),
    agent: ended,
    next: ended,
  },
  {
    name: 'the task completed by its agent',
    by: ({ token }) => office.done({ token }, 'completeTask'),
    agent: ended,
    next: ended,
  },
  {
    name: 'the sub-delegation revoked',
    by: ({ person, nextDelegationId }) =>
      office.done(person, 'revokeDelegation', `id: "${nextDelegationId}"`),
    agent: works,
    next: ended,
  },
  {
    name: 'the first agent stopped',
    by: ({ agent }) => office.done(root, 'stopAgent', `id: "${agent.id}"`),
    agent: ended,
    next: ended,
  },
  {
    name: 'the acting agent stopped',
    by: ({ next: { id } }) => office.done(root, 'stopAgent', `id: "${id}"`),
    agent: works,
    next: ended,
  },
  {
    name: 'the role taken from the first agent',
    by: ({ agent, roleId }) =>
      office.done(root, 'unassignAgentRole', `agentId: "${agent.id}" roleId: "${roleId}"`),
    agent: hidden,
    next: notNow,
  },
  {
    name: 'a scope taken from the role of the agents',
    by: ({ roleId }) => changeRole(office, roleId, { scopes: ['tickets:read'] }),
    agent: hidden,
    next: hidden,
  },
  {
    name: 'the boundary of the role narrowed',
    by: ({ roleId }) => changeRole(office, roleId, { boundary: boundaryInput({ region: ['europe'] }) }),
    agent: { code: null, regions: ['europe'] },
    next: { code: null, regions: ['europe'] },
  },
  {
    name: 'the boundary of the person’s role narrowed',
    by: ({ personRoleId }) =>
      changeRole(office, personRoleId, { boundary: boundaryInput({ region: ['europe'], person: ['self'] }) }),
    agent: { code: null, regions: ['europe'] },
    next: { code: null, regions: ['europe'] },
  },
  {
    name: 'a scope made to need an approval',
    by: ({ roleId }) => changeRole(office, roleId, { approvalScopes: ['customers:read'] }),
    agent: notNow,
    next: notNow,
  },
  {
    name: 'the role taken from the person',
    by: ({ person, personRoleId }) =>
      office.done(root, 'unassignRole', `userId: "${person.id}" roleId: "${personRoleId}"`),
    agent: notNow,
    next: notNow,
  },
  {
    name: 'the person disabled',
    by: ({ person }) => office.done(root, 'disableUser', `id: "${person.id}"`),
    agent: ended,
    next: ended,
  },
  {
    name: 'the person’s tokens revoked',
    by: ({ person }) => office.done(root, 'revokeTokens', `id: "${person.id}"`),
    agent: ended,
    next: ended,
  },
  {
    name: 'the agent’s token revoked (RFC 7009)',
    by: ({ agent, token }) => office.post('/oauth/revoke', { token }, agent),
    agent: ended,
    next: works,
  },
  {
    name: 'everything stopped',
    by: () => office.done(root, 'stopEverything'),
    agent: ended,
    next: ended,
  },
];

describe('bites on the next operation, on every server', () => {
  test.each(endings)('$name', async ({ by, agent, next: handedOn }) => {
    const one = await makeCase(office);
    // Both servers have answered these tokens before, and may keep what they know of them.
    expect(await next(one.token)).toEqual(works);
    expect(await next(one.nextToken)).toEqual(works);
    await by(one);
    expect(await next(one.token)).toEqual(agent);
    expect(await next(one.nextToken)).toEqual(handedOn);
    await office.done(root, 'resumeEverything');
  });
});

test('letting everything go on lets agents have new tokens for what stands, and revives nothing', async () => {
  const [one, gone] = [await makeCase(office), await makeCase(office)];
  await office.done(root, 'stopEverything');
  expect(await next(one.token)).toEqual(ended);
  // People still act in person, and can end tasks meanwhile.
  expect((await office.company.ask(gone.person, query)).errors).toEqual([]);
  await office.done(gone.person, 'revokeDelegation', `id: "${gone.delegationId}"`);
  expect((await office.requestToken(one.agent, one.delegationId)).body.access_token).toBeUndefined();
  await office.done(root, 'resumeEverything');
  expect([await next(one.token), await next(gone.token)]).toEqual([ended, ended]);
  expect(await next(await office.tokenOf(one.agent, one.delegationId))).toEqual(works);
  expect((await office.requestToken(gone.agent, gone.delegationId)).body.access_token).toBeUndefined();
});

test('a right that comes back works again; a token that was ended does not', async () => {
  const one = await makeCase(office);
  const { agent, roleId, person } = one;
  await office.done(root, 'unassignAgentRole', `agentId: "${agent.id}" roleId: "${roleId}"`);
  await office.done(root, 'assignAgentRole', `agentId: "${agent.id}" roleId: "${roleId}"`);
  expect(await next(one.token)).toEqual(works);
  await office.done(root, 'disableUser', `id: "${person.id}"`);
  await office.done(root, 'enableUser', `id: "${person.id}"`);
  expect(await next(one.token)).toEqual(ended);
  expect(await next(await office.tokenOf(agent, one.delegationId))).toEqual(works);
});

test('a consent that is withdrawn ends what was exchanged for it', async () => {
  const { person, agent } = await makeCase(office);
  const { company } = office;
  const mine = await office.signIn(person);
  const consent = await office.change(
    person,
    'giveConsent',
    `input: { agent: "${agent.name}" }`,
    'consent { id }',
  );
  const task = { task: 'ticket:T-2', purpose: 'Answer it' };
  const token = given(await office.exchange(agent, mine.access_token, task));
  expect(seen(await company.ask({ token }, query))).toEqual(works);
  await office.done(person, 'withdrawConsent', `id: "${at(consent, 'giveConsent.consent.id') as string}"`);
  expect(await next(token)).toEqual(ended);
  expect((await office.exchange(agent, mine.access_token, task)).body.access_token).toBeUndefined();
});

describe('a consent that is replaced', () => {
  const task = { task: 'ticket:T-3', purpose: 'Answer it' };
  const europe = '[{ dimension: "region" values: ["europe"] }]';

  test.each([
    ['fewer scopes', 'scopes: ["tickets:read"]', 'tickets:read'],
    ['fewer rows', `boundary: ${europe}`, undefined],
  ])('by one to %s ends what it allowed beyond that', async (_, narrower, scope) => {
    const { person, agent, next: other, token: byHand, nextToken } = await makeCase(office);
    const mine = await office.signIn(person);
    const consent = (more: string) =>
      office.done(person, 'giveConsent', `input: { agent: "${agent.name}" ${more} }`);
    await consent('scopes: ["customers:read", "tickets:read"]');
    const exchanged = async (form: Record<string, string> = {}) =>
      given(await office.exchange(agent, mine.access_token, task, form));
    const wide = await exchanged();
    const handedOn = given(await office.exchange(other, wide));
    await consent('');
    expect([await next(wide), await next(handedOn)]).toEqual([works, works]);

    await consent(narrower);
    expect([await next(wide), await next(handedOn)]).toEqual([ended, ended]);
    const again = await exchanged(scope === undefined ? {} : { scope });
    await consent(narrower);
    expect((await next(again)).code).toBe(scope === undefined ? null : 'FORBIDDEN');
    // Handed over in person, with a scope that the last of the wide consents had too: no consent tells it apart.
    expect([await next(byHand), await next(nextToken)]).toEqual([ended, ended]);
  });

  test('leaves what was handed over beyond it in person', async () => {
    const { person, agent, token } = await makeCase(office);
    const consent = (scopes: string) =>
      office.done(person, 'giveConsent', `input: { agent: "${agent.name}" scopes: ${scopes} }`);
    await consent('["customers:read", "tickets:read"]');
    await consent('["tickets:read"]');
    expect(await next(token)).toEqual(works);
  });
});

test('time ends a token, and a delegation under every token', async () => {
  const one = await makeCase(office, { expiresInSeconds: 400 });
  const forward = (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1000);
  const start = Date.now();
  forward(290);
  expect(seen(await office.company.ask({ token: one.token }, query))).toEqual(works);
  const later = await office.tokenOf(one.agent, one.delegationId);
  forward(11);
  expect(seen(await office.company.ask({ token: one.token }, query))).toEqual(ended);
  expect(seen(await office.company.ask({ token: later }, query))).toEqual(works);
  forward(99);
  expect(seen(await office.company.ask({ token: later }, query))).toEqual(ended);
  expect((await office.requestToken(one.agent, one.delegationId)).body.access_token).toBeUndefined();
  vi.setSystemTime(start);
});
