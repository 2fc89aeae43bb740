// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { eq } from '../../src/store/sql/condition.js';
import { delegations, roles } from '../../src/store/tables/identity.js';
import { BusinessRows } from '../support/business.js';
import { postMessage } from '../support/mcp.js';
import { recordOf } from '../support/records.js';
import { TestServer, type AgentFixture, type PersonFixture } from '../support/server.js';

const role = [
  ...['customers:read', 'customers:read_contact', 'orders:read', 'invoices:read', 'products:read'],
  ...['tickets:read', 'tickets:reply', 'documents:read', 'collections:read', 'payments:read', 'refunds:read'],
];
/** The task lacks one scope of the role. */
const task = role.filter((scope) => scope !== 'payments:read');
let server: TestServer;
let person: PersonFixture;
let agent: AgentFixture;
let ticketId: string;
beforeAll(async () => {
  server = await TestServer.start();
  const rows = new BusinessRows(server);
  ticketId = (await rows.ticket('T-1', await rows.customer('C-1', 'europe'))).id;
  person = await server.person({ scopes: [...server.app.scopes] });
  agent = await server.agent(person, { scopes: role }, { scopes: task });
});
afterAll(() => server.stop());

interface Told {
  readonly status: number;
  readonly record: unknown;
  /** The scopes of the challenge. */
  readonly scopes: string | undefined;
  readonly body: {
    readonly error?: { readonly data: { readonly missingScopes: readonly string[] } };
    readonly result?: { readonly structuredContent: { readonly errors?: readonly object[] } };
  };
}

async function call(token: string, document: string, variables: object = {}): Promise<Told> {
  const name = document.startsWith('mutation') ? 'mutate' : 'query';
  const params = { name, arguments: { document, variables } };
  const answer = await postMessage(server.url, token, 'tools/call', params);
  const challenge = answer.headers.get('www-authenticate') ?? '';
  return {
    status: answer.status,
    scopes: /error="insufficient_scope".* scope="([^"]*)"/.exec(challenge)?.[1],
    record: await recordOf(server.database, answer),
    body: (await answer.json()) as Told['body'],
  };
}

const tokenOf = (scopes: readonly string[], of: AgentFixture = agent): Promise<string> =>
  server.token(person.id, of.delegationId, scopes, '/mcp');

const reply = (): string =>
  `mutation { replyToTicket(ticketId: "${ticketId}", body: "x", idempotencyKey: "${server.ids.next()}") { message { body } ticket { customer { name email } } } }`;

describe('a token of exactly the scopes that the challenge names is enough', () => {
  const filtered = 'query ($f: DocumentFilter) { documents(filter: $f) { nodes { title } } }';
  test.each<[string, () => string, object, string]>([
    [
      'fields below fields',
      () => '{ customers { nodes { name email invoices { totalCount } } } }',
      {},
      'customers:read customers:read_contact invoices:read',
    ],
    [
      'an input field that is written',
      () => '{ documents(filter: {collection: "hr"}) { nodes { title } } }',
      {},
      'collections:read documents:read',
    ],
    [
      'an input field in a variable',
      () => filtered,
      { f: { collection: 'hr' } },
      'collections:read documents:read',
    ],
    ['no input field in a variable', () => filtered, { f: {} }, 'documents:read'],
    [
      'an input field in the default of a variable',
      () => filtered.replace('DocumentFilter', 'DocumentFilter = {collection: "hr"}'),
      {},
      'collections:read documents:read',
    ],
    [
      'what @skip leaves out',
      () => 'query ($s: Boolean!) { customers { nodes { name email @skip(if: $s) } } }',
      { s: true },
      'customers:read',
    ],
    [
      'a change, of which the token has a scope',
      () => reply(),
      {},
      'customers:read customers:read_contact tickets:read tickets:reply',
    ],
  ])('%s', async (_name, documentOf, variables, scopes) => {
    const first = await call(await tokenOf(['tickets:reply']), documentOf(), variables);
    expect(first).toMatchObject({ status: 403, scopes, record: { outcome: 'refused', changes: [] } });
    const again = await call(await tokenOf(scopes.split(' ')), documentOf(), variables);
    expect(again).toMatchObject({ status: 200, record: { outcome: 'succeeded' } });
    expect(again.body.result?.structuredContent.errors).toBeUndefined();
  });

  test('and its error names those that are missing', async () => {
    const { body } = await call(await tokenOf(['tickets:reply', 'tickets:read']), reply());
    expect(body.error?.data.missingScopes).toEqual(['customers:read', 'customers:read_contact']);
  });

  test('of a person’s own token, whose change looks at scopes itself', async () => {
    const own = (scopes: readonly string[]) => server.token(person.id, undefined, scopes, '/mcp');
    const hand = `mutation { delegate(input: { agent: "${agent.name}", purpose: "p", task: "ticket:T-1", scopes: ["tickets:read"], boundary: [{ dimension: "person", values: [] }] }, idempotencyKey: "${server.ids.next()}") { delegation { id } } }`;
    const before = await server.database.read.select(delegations, eq('userId', person.id));
    const first = await call(await own(['delegations:create', 'delegations:read']), hand);
    expect(first).toMatchObject({ status: 403, scopes: 'delegations:create delegations:read tickets:read' });
    expect(await server.database.read.select(delegations, eq('userId', person.id))).toEqual(before);
    const again = await call(await own((first.scopes ?? '').split(' ')), hand);
    expect(again.body.result?.structuredContent.errors).toBeUndefined();
    expect(again).toMatchObject({ status: 200, record: { outcome: 'succeeded' } });
  });
});

test('the challenge names no scope that no token of this task could have', async () => {
  const document = 'query ($f: DocumentFilter) { documents(filter: $f) { nodes { title } } }';
  const narrow = await server.agent(person, { scopes: role }, { scopes: ['documents:read'] });
  const variables = { f: { collection: 'hr' } };
  const first = await call(await tokenOf([], narrow), document, variables);
  expect(first).toMatchObject({ status: 403, scopes: 'documents:read' });
  const again = await call(await tokenOf(['documents:read'], narrow), document, variables);
  expect(again.body.result?.structuredContent.errors).toMatchObject([
    { code: 'FORBIDDEN', layer: 'delegation', missingScopes: ['collections:read'] },
  ]);
});

test('the challenge of a new sign-in names what the token holds as well (RFC 9470)', async () => {
  const { id } = await server.person({ scopes: ['tickets:reply', 'customers:read'] });
  const roleId = await server.giveRole(id, { scopes: ['tickets:read'] });
  await server.database.transaction(async (tx) => {
    await tx.update(roles, eq('id', roleId), { signIn: 'passkey' });
    await bumpEpoch(tx);
  });
  const answer = await server.query(await server.token(id, undefined), reply().replace(' email', ''));
  expect(answer.status).toBe(401);
  expect(answer.headers.get('www-authenticate')).toMatch(
    /error="insufficient_user_authentication".* scope="customers:read tickets:read tickets:reply"/,
  );
  expect(answer.errors.map(({ extensions }) => extensions.missingScopes)).toContainEqual(['tickets:read']);
  expect(await recordOf(server.database, answer)).toMatchObject({ outcome: 'refused', changes: [] });
});
