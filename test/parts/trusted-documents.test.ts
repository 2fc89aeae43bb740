// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unregisteredUses } from '../../src/cli/documents-report.js';
import { sha256Hex } from '../../src/core/digest.js';
import { trustedDocuments } from '../../src/store/tables/documents.js';
import { authorityEpoch } from '../../src/store/tables/identity.js';
import { eq } from '../../src/store/sql/condition.js';
import { at, codes, Company, key, nodesAt } from '../support/administration.js';
import { recordOf, recordsOf } from '../support/records.js';
import {
  everywhere,
  type TestServer,
  type AgentFixture,
  type Answer,
  type PersonFixture,
} from '../support/server.js';
import { Gate, gatedParts } from '../support/gate.js';
import { naming, statementsOf } from '../support/statements.js';

const gate = new Gate();
let company: Company;
let server: TestServer;
let replica: TestServer;
let person: PersonFixture;
/** Bound to registered documents. */
let bound: AgentFixture;
/** Runs anything, and each of it is noted. */
let watched: AgentFixture;
let free: AgentFixture;

const read = { scopes: ['customers:read', 'products:read'] };
const customers = 'query Customers($n: Int) { customers(first: $n) { totalCount } }\n';
const products = 'query Products { products { totalCount } }';
const invoices = 'query Invoices { invoices { totalCount } }';

beforeAll(async () => {
  company = await Company.start(gatedParts(gate));
  server = company.server;
  replica = await server.replica();
  person = await server.person({ scopes: [...read.scopes, 'invoices:read'] });
  bound = await server.agent(person, { ...read, documents: 'registered' });
  watched = await server.agent(person, { ...read, documents: 'logged' });
  free = await server.agent(person, read);
});
afterAll(async () => {
  await replica.stop();
  await server.stop();
});

const rows = () => server.database.read.select(trustedDocuments, { kind: 'all', of: [] });
const epoch = async (): Promise<number> =>
  (await server.database.read.one(authorityEpoch, eq('id', 1)))?.version ?? 0;

const register = (who: { token: string }, input: readonly object[], once = key()): Promise<Answer> =>
  company.ask(
    who,
    `mutation ($input: [RegisterDocumentInput!]!, $key: String!) {
      registerDocuments(input: $input, idempotencyKey: $key) {
        created replaced unchanged documents { id name hash kind source retired registeredBy { name } }
      }
    }`,
    { input, key: once },
  );
const registered = async (name: string, source: string): Promise<string> => {
  const answer = await register(company.root, [{ name, source }]);
  expect(answer.errors).toEqual([]);
  return (at(answer, 'registerDocuments.documents') as { id: string }[])[0]?.id ?? '';
};
const retire = (who: { token: string }, id: string): Promise<Answer> =>
  company.ask(
    who,
    `mutation { retireDocument(id: "${id}", idempotencyKey: "${key()}") { document { name retired retiredBy { name } } } }`,
  );
const send = (who: { token: string }, body: object, on = server): Promise<Answer> =>
  on.post(who.token, JSON.stringify(body));
const byHash = (source: string, more: object = {}) => ({
  extensions: { persistedQuery: { version: 1, sha256Hash: sha256Hex(source) } },
  ...more,
});
async function get(who: { token: string }, params: Record<string, string>): Promise<Answer> {
  const response = await fetch(`${server.url}/graphql?${new URLSearchParams(params).toString()}`, {
    headers: { authorization: `Bearer ${who.token}`, 'apollo-require-preflight': 'true' },
  });
  const body = (await response.json()) as { data?: unknown; errors?: Answer['errors'] };
  return { status: response.status, headers: response.headers, data: body.data, errors: body.errors ?? [] };
}

