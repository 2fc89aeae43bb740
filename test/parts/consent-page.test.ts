// databases: sqlite, mariadb
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseBoundary } from '../../src/authority/boundary.js';
import { areRightsWithin, rightsOf } from '../../src/authority/rights.js';
import { all, eq, isNull } from '../../src/store/sql/condition.js';
import { auditRecords } from '../../src/store/tables/audit.js';
import {
  agents,
  consents,
  delegations,
  users,
  type ConsentRow,
  type StoredBoundary,
} from '../../src/store/tables/identity.js';
import { Company, type Employee } from '../support/administration.js';
import { BusinessRows } from '../support/business.js';
import { password, passwordHash } from '../support/passwords.js';
import { everywhere } from '../support/server.js';
import { volume } from '../support/volume.js';
import { CodeFlow, type Shown } from './oauth/browser.js';

let company: Company;
let ines: Employee;

beforeAll(async () => {
  company = await Company.start();
  ines = await employee('ines', 'support-rep');
  await employee('jonas', 'support-rep');
  await company.agent('helper', ines, 'support-agent');
  await company.agent('ledger', ines, 'finance-agent');
  await company.agent('idle', ines);
});
afterAll(() => company.server.stop());

async function employee(name: string, role: string): Promise<Employee> {
  const made = await company.employee(name, role);
  await letSignIn(made.id);
  return made;
}

const letSignIn = (id: string): Promise<unknown> =>
  company.server.database.transaction((tx) =>
    tx.update(users, eq('id', id), { passwordHash, mustChangePassword: false }),
  );

const flowFor = (details: object): Promise<CodeFlow> =>
  CodeFlow.start(
    { issuer: company.server.url },
    { authorization_details: JSON.stringify([{ type: 'behalf_consent', ...details }]) },
  );

const activeOf = (userId: string): Promise<ConsentRow[]> =>
  company.server.database.read.select(consents, all<ConsentRow>(eq('userId', userId), isNull('revokedAt')));

/** The text of a page, a line for each element. */
const linesOf = ({ html }: Shown): string[] =>
  html
    .replaceAll(/<style>.*?<\/style>/gs, '')
    .replaceAll(/<\/?(?:strong|code)[^>]*>/g, '')
    .split(/<[^>]*>/)
    .map((line) => line.replaceAll(/\s+/g, ' ').replaceAll('&#39;', "'").trim())
    .filter((line) => line !== '');

