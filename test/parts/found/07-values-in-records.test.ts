// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newestRecords } from '../../../src/cli/trail/find-records.js';
import { all, eq } from '../../../src/store/sql/condition.js';
import { auditRecords } from '../../../src/store/tables/audit.js';
import { readSdl } from '../../../src/graphql/schema/sdl.js';
import { BusinessRows } from '../../support/business.js';
import { importPage } from '../../support/knowledge.js';
import { everywhere, TestServer, type Answer, type PersonFixture } from '../../support/server.js';

const writing = ['documents:read', 'documents:write', 'documents:classify', 'collections:read'];
const everyone = { ...everywhere, person: 'all' } as const;

let server: TestServer;
let writer: PersonFixture;
let bare: PersonFixture;
let narrow: PersonFixture;
let wide: PersonFixture;

beforeAll(async () => {
  server = await TestServer.start();
  const business = ['payments:read', 'refunds:issue', 'refunds:read', 'customers:read', 'orders:read'];
  const administration = ['users:read', 'users:manage', 'roles:read'];
  writer = await server.person({ scopes: [...writing, ...business, ...administration], boundary: everyone });
  bare = await server.person({ scopes: ['audit:read'], boundary: everyone });
  narrow = await server.person({ scopes: ['audit:read'], boundary: everyone });
  await server.giveRole(narrow.id, {
    scopes: ['documents:read', 'refunds:read', 'customers:read'],
    boundary: { ...everyone, collection: ['guides'], classification: ['public'], region: ['asia'] },
  });
  wide = await server.person({
    scopes: [
      'audit:read',
      'documents:read',
      'collections:read',
      'refunds:read',
      'customers:read',
      'users:read',
    ],
    boundary: everyone,
  });
  const place = { collection: 'guides', classification: 'public' } as const;
  await importPage(server, { path: 'a.md', ...place, title: 'Guide', body: 'A guide.' });
});
afterAll(() => server.stop());

interface Seen {
  readonly variables: string | null;
  readonly arguments: string | null;
  readonly changes: readonly { before: string | null; after: string | null }[];
}
async function seen(by: PersonFixture, of: Answer): Promise<string> {
  const { data, errors } = await server.query(
    by.token,
    'query ($id: ID!) { auditRecord(id: $id) { variables arguments changes { before after } } }',
    { id: of.headers.get('behalf-operation-id') },
  );
  expect(errors).toEqual([]);
  const { variables, arguments: literals, changes } = data.auditRecord as Seen;
  return [variables, literals, ...changes.flatMap(({ before, after }) => [before, after])].join('\n');
}
let keys = 0;
const key = (): string => `key-${String((keys += 1))}`;
const create = (classification: string, title: string, body: string): Promise<Answer> =>
  server.query(
    writer.token,
    `mutation ($title: String!, $body: String!, $class: Classification!, $key: String!) {
      createDocument(collection: "guides", title: $title, body: $body, classification: $class, idempotencyKey: $key) {
        document { id version } } }`,
    { title, body, class: classification, key: key() },
  );