describe('registering', () => {
  test('makes documents that stand under their name and the hash of their exact source', async () => {
    const before = await epoch();
    const answer = await register(company.root, [
      { name: 'Customers', source: customers },
      { name: 'Products', source: products },
    ]);
    expect(answer.errors).toEqual([]);
    expect(at(answer, 'registerDocuments')).toMatchObject({ created: 2, replaced: 0, unchanged: 0 });
    expect(at(answer, 'registerDocuments.documents')).toMatchObject([
      {
        ...{
          name: 'Customers',
          hash: sha256Hex(customers),
          kind: 'QUERY',
          source: customers,
          retired: false,
        },
        registeredBy: { name: 'root' },
      },
      { name: 'Products' },
    ]);
    expect(await epoch()).toBe(before + 1);
    const { changes } = await recordOf(server.database, answer);
    expect(changes).toMatchObject([
      { type: 'TrustedDocument', before: null, after: { name: 'Customers', hash: sha256Hex(customers) } },
      { type: 'TrustedDocument', after: { name: 'Products' } },
    ]);
    expect(JSON.stringify(changes)).not.toContain('totalCount');
  });

  test('again changes nothing, and with another source retires what stood', async () => {
    const before = await epoch();
    const same = await register(company.root, [{ name: 'Customers', source: customers }]);
    expect(at(same, 'registerDocuments')).toMatchObject({ created: 0, replaced: 0, unchanged: 1 });
    expect(await epoch()).toBe(before);

    const first = `${products} # first`;
    const id = await registered('Changing', first);
    const second = await register(company.root, [{ name: 'Changing', source: `${products} # second` }]);
    expect(at(second, 'registerDocuments')).toMatchObject({ created: 0, replaced: 1, unchanged: 0 });
    const all = (await rows()).filter((row) => row.name === 'Changing');
    expect(all.find((row) => row.id === id)).toMatchObject({
      ...{ standingName: null, standingHash: null, retiredById: company.root.id, hash: sha256Hex(first) },
    });
    expect(codes(await send(free, byHash(first)))).toEqual(['NOT_FOUND']);
    expect(codes(await send(free, { documentId: 'Changing' }))).toEqual([]);
  });

  test('lets two documents exchange their sources', async () => {
    const [one, two] = [`${products} #1`, `${products} #2`];
    await register(company.root, [
      { name: 'One', source: one },
      { name: 'Two', source: two },
    ]);
    const answer = await register(company.root, [
      { name: 'One', source: two },
      { name: 'Two', source: one },
    ]);
    expect(at(answer, 'registerDocuments')).toMatchObject({ replaced: 2 });
    const standing = (await rows()).filter((row) => row.retiredAt === null);
    expect(standing.find((row) => row.name === 'One')?.source).toBe(two);
  });

  test('is once for a key', async () => {
    const once = key();
    const input = [{ name: 'Once', source: `${products} #once` }];
    const first = await register(company.root, input, once);
    const again = await register(company.root, input, once);
    expect(at(again, 'registerDocuments')).toEqual(at(first, 'registerDocuments'));
    expect((await rows()).filter((row) => row.name === 'Once')).toHaveLength(1);
  });

  test.each([
    ['a name that is none', 'not a name', products, '"not a name" A name has'],
    ['a text that does not parse', 'Bad', 'query {', '"Bad" 1:8 Syntax Error'],
    [
      'a field that does not exist',
      'Bad',
      '{ customers { nodes { nme } } }',
      '"Bad" 1:23 Cannot query field "nme"',
    ],
    [
      'two operations',
      'Bad',
      'query A { viewer { scopes } } query B { viewer { scopes } }',
      'exactly one operation',
    ],
    ['no operation', 'Bad', 'fragment F on Viewer { scopes }', 'exactly one operation'],
    ['too many tokens', 'Bad', `{ ${'viewer { scopes } '.repeat(1_500)} }`, 'token'],
    ['a text that is not Unicode', 'Bad', '{ viewer { scopes } } #\ud800', 'half of a character'],
    [
      'a comment that turns its line around',
      'Bad',
      '{ viewer { scopes } } # \u202escopes',
      'has the character U+202E, which nobody can see',
    ],
    ['a source that stands under another name', 'Other', customers, 'registered as Customers'],
  ])('is refused whole for %s', async (_, name, source, message) => {
    const before = await rows();
    const moved = await epoch();
    const answer = await register(company.root, [
      { name: 'Good', source: `${products} # good` },
      { name, source },
    ]);
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
    expect(answer.errors[0]?.message).toContain(message);
    expect(await rows()).toEqual(before);
    expect(await epoch()).toBe(moved);
  });

  test('is refused whole for a name or a source that is given twice', async () => {
    const before = await rows();
    const answer = await register(company.root, [
      { name: 'Twice', source: `${products} #x` },
      { name: 'Twice', source: `${products} #x` },
    ]);
    expect(answer.errors[0]?.message).toMatch(/given twice[^]*same source as Twice/);
    expect(codes(await register(company.root, []))).toEqual(['BAD_USER_INPUT']);
    expect(await rows()).toEqual(before);
  });

  test('and retiring and reading are for those who hold the scopes', async () => {
    const id = await registered('Guarded', `${products} #guarded`);
    const reader = await server.person({ scopes: ['operations:read'], boundary: everywhere });
    const before = await rows();
    expect(codes(await register({ token: 'none' }, [{ name: 'X', source: products }]))).toEqual([
      'UNAUTHENTICATED',
    ]);
    expect(codes(await retire({ token: 'none' }, id))).toEqual(['UNAUTHENTICATED']);
    const hidden = await register(person, [{ name: 'X', source: products }]);
    expect(hidden.errors[0]?.message).toMatch(/Unknown type|Cannot query field/);
    expect((await retire(reader, id)).errors[0]?.message).toContain('Cannot query field "retireDocument"');
    const token = await server.token(company.root.id, undefined, ['operations:read']);
    expect(codes(await register({ token }, [{ name: 'X', source: products }]))).toContain('FORBIDDEN');
    expect(codes(await retire({ token }, id))).toContain('FORBIDDEN');
    expect(await rows()).toEqual(before);

    const found = await company.ask(
      reader,
      `{ trustedDocuments(filter: { retired: false, name: "Guarded" }) { totalCount nodes { id name } }
         one: trustedDocument(name: "Guarded") { id }
         other: trustedDocumentByHash(hash: "${sha256Hex(`${products} #guarded`)}") { id }
         none: trustedDocument(name: "None") { id } }`,
    );
    expect(found.errors).toEqual([]);
    expect(nodesAt(found, 'trustedDocuments')).toEqual([{ id, name: 'Guarded' }]);
    expect(found.data).toMatchObject({ one: { id }, other: { id }, none: null });
    expect(codes(await company.ask(reader, '{ trustedDocument(name: " ") { id } }'))).toEqual([
      'BAD_USER_INPUT',
    ]);
  });
});

describe('a registered document', () => {
  test.each([
    ['its hash, as clients of persisted queries send it', byHash(customers)],
    ['its hash as documentId', { documentId: `sha256:${sha256Hex(customers)}` }],
    ['its name', { documentId: 'Customers' }],
    ['its exact text', { query: customers }],
    ['its text and hash together', byHash(customers, { query: customers })],
    ['its name and the operation’s', { documentId: 'Customers', operationName: 'Customers' }],
  ])('runs by %s, and the record names it', async (_, body) => {
    const answer = await send(bound, { ...body, variables: { n: 1 } });
    expect(answer.errors).toEqual([]);
    expect(answer.data).toEqual({ customers: { totalCount: 0 } });
    const { operation, outcome } = await recordOf(server.database, answer);
    expect(operation).toMatchObject({ name: 'Customers', registeredAs: 'Customers' });
    expect(outcome).toBe('succeeded');
  });

  test('runs by GET too', async () => {
    const ways: Record<string, string>[] = [
      { documentId: 'Customers' },
      { documentId: `sha256:${sha256Hex(customers)}`, variables: '{"n":1}' },
      { extensions: JSON.stringify(byHash(customers).extensions) },
      { query: customers },
    ];
    for (const params of ways) {
      const answer = await get(bound, params);
      expect(answer.errors).toEqual([]);
      expect(answer.data).toEqual({ customers: { totalCount: 0 } });
      expect((await recordOf(server.database, answer)).operation?.registeredAs).toBe('Customers');
    }
  });

  test('that changes data does not run by GET', async () => {
    const source = 'mutation Complete { completeTask(idempotencyKey: "x") { delegationId } }';
    await registered('Complete', source);
    const agent = await server.agent(person, read);
    const answer = await get(agent, { documentId: 'Complete' });
    expect(answer.status).toBe(405);
    expect(answer.data?.completeTask).toBeUndefined();
    expect(codes(await send(agent, { query: '{ viewer { scopes } }' }))).toEqual([]);
    expect(codes(await send(agent, { documentId: 'Complete' }))).toEqual([]);
    expect(codes(await send(agent, { query: '{ viewer { scopes } }' }))).toEqual(['UNAUTHENTICATED']);
  });

  test.each([
    ['two documents', { query: products, documentId: 'Products' }],
    ['an id and a hash', byHash(products, { documentId: 'Products' })],
    ['a hash of another text', byHash(customers, { query: products })],
    ['a version that there is not', { extensions: { persistedQuery: { version: 2, sha256Hash: 'x' } } }],
    ['a hash that is none', { extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } }],
    ['an id that is none', { documentId: 'sha256:x' }],
    ['an id that is no text', { documentId: 7 }],
  ])('is not guessed from a request with %s', async (_, body) => {
    const answer = await send(free, body);
    expect(codes(answer)).toEqual(['BAD_USER_INPUT']);
    expect(answer.data).toBeUndefined();
    expect((await recordOf(server.database, answer)).outcome).toBe('failed');
  });

  test('is gone at the next operation on every server once it is retired', async () => {
    const source = `${products} # for a while`;
    const id = await registered('ForAWhile', source);
    for (const on of [server, replica]) {
      expect(codes(await send(bound, { documentId: 'ForAWhile' }, on))).toEqual([]);
      expect(codes(await send(bound, { query: source }, on))).toEqual([]);
    }
    const answer = await retire(company.root, id);
    expect(at(answer, 'retireDocument.document')).toEqual({
      ...{ name: 'ForAWhile', retired: true },
      retiredBy: { name: 'root' },
    });
    for (const on of [replica, server]) {
      expect(codes(await send(bound, { documentId: 'ForAWhile' }, on))).toEqual(['NOT_FOUND']);
      expect(codes(await send(bound, { query: source }, on))).toEqual(['FORBIDDEN']);
    }
    expect(codes(await retire(company.root, id))).toEqual([]);
    expect((await rows()).filter((row) => row.id === id)[0]?.version).toBe(2);
    await registered('ForAWhile', source);
    expect(codes(await send(bound, { documentId: 'ForAWhile' }, replica))).toEqual([]);
  });

  test('that is retired while it runs releases nothing where a role asks for registered ones', async () => {
    const source = `${customers}# under way`;
    for (const [who, told] of [
      [bound, ['FORBIDDEN']],
      [free, []],
    ] as const) {
      const id = await registered('UnderWay', source);
      const held = gate.arm();
      const operation = send(who, { documentId: 'UnderWay' });
      await held.arrived;
      expect(codes(await retire(company.root, id))).toEqual([]);
      held.open();
      const answer = await operation;
      expect(codes(answer)).toEqual(told);
      expect(answer.data === undefined).toBe(told.length > 0);
    }
  });

  test('beyond the caller’s reach looks the same as one that is retired or never was', async () => {
    await registered('Invoices', invoices);
    const id = await registered('Retired', `${products} # retired`);
    await retire(company.root, id);
    expect(codes(await send(person, { documentId: 'Invoices' }))).toEqual([]);
    const answers = await Promise.all(
      ['Invoices', 'Retired', 'Never'].map((documentId) => send(free, { documentId })),
    );
    const told = answers.map(({ errors, data, status }) => ({
      ...{ status, data },
      errors: errors.map(({ message, extensions: { operationId: _, ...rest } }) => ({ message, rest })),
    }));
    expect(told[0]?.errors[0]?.rest.code).toBe('NOT_FOUND');
    expect(told[1]).toEqual(told[0]);
    expect(told[2]).toEqual(told[0]);
    expect(JSON.stringify(answers.map(({ errors }) => errors))).not.toMatch(/invoices/i);
    const [hash, never] = [await send(free, byHash(invoices)), await send(free, byHash('{ never }'))];
    expect([hash.errors[0]?.message, hash.status]).toEqual([never.errors[0]?.message, never.status]);
  });

  test('beyond the caller’s reach is as unregistered by its text, where a role asks for registered ones', async () => {
    await registered('Invoices', invoices);
    const known = await send(bound, { query: invoices });
    const never = await send(bound, { query: `${invoices} # never` });
    expect(codes(known)).toEqual(['FORBIDDEN']);
    expect(known.errors[0]?.message).toBe(never.errors[0]?.message);
  });

  test('is looked up once for as long as no right changes', async () => {
    await send(free, { documentId: 'Customers' });
    const statements = await statementsOf(async () => {
      for (let i = 0; i < 3; i += 1) expect(codes(await send(free, { documentId: 'Customers' }))).toEqual([]);
    });
    expect(naming(statements, 'trusted_documents')).toEqual([]);
    // Reading them is the indexer's, at its own pace.
    expect(statements.filter((sql) => sql.startsWith('INSERT INTO `behalf_audit_records`'))).toHaveLength(3);
  });
});