describe('the consent page', () => {
  test('says who is signed in, who asks, what for, and how far, in plain words', async () => {
    const flow = await flowFor({ agent: 'helper' });
    const page = await flow.signIn('ines', password);
    const { createdAt } = (await company.server.database.read.one(users, eq('name', 'ines'))) ?? {
      createdAt: '',
    };
    const lines = linesOf(page);
    expect(lines).toEqual(
      expect.arrayContaining([
        'Let Agent helper work for you?',
        'You are signed in as Employee ines (ines).',
        'Sign in as somebody else',
        'Behalf command line behalf-cli, set up by the operator of this server',
        expect.stringMatching(
          new RegExp(
            `^Agent helper helper in the role support-agent, known here since \\d+ [A-Z][a-z]+ ${createdAt.slice(0, 4)}$`,
          ),
        ),
        'a task of a test',
        'Employee ines',
        'One task ends after 1 hour at the latest. Until then it can make 500 requests and see or change 5,000 records, no more.',
        'It can pass a part of a task on to another agent, up to 2 times in a row, and never more than it has itself.',
        'All customers',
        'All regions',
        'All document collections',
        'Documents marked internal or public',
      ]),
    );
    const at = (line: string): number => lines.indexOf(line);
    const tickets = lines.slice(at('Tickets'), at('For which'));
    expect(tickets).toEqual([
      'Tickets',
      'See',
      'Read tickets and the messages that the customer sees.',
      'tickets:read',
      'Change',
      'Answer tickets and leave notes on them.',
      'tickets:reply',
      'Change the status of tickets.',
      'tickets:update_status',
    ]);
    expect(lines.slice(at('Customers'), at('Documents'))).not.toContain('Change');
    expect(lines.join('\n')).not.toMatch(/: all|none|No people|What you do not hold/);
  });

  test('names no dimension that does not matter for what is asked', async () => {
    const flow = await flowFor({ agent: 'helper', scopes: ['products:read'] });
    const page = await flow.signIn('ines', password);
    expect(page.html).not.toContain('For which');
  });

  test('tells the person what they lack, and stores the rest', async () => {
    const flow = await flowFor({ agent: 'ledger', scopes: ['invoices:read', 'refunds:issue'] });
    const page = await flow.signIn('ines', password);
    const lines = linesOf(page);
    const at = lines.indexOf('What you do not hold');
    expect(lines.slice(at + 1, at + 3)).toEqual([
      'The program asked for this too. You do not hold it, so the agent will not have it either:',
      'Pay back a payment, in part or whole. refunds:issue',
    ]);
    expect(page.html).not.toContain('value="refunds:issue"');
    await flow.redeem(await flow.browser.submit(page, { scope: ['invoices:read', 'refunds:issue'] }));
    expect((await activeOf(ines.id)).map(({ scopes }) => scopes)).toEqual([['invoices:read']]);
  });

  test('gives the program a refusal where the person holds nothing of it, and tells the record alone what they lack', async () => {
    const flow = await flowFor({ agent: 'ledger', scopes: ['refunds:issue'] });
    const { searchParams } = new URL((await flow.signIn('ines', password)).url);
    expect(searchParams.get('error')).toBe('access_denied');
    expect(searchParams.get('error_description')).toBe('The person cannot hand over what was asked.');
    const records = await company.server.database.read.select(auditRecords, eq('kind', 'consent'));
    expect(records.map(({ body }) => body).join()).toContain('refunds:issue cannot be handed over');
  });

  test.each([
    ['holds no role', { agent: 'idle' }, 'The agent holds no role, so it can be given no task.'],
    [
      'lacks the named role',
      { agent: 'helper', role: 'x' },
      'The agent does not hold the role that was named.',
    ],
  ])('tells the program that the agent %s, where no scope was asked for', async (_what, details, reason) => {
    const flow = await flowFor(details);
    const { searchParams } = new URL((await flow.signIn('ines', password)).url);
    expect(searchParams.get('error')).toBe('access_denied');
    expect(searchParams.get('error_description')).toBe(reason);
  });

  test('stores what was left ticked, where it was shown, and nothing else', async () => {
    const pia = await employee('pia', 'support-rep');
    const flow = await flowFor({
      agent: 'helper',
      scopes: ['orders:read', 'tickets:read', 'documents:read'],
    });
    const page = await flow.signIn('pia', password);
    const chosen = ['tickets:read', 'documents:read', 'invoices:read', 'invoices:issue', '*'];
    await flow.redeem(
      await flow.browser.submit(page, { scope: chosen, boundary: 'all', role: 'finance-agent' }),
    );
    expect(await activeOf(pia.id)).toMatchObject([
      {
        scopes: ['documents:read', 'tickets:read'],
        boundary: { ...everywhere, classification: ['internal', 'public'], person: [] },
      },
    ]);
  });

  test('does not widen where it holds as scopes are taken away', async () => {
    // Orders of Europe alone, tickets everywhere: together both are offered for Europe.
    const scopes = ['orders:read', 'delegations:create'];
    const mika = await company.server.person(
      { scopes, boundary: { ...everywhere, region: ['europe'] } },
      'mika',
    );
    await company.server.giveRole(mika.id, { scopes: ['tickets:read'] });
    await letSignIn(mika.id);
    const flow = await flowFor({ agent: 'helper', scopes: ['orders:read', 'tickets:read'] });
    const page = await flow.signIn('mika', password);
    expect(linesOf(page)).toContain('Only the region europe');
    await flow.redeem(await flow.browser.submit(page, { scope: 'tickets:read' }));
    expect(await activeOf(mika.id)).toMatchObject([
      { scopes: ['tickets:read'], boundary: { region: ['europe'] } },
    ]);
  });

  test('asks again where nothing is ticked, and stores nothing', async () => {
    const rosa = await employee('rosa', 'support-rep');
    const flow = await flowFor({ agent: 'helper', scopes: ['tickets:read'] });
    const page = await flow.browser.submit(await flow.signIn('rosa', password), { scope: ['orders:read'] });
    expect(page.status).toBe(422);
    expect(page.html).toContain('Tick at least one thing');
    expect(await activeOf(rosa.id)).toEqual([]);
    const answer = await flow.browser.submit(page, { action: 'cancel' });
    expect(new URL(answer.url).searchParams.get('error')).toBe('access_denied');
    expect(await activeOf(rosa.id)).toEqual([]);
  });

  test('shows a changed offer again, without a tick at what is new', async () => {
    const role = { scopes: ['tickets:read', 'delegations:create'] };
    const noor = await company.server.person(role, 'noor');
    await letSignIn(noor.id);
    const flow = await flowFor({ agent: 'helper', scopes: ['orders:read', 'tickets:read'] });
    const page = await flow.signIn('noor', password);
    await company.server.giveRole(noor.id, { scopes: ['orders:read'] });
    const again = await flow.browser.submit(page, {});
    expect(again.status).toBe(409);
    expect(await activeOf(noor.id)).toEqual([]);
    expect(again.html.replaceAll(/\s+/g, ' ')).toMatch(/value="tickets:read"[^>]* checked/);
    expect(again.html.replaceAll(/\s+/g, ' ')).not.toMatch(/value="orders:read"[^>]* checked/);
    await flow.redeem(await flow.browser.submit(again, {}));
    expect(await activeOf(noor.id)).toMatchObject([{ scopes: ['tickets:read'] }]);
  });

  test('lets another person sign in instead, and ends the sign-in of the first', async () => {
    const flow = await flowFor({ agent: 'helper', scopes: ['tickets:read'] });
    const first = await flow.signIn('pia', password);
    const before = await activeOf(ines.id);
    const signIn = await flow.browser.submit(first, { action: 'switch' });
    expect(signIn.html).toContain('<h1>Sign in</h1>');
    expect((await flow.browser.open(first.url)).status).toBe(400);
    const page = await flow.browser.submit(signIn, { username: 'jonas', password });
    expect(linesOf(page)).toContain('You are signed in as Employee jonas (jonas).');
    await flow.redeem(await flow.browser.submit(page, {}));
    const jonas = await company.server.database.read.one(users, eq('name', 'jonas'));
    expect(await activeOf(jonas?.id ?? '')).toMatchObject([{ scopes: ['tickets:read'] }]);
    expect(await activeOf(ines.id)).toEqual(before);
  });

  test('names customers by their names, as far as the person may read them', async () => {
    const rows = new BusinessRows(company.server);
    const { id: north } = await rows.customer('C-north', 'europe');
    const { id: south } = await rows.customer('C-south', 'asia');
    const boundary: StoredBoundary = { ...everywhere, customer: [north, south] };
    const kim = await company.server.person(
      { scopes: ['tickets:read', 'delegations:create'], boundary },
      'kim',
    );
    await company.server.giveRole(kim.id, {
      scopes: ['customers:read'],
      boundary: { ...everywhere, customer: [north] },
    });
    const offer = await company
      .grants()
      .consentOffer({ userId: kim.id, agentName: 'helper', scopes: ['tickets:read'] });
    const [sentence] = offer.boundary.map((one) => one.sentence);
    expect(sentence).toContain('(C-north)');
    expect(sentence).toContain(south);
    expect(sentence).not.toContain('C-south');
  });
});