describe('07 a record shows a value to who may read what it was written to', () => {
  test('the text of a document, in variables, by its classification', async () => {
    const text = 'The merger is called Bluebird.';
    const hidden = await create('CONFIDENTIAL', 'Bluebird', text);
    expect(hidden.errors).toEqual([]);
    for (const reader of [bare, narrow]) {
      const told = await seen(reader, hidden);
      expect(told).not.toMatch(/Bluebird|merger|CONFIDENTIAL/);
      const { body } = JSON.parse(told.split('\n')[0] ?? '') as { body: { length: number; digest: string } };
      expect(body).toEqual({ length: text.length, digest: expect.stringMatching(/^[\w-]{43}$/) as string });
    }
    expect(await seen(wide, hidden)).toContain(text);
    const open = await create('PUBLIC', 'Opening times', 'We open at nine.');
    expect(await seen(narrow, open)).toContain('We open at nine.');
    expect(await seen(bare, open)).not.toContain('nine');
  });

  test('and in literals', async () => {
    const answer = await server.query(
      writer.token,
      `mutation { createDocument(collection: "guides", title: "Heron", body: """The plan is
        called Heron""", classification: RESTRICTED, idempotencyKey: "${key()}") { document { id } } }`,
    );
    expect(answer.errors).toEqual([]);
    for (const reader of [bare, narrow]) expect(await seen(reader, answer)).not.toMatch(/Heron|RESTRICTED/);
    expect(await seen(wide, answer)).toContain('called Heron');
  });

  test('as it stood then and as it stands now: what was withdrawn stays so, and what is opened later does too', async () => {
    const answer = await create('CONFIDENTIAL', 'Kestrel', 'The price of Kestrel is seven.');
    const { id } = (answer.data.createDocument as { document: { id: string } }).document;
    const classify = (classification: string, expectedVersion: number): Promise<Answer> =>
      server.query(
        writer.token,
        `mutation { setDocumentClassification(id: "${id}", classification: ${classification},
          expectedVersion: ${String(expectedVersion)}, idempotencyKey: "${key()}") { document { id } } }`,
      );
    expect((await classify('PUBLIC', 1)).errors).toEqual([]);
    expect(await seen(narrow, answer)).not.toContain('Kestrel');
    const open = await create('PUBLIC', 'Osprey', 'The price of Osprey is nine.');
    const other = (open.data.createDocument as { document: { id: string } }).document.id;
    expect(await seen(narrow, open)).toContain('Osprey');
    await server.query(
      writer.token,
      `mutation { setDocumentClassification(id: "${other}", classification: RESTRICTED, expectedVersion: 1,
        idempotencyKey: "${key()}") { document { id } } }`,
    );
    expect(await seen(narrow, open)).not.toContain('Osprey');
  });

  test('what a failed change would have written', async () => {
    const answer = await server.query(
      writer.token,
      `mutation ($body: String!) { createDocument(collection: "nowhere", title: "t", body: $body,
        classification: PUBLIC, idempotencyKey: "${key()}") { document { id } } }`,
      { body: 'The name is Plover.' },
    );
    expect(answer.errors.map(({ extensions }) => extensions.code)).toEqual(['NOT_FOUND']);
    for (const reader of [bare, narrow]) expect(await seen(reader, answer)).not.toContain('Plover');
    expect(await seen(wide, answer)).toContain('Plover');
  });

  test('amounts and reasons', async () => {
    const rows = new BusinessRows(server);
    const customer = await rows.customer('C-1', 'europe');
    const invoice = await rows.invoice('I-1', await rows.order('O-1', customer));
    const payment = await rows.payment(invoice, { amountMinor: 90_000 });
    const answer = await server.query(
      writer.token,
      `mutation ($amount: MoneyInput!) { issueRefund(paymentId: "${payment.id}", amount: $amount,
        reason: "The grinder broke", idempotencyKey: "${key()}") { refund { id } } }`,
      { amount: { amount: '113.77', currency: 'EUR' } },
    );
    expect(answer.errors).toEqual([]);
    for (const reader of [bare, narrow]) expect(await seen(reader, answer)).not.toMatch(/113\.77|grinder/);
    expect(await seen(wide, answer)).toMatch(/113\.77[^]*grinder/);
  });

  test('what a filter looked for, wherever it stands', async () => {
    const query = '{ customers(filter: { nameStartsWith: "Umbrella" }) { totalCount } }';
    const literal = await server.query(writer.token, query);
    const variable = await server.query(
      writer.token,
      'query ($filter: CustomerFilter) { customers(filter: $filter) { totalCount } }',
      { filter: { nameStartsWith: 'Umbrella' } },
    );
    for (const answer of [literal, variable]) {
      expect(answer.errors).toEqual([]);
      for (const reader of [bare, narrow]) expect(await seen(reader, answer)).not.toContain('Umbrella');
      expect(await seen(wide, answer)).toContain('Umbrella');
    }
  });

  test('a value behind much padding is kept all the same', async () => {
    const filters = Array.from({ length: 30 }, (_, at) => {
      const numbers = Array.from({ length: 90 }, () => '"123456789012345678901234567890"').join(',');
      return `a${String(at)}: customers(filter: { nameStartsWith: "Q${String(at)}", numbers: [${numbers}] }) { totalCount }`;
    });
    const answer = await server.query(writer.token, `{ ${filters.join(' ')} }`);
    expect(answer.errors).toEqual([]);
    expect(await seen(wide, answer)).toContain('"Q29"');
  });

  test('what accounts were before and after', async () => {
    const made = await server.query(
      writer.token,
      `mutation { createUser(input: { name: "iris.lang", displayName: "Iris Lang" }, idempotencyKey: "${key()}") { user { id } } }`,
    );
    expect(made.errors).toEqual([]);
    expect(await seen(bare, made)).not.toMatch(/iris|Iris|active/);
    expect(await seen(wide, made)).toMatch(/iris\.lang/);
    expect(await seen(wide, made)).not.toMatch(/Iris/);
  });

  test('at the terminal nobody is known', async () => {
    const answer = await create('INTERNAL', 'Sandpiper', 'We call it Sandpiper.');
    const id = answer.headers.get('behalf-operation-id') ?? '';
    const shown = JSON.stringify(await newestRecords(server.database.read, eq('id', id), 1));
    expect(shown).toContain(id);
    expect(shown).not.toContain('Sandpiper');
    expect(JSON.stringify(await newestRecords(server.database.read, all(), 1_000))).not.toMatch(
      /Bluebird|Umbrella/,
    );
  });

  test('of a record from before values said what they are, ids alone are shown', async () => {
    const answer = await create('PUBLIC', 'Turnstone', 'We call it Turnstone.');
    const id = answer.headers.get('behalf-operation-id') ?? '';
    const other = server.ids.next();
    await server.database.transaction(async (tx) => {
      const [row] = await tx.selectColumns(auditRecords, ['body'], eq('id', id));
      const variables = JSON.stringify({ body: 'We call it Turnstone.', id: other, n: 7 });
      const body = JSON.stringify({ ...(JSON.parse(row?.body ?? '') as object), variables });
      await tx.update(auditRecords, eq('id', id), { body, valuesFormat: null });
    });
    for (const reader of [bare, wide]) {
      const told = await seen(reader, answer);
      expect(told).not.toContain('We call it');
      expect(told).toContain(other);
    }
  });
});

describe('07 the start refuses a value of a mutation that does not say what it is', () => {
  const starts = async (from: string, to: string): Promise<string> => {
    const sdl = readSdl();
    expect(sdl).toContain(from);
    return TestServer.start({ sdl: sdl.replace(from, to) }).then(
      async (started) => {
        await started.stop();
        return 'it started';
      },
      (error: unknown) => String(error),
    );
  };
  test.each([
    [
      'purpose: String! @writes(fields: "Delegation.purpose")',
      'purpose: String!',
      'DelegateInput.purpose does not say',
    ],
    ['@writes(fields: "Role.description")', '', 'CreateRoleInput.description does not say'],
    [
      '@writes(fields: "Refund.reason")',
      '@writes(fields: "Refund.cause")',
      'writes to Refund.cause, which is no field of a row',
    ],
    [
      '@writes(fields: "Refund.reason")',
      '@writes(fields: "Money.amount")',
      'writes to Money.amount, which is no field of a row',
    ],
  ])('%s', async (from, to, fault) => {
    expect(await starts(from, to)).toContain(fault);
  });
});