describe('a role that runs registered documents only', () => {
  test.each([
    ['another operation', { query: '{ products { totalCount } }' }],
    ['introspection', { query: '{ __schema { types { name } } }' }],
    ['even __typename', { query: '{ __typename }' }],
    ['the same with one blank more', { query: ` ${customers}` }],
    ['the same without its last line break', { query: customers.trimEnd() }],
    ['the same with another alias', { query: customers.replace('totalCount', 'n: totalCount') }],
    [
      'a second operation beside it',
      { query: `${customers} query Other { products { totalCount } }`, operationName: 'Customers' },
    ],
    [
      'another text under its hash',
      byHash(customers, { query: '{ products { totalCount } }' }),
      'BAD_USER_INPUT',
    ],
    ['what does not parse', { query: 'query {' }],
  ])('refuses %s', async (_, body, code = 'FORBIDDEN') => {
    const answer = await send(bound, body);
    expect(codes(answer)).toEqual([code]);
    expect(answer.data).toBeUndefined();
    const body2 = await recordOf(server.database, answer);
    expect(body2.rowCount).toBe(0);
    expect(body2.resources).toEqual([]);
    if (code !== 'FORBIDDEN') return;
    expect(answer.errors[0]?.extensions).toMatchObject({
      layer: 'agent',
      hint: expect.stringMatching(/registered/),
    });
    expect(body2).toMatchObject({
      ...{ outcome: 'refused', errors: [{ code: 'FORBIDDEN' }] },
      operation: { unregistered: { outcome: 'refused' } },
    });
  });

  test('refuses it by GET, and nothing beside the document counts', async () => {
    expect(codes(await get(bound, { query: '{ products { totalCount } }' }))).toEqual(['FORBIDDEN']);
    expect((await get(bound, { documentId: 'Customers', query: products })).data).toBeUndefined();
    const twice = await fetch(
      `${server.url}/graphql?query=${encodeURIComponent(customers)}&query=${encodeURIComponent('{ products { totalCount } }')}`,
      { headers: { authorization: `Bearer ${bound.token}`, 'apollo-require-preflight': 'true' } },
    );
    expect(twice.status).toBe(400);
    const beside = await fetch(
      `${server.url}/graphql?query=${encodeURIComponent('{ products { totalCount } }')}`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${bound.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ documentId: 'Customers' }),
      },
    );
    expect(await beside.json()).toMatchObject({ data: { customers: { totalCount: 0 } } });
  });

  test.each([
    ['none', '{}'],
    ['null', '{"query":null}'],
    ['no text', '{"query":{"kind":"Document"}}'],
    ['a list', `[{"query":${JSON.stringify('{ products { totalCount } }')}}]`],
    ['a text body', '"{ products { totalCount } }"'],
  ])('runs nothing where the document is %s', async (_, body) => {
    const answer = await server.post(bound.token, body);
    expect(answer.errors.length).toBeGreaterThan(0);
    expect(answer.data?.products).toBeUndefined();
  });

  test('changes nothing when it refuses a mutation', async () => {
    const clerk = await server.agent(
      await server.person({ scopes: ['delegations:create', ...read.scopes] }),
      { ...read, documents: 'registered' },
    );
    const answer = await send(clerk, {
      query: `mutation { completeTask(idempotencyKey: "k") { delegationId } }`,
    });
    expect(codes(answer)).toEqual(['FORBIDDEN']);
    expect(codes(await send(clerk, { documentId: 'Customers' }))).toEqual([]);
  });

  test('binds the chain wherever it stands in it, and a person by any of their roles', async () => {
    const strict = await server.person({ ...read, documents: 'registered' });
    await server.giveRole(strict.id, read);
    expect(codes(await send(strict, { query: '{ products { totalCount } }' }))).toEqual(['FORBIDDEN']);
    const refusal = await send(strict, { query: '{ products { totalCount } }' });
    expect(refusal.errors[0]?.extensions.layer).toBe('person');
    const helper = await server.agent(strict, read);
    expect(codes(await send(helper, { query: '{ products { totalCount } }' }))).toEqual(['FORBIDDEN']);
    expect(codes(await send(helper, { documentId: 'Products' }))).toEqual([]);
  });

  test('is set by an administrator, from the next operation on', async () => {
    const agent = await server.agent(person, read);
    expect(codes(await send(agent, { query: '{ products { totalCount } }' }, replica))).toEqual([]);
    const root = await server.token(company.root.id, undefined);
    await server.database.transaction(async (tx) => {
      await tx.query('INSERT INTO behalf_grantable_roles (user_id, role_id) VALUES (?, ?)', [
        company.root.id,
        agent.roleId,
      ]);
    });
    const update = (documents: string, version: number): Promise<Answer> =>
      company.ask(
        { token: root },
        `mutation { updateRole(id: "${agent.roleId}", expectedVersion: ${String(version)}, input: { documents: ${documents} }, idempotencyKey: "${key()}") { role { documents } } }`,
      );
    expect(at(await update('REGISTERED', 1), 'updateRole.role')).toEqual({ documents: 'REGISTERED' });
    expect(codes(await send(agent, { query: '{ products { totalCount } }' }, replica))).toEqual([
      'FORBIDDEN',
    ]);
    expect(at(await update('ANY', 2), 'updateRole.role')).toEqual({ documents: 'ANY' });
    expect(codes(await send(agent, { query: '{ products { totalCount } }' }, replica))).toEqual([]);
  });
});