describe('a boundary that the person narrows', () => {
  let rows: BusinessRows;
  let [vera, alps, alba]: string[] = [];
  beforeAll(async () => {
    rows = new BusinessRows(company.server);
    ({ id: alps } = await rows.customer('C-7001', 'europe', { name: 'Alpine Foods' }));
    ({ id: alba } = await rows.customer('C-7002', 'europe', { name: 'Alba Foods' }));
    await rows.customer('C-7003', 'asia', { name: 'Alishan Foods' });
    const scopes = [
      'customers:read',
      'tickets:read',
      'documents:read',
      'delegations:create',
      'delegations:read',
    ];
    ({ id: vera } = await company.server.person(
      { scopes, boundary: { ...everywhere, region: ['europe', 'america'] } },
      'vera',
    ));
    await letSignIn(vera);
  });

  const open = async (scopes: readonly string[]): Promise<[CodeFlow, Shown]> => {
    const flow = await flowFor({ agent: 'helper', scopes });
    return [flow, await flow.signIn('vera', password)];
  };
  const looked = (): Promise<number> =>
    company.server.database.read
      .select(auditRecords, all())
      .then(
        (records) => records.filter(({ body }) => body.includes('looked at what could be allowed')).length,
      );

  test('to one customer, found by name, under the rights of the person alone', async () => {
    const [flow, page] = await open(['tickets:read']);
    const before = await looked();
    const search = (term: string, more = {}) =>
      flow.browser.submit(page, { action: 'search', 'find:customer': term, ...more });
    const found = await search('foods');
    expect(found.status).toBe(200);
    expect(linesOf(found)).toEqual(expect.arrayContaining(['Alba Foods (C-7002)', 'Alpine Foods (C-7001)']));
    expect(found.html).not.toContain('Alishan');
    expect(await looked()).toBe(before + 1);
    // Another region's customer looks as if it did not exist.
    expect(linesOf(await search('Alishan'))).toEqual(linesOf(await search('Nobody')));
    expect(linesOf(await search('C-7003'))).toContain('You can see nothing with this name.');
    expect(linesOf(await search('C-7001'))).toContain('Alpine Foods (C-7001)');
    expect(await activeOf(vera ?? '')).toEqual([]);

    const unfinished = await flow.browser.submit(found, { 'find:customer': 'foods' });
    expect([unfinished.status, await activeOf(vera ?? '')]).toEqual([422, []]);
    // A tick is kept through the next search.
    const next = await search('Alba', { 'only:customer': [alps ?? ''] });
    expect(next.html.replaceAll(/\s+/g, ' ')).toMatch(new RegExp(`value="${alps ?? ''}" checked`));
    await flow.redeem(await flow.browser.submit(next, {}));
    expect(await activeOf(vera ?? '')).toMatchObject([
      { scopes: ['tickets:read'], boundary: { customer: [alps], region: ['america', 'europe'] } },
    ]);
    const agent = await company.server.database.read.one(agents, eq('name', 'helper'));
    const grant = await company.grants().exchangePersonToken({
      ...{
        userId: vera ?? '',
        agentId: agent?.id ?? '',
        agentGeneration: 0,
        task: 'ticket:1',
        purpose: 'Look',
      },
      personTokenScopes: ['tickets:read'],
    });
    const row = await company.server.database.read.byId(delegations, grant.delegationId);
    expect(row?.boundary.customer).toEqual([alps]);
  });

  test('to some of the words that are offered', async () => {
    const [flow, page] = await open(['documents:read', 'tickets:read']);
    expect(linesOf(page)).toEqual(
      expect.arrayContaining(['Documents marked internal or public', 'Only the regions america and europe']),
    );
    const none = await flow.browser.submit(page, { 'only:classification': [] });
    expect(none.status).toBe(422);
    const chosen = { 'only:classification': ['public', 'restricted'], 'only:region': ['europe', 'asia'] };
    await flow.redeem(await flow.browser.submit(page, chosen));
    expect(await activeOf(vera ?? '')).toMatchObject([
      { boundary: { classification: ['public'], region: ['europe'], customer: 'all', collection: 'all' } },
    ]);
  });

  test.each([
    ['a customer out of reach', () => rows.customer('C-hidden', 'asia').then(({ id }) => id)],
    ['no customer', () => Promise.resolve(company.server.ids.next())],
    ['nothing at all', () => Promise.resolve("' OR 1=1 --")],
  ])('but not to %s, and all of them are refused alike', async (_name, value) => {
    const before = await activeOf(vera ?? '');
    const [flow, page] = await open(['tickets:read']);
    const answer = await flow.browser.submit(page, { 'only:customer': [await value(), alba ?? ''] });
    expect(answer.status).toBe(409);
    expect(linesOf(answer)).toContain(
      'Something that you ticked is not there any more. Look at your choice again.',
    );
    expect(linesOf(answer)).toContain('Alba Foods (C-7002)');
    expect(await activeOf(vera ?? '')).toEqual(before);
  });
});

test('whatever is chosen, the stored consent is inside the offer', async () => {
  const rows = new BusinessRows(company.server);
  const { id: mine } = await rows.customer('C-lea', 'asia');
  const { id: other } = await rows.customer('C-other', 'europe');
  const scopes = ['customers:read', 'documents:read', 'tickets:read', 'delegations:create'];
  const lea = await company.server.person(
    { scopes, boundary: { ...everywhere, region: ['asia', 'america'] } },
    'lea',
  );
  const grants = company.grants();
  const input = { userId: lea.id, agentName: 'helper' };
  const offer = await grants.consentOffer(input);
  const offered = offer.scopes.map(({ name }) => name);
  expect(offered).toEqual(['customers:read', 'documents:read', 'tickets:read']);
  const whole: StoredBoundary = {
    ...everywhere,
    region: ['asia', 'america'],
    classification: ['internal', 'public'],
    person: [],
  };
  const scope = fc.oneof(fc.constantFrom(...scopes, 'refunds:issue', 'session:read'), fc.string());
  const value = fc.oneof(
    fc.constantFrom(mine, other, 'C-lea', 'C-other', 'asia', 'europe', 'public', 'restricted', 'self', 'all'),
    fc.string(),
  );
  const choice = fc.record({
    seconds: fc.integer({ min: 1, max: 7_776_000 }),
    scopes: fc.array(scope),
    boundary: fc.dictionary(
      fc.constantFrom(...Object.keys(whole), 'other'),
      fc.array(value, { maxLength: 3 }),
    ),
  });
  await fc.assert(
    fc.asyncProperty(choice, async (chosen) => {
      const before = await activeOf(lea.id);
      const isGiven = await company
        .do(({ tx }) => grants.consent(tx, { ...input, offer, choice: chosen }))
        .then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
            return false;
          },
        );
      const stored = await activeOf(lea.id);
      if (!isGiven) expect(stored).toEqual(before);
      for (const row of isGiven ? stored : []) {
        expect(row.scopes).toEqual(offered.filter((each) => chosen.scopes.includes(each)));
        const given = rightsOf(row.scopes, parseBoundary(row.boundary));
        expect(areRightsWithin(given, rightsOf(offered, parseBoundary(whole)))).toBe(true);
        expect(row.boundary.customer).not.toContain(other);
      }
    }),
    { numRuns: volume(600) },
  );
});