describe('a role whose documents are logged', () => {
  test('runs any document, and the report shows what would be refused', async () => {
    const source = 'query Unknown { products { totalCount } }';
    const first = await send(watched, { query: source });
    expect(first.errors).toEqual([]);
    await send(watched, { query: source });
    await send(watched, { query: products });
    const { operation, outcome } = await recordOf(server.database, first);
    const role = (await roleNames(watched.roleId))[0] ?? '';
    expect(outcome).toBe('succeeded');
    expect(operation).toMatchObject({ name: 'Unknown', unregistered: { outcome: 'logged', roles: [role] } });

    const uses = await unregisteredUses(server.database.read, { role });
    expect(uses).toEqual([
      {
        ...{
          role,
          operationName: 'Unknown',
          hash: sha256Hex(source),
          ran: 2,
          refused: 0,
          registeredAs: null,
        },
        lastAt: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
    const later = new Date(server.clock.now() + 60_000).toISOString();
    expect(await unregisteredUses(server.database.read, { role, since: later })).toEqual([]);

    await registered('Unknown', source);
    expect(await unregisteredUses(server.database.read, { role })).toMatchObject([
      { registeredAs: 'Unknown' },
    ]);
    expect((await recordOf(server.database, await send(watched, { query: source }))).operation).toMatchObject(
      {
        registeredAs: 'Unknown',
      },
    );
    expect((await unregisteredUses(server.database.read, { role }))[0]?.ran).toBe(2);
  });

  test('and refusals are found among the records', async () => {
    const auditor = await server.person({
      scopes: ['audit:read'],
      boundary: { ...everywhere, person: 'all' },
    });
    const find = async (outcome: string) =>
      nodesAt(
        await company.ask(
          auditor,
          `{ auditRecords(filter: { unregistered: ${outcome} }, first: 100) { nodes { id unregistered operationName } } }`,
        ),
        'auditRecords',
      );
    const bodies = await recordsOf(server.database, 'graphql');
    for (const outcome of ['LOGGED', 'REFUSED']) {
      const found = await find(outcome);
      const expected = bodies.filter(
        ({ operation }) => operation?.unregistered?.outcome === outcome.toLowerCase(),
      );
      expect(found.length).toBeGreaterThan(0);
      expect(new Set(found.map((node) => node.id))).toEqual(
        new Set(expected.map((body) => body.operationId)),
      );
      expect(found.every((node) => node.unregistered === outcome)).toBe(true);
    }
  });
});

async function roleNames(id: string): Promise<string[]> {
  const found = await server.database.read.query('SELECT name FROM behalf_roles WHERE id = ?', [id]);
  return found.map((row) => String(row.name));
}
