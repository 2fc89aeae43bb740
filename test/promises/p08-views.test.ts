// databases: sqlite, mariadb
import fc from 'fast-check';
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  getNamedType,
  isObjectType,
  printSchema,
  type GraphQLSchema,
  type IntrospectionQuery,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readSchemaPolicy } from '../../src/graphql/schema/schema-policy.js';
import { agentRoles, delegations } from '../../src/store/tables/identity.js';
import { coordinatesOf, visibleTo } from '../support/coordinates.js';
import { idsOf, loadBusiness, loadDocuments, smallBusiness } from '../support/demo-rows.js';
import { argumentsOf, operationsOf, selectAll, usesOfInputs, type Values } from '../support/documents.js';
import { recordOf } from '../support/records.js';
import { scopedSdl } from '../support/scoped-sdl.js';
import { everywhere, TestServer, type Answer, type PersonFixture } from '../support/server.js';
import { sdlOf } from '../support/without-hidden.js';

const whole = buildSchema(scopedSdl);
const { definitions } = readSchemaPolicy(whole);
const allScopes = [...definitions.keys()];
const isForAgents = (scope: string): boolean => definitions.get(scope)?.peopleOnly !== true;
/** Rows with a value that a view may not have are outside. */
const boundary = { ...everywhere, classification: ['public', 'internal', 'confidential'] };

let server: TestServer;
let everyone: PersonFixture;
let values: Values;

beforeAll(async () => {
  server = await TestServer.start({ sdl: scopedSdl });
  const data = smallBusiness(1);
  await loadBusiness(server.database, data);
  await loadDocuments(server.database, server.ids);
  values = { ...idsOf(data), 'Query.collection(key:)': 'guides', 'Query.search(query:)': 'coffee' };
  everyone = await server.person({ scopes: allScopes, boundary });
});
afterAll(() => server.stop());

/** What a caller's own introspection tells. */
async function introspect(token: string): Promise<GraphQLSchema> {
  const { data, errors } = await server.query(
    token,
    getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true }),
  );
  expect(errors).toEqual([]);
  return buildClientSchema(data as IntrospectionQuery);
}

const isMarked = (described: { readonly description?: string | null } | undefined): boolean =>
  /^(Requestable|Not usable): /m.test(described?.description ?? '');

/** The coordinates that a schema lists without a mark on them, or on what they are part of. */
function usableIn(view: GraphQLSchema): string[] {
  return coordinatesOf(view).flatMap((one) => {
    const type = view.getType(one.type);
    if (type === undefined || isMarked(type)) return [];
    if (isObjectType(type)) {
      const field = type.getFields()[one.member];
      const arg = field?.args.find(({ name }) => name === one.argument);
      return isMarked(field) || isMarked(arg) ? [] : [one.text];
    }
    const members = 'getFields' in type ? type.getFields() : {};
    const value = 'getValue' in type ? type.getValue(one.member) : undefined;
    return isMarked(members[one.member]) || isMarked(value ?? undefined) ? [] : [one.text];
  });
}

/** Uses everything that a schema has, a few at a time. */
function* usesOf(usable: GraphQLSchema): Generator<string> {
  for (const [root, keyword] of [
    ['Query', 'query'],
    ['Mutation', 'mutation'],
  ] as const) {
    const type = usable.getType(root);
    for (const field of isObjectType(type) ? Object.values(type.getFields()) : []) {
      const named = getNamedType(field.type);
      const selection = isObjectType(named) ? `{ ${selectAll(named, root === 'Query' ? 4 : 2)} }` : '';
      yield `${keyword} { ${field.name}${argumentsOf(root, field, values)} ${selection} }`;
    }
  }
  yield* operationsOf(usable, usesOfInputs(usable));
}

/** A mutation's empty key is refused by its own work, so everything before it was allowed. */
const isRefusedByItsWork = (operation: string, { errors }: Answer): boolean =>
  operation.startsWith('mutation') &&
  errors.every(({ extensions: { code, path } }) => path === 'idempotencyKey' || code === 'NOT_FOUND');

interface Case {
  readonly token: string;
  readonly ceiling: ReadonlySet<string>;
  readonly held: ReadonlySet<string>;
}

interface Drawn {
  readonly isAgent: boolean;
  readonly role: readonly string[];
  readonly task: readonly string[];
  readonly asked: readonly string[];
}

/** An agent with a role, a task of it and a token for part of that; or a person with a role and such a token. */
async function callerOf({ isAgent, role, task, asked }: Drawn): Promise<Case> {
  const both = (a: readonly string[], b: readonly string[]): string[] => a.filter((one) => b.includes(one));
  if (!isAgent) {
    const person = await server.person({ scopes: role, boundary });
    const token = await server.token(person.id, undefined, asked);
    return { token, ceiling: new Set(role), held: new Set(both(role, asked)) };
  }
  const delegated = both(role, task);
  const agent = await server.agent(everyone, { scopes: role, boundary }, { scopes: delegated });
  const token = await server.token(everyone.id, agent.delegationId, asked);
  const ceiling = role.filter(isForAgents);
  return { token, ceiling: new Set(ceiling), held: new Set(both(both(ceiling, delegated), asked)) };
}

const mostScopes = fc
  .subarray(allScopes, { maxLength: 12 })
  .map((without) => allScopes.filter((scope) => !without.includes(scope)));
const drawn: fc.Arbitrary<Drawn> = fc.record({
  isAgent: fc.boolean(),
  role: fc.oneof(fc.subarray(allScopes), mostScopes),
  task: mostScopes,
  asked: mostScopes,
});

test('introspection lists what the roles can reach and nothing else, and what it lists as usable is usable', async () => {
  let operations = 0;
  await fc.assert(
    fc.asyncProperty(drawn, async (one) => {
      const { token, ceiling, held } = await callerOf(one);
      const view = await introspect(token);
      expect(
        coordinatesOf(view)
          .map(({ text }) => text)
          .sort(),
      ).toEqual([...visibleTo(whole, ceiling)].sort());
      const usable = new Set(usableIn(view));
      expect([...usable].sort()).toEqual([...visibleTo(whole, held)].sort());
      for (const operation of usesOf(buildSchema(sdlOf(scopedSdl, usable)))) {
        const answer = await server.query(token, operation);
        operations += 1;
        if (!isRefusedByItsWork(operation, answer)) expect(answer.errors, operation).toEqual([]);
        expect(answer.status, operation).toBe(200);
      }
    }),
    { numRuns: 12, endOnFailure: true },
  );
  expect(operations).toBeGreaterThan(100);
}, 120_000);

describe('what a task lacks', () => {
  const role = {
    scopes: ['customers:read', 'customers:read_contact', 'orders:read', 'products:read'],
    boundary,
  };
  const told = (view: GraphQLSchema, type: string, field: string): string => {
    const owner = view.getType(type);
    return (isObjectType(owner) ? owner.getFields()[field]?.description : undefined) ?? '';
  };

  test('stays visible, says which scope it needs, and is refused for that scope', async () => {
    const agent = await server.agent(everyone, role, { scopes: ['customers:read'], boundary });
    const view = await introspect(agent.token);
    expect(told(view, 'Query', 'orders')).toMatch(/.\nRequestable: needs `orders:read`, not held now\.$/);
    expect(told(view, 'Customer', 'email')).toContain('needs `customers:read_contact`');
    expect(told(view, 'Query', 'customers')).not.toContain('Requestable');
    expect(view.getType('Order')?.description).toContain('Requestable: only with scopes not held now.');
    expect(view.getType('Invoice')).toBeUndefined();
    const { errors } = await server.query(agent.token, '{ orders { totalCount } }');
    expect(errors.map(({ extensions }) => extensions.missingScopes)).toEqual([['orders:read']]);
  });

  test('stays visible without the name of its scope, where the person lacks it too', async () => {
    const person = await server.person({ scopes: ['customers:read', 'orders:read'], boundary });
    const agent = await server.agent(person, role, { scopes: ['customers:read'], boundary });
    const view = await introspect(agent.token);
    const lacked = /^Not usable: the person for whom you act does not hold what this needs\.$/m;
    expect(told(view, 'Query', 'products')).toMatch(lacked);
    expect(view.getType('Product')?.description).toMatch(lacked);
    expect(told(view, 'Query', 'orders')).toContain('Requestable: needs `orders:read`');
    expect(view.getType('Order')?.description).toContain('Requestable: only with scopes not held now.');
    expect(printSchema(view)).not.toMatch(/products:read|customers:read_contact/);
    const { data } = await server.query(agent.token, '{ viewer { requestableScopes } }');
    expect(data).toEqual({ viewer: { requestableScopes: ['orders:read'] } });
  });

  test('is told by what is held now, for each token of one view', async () => {
    const agent = await server.agent(everyone, role);
    const one = await server.token(everyone.id, agent.delegationId, ['customers:read']);
    const other = await server.token(everyone.id, agent.delegationId, ['orders:read']);
    const [all, customers, orders] = [
      await introspect(agent.token),
      await introspect(one),
      await introspect(other),
    ];
    expect(coordinatesOf(all)).toEqual(coordinatesOf(customers));
    expect(usableIn(all)).toEqual(coordinatesOf(all).map(({ text }) => text));
    expect(usableIn(customers)).toContain('Query.customers');
    expect(usableIn(customers)).not.toContain('Query.orders');
    expect(usableIn(orders)).toContain('Query.orders');
    expect(usableIn(orders)).not.toContain('Query.customers');
  });

  test('changes nothing of what is answered beside introspection', async () => {
    const agent = await server.agent(everyone, role, { scopes: ['customers:read'], boundary });
    const asked = '__typename customers { nodes { __typename id email } } orders { totalCount }';
    const answers = await Promise.all([
      server.query(agent.token, `query Q { ${asked} }`),
      server.query(
        agent.token,
        `query Q { ${asked} ...I } fragment I on Query { __type(name: "Order") { name } }`,
      ),
    ]);
    const [plain, beside] = answers.map(({ status, data, errors }) => {
      const { __type: _, ...rest } = data as Record<string, unknown>;
      const codes = errors.map(({ message, path, extensions: { operationId: _id, ...kept } }) => [
        message,
        path,
        kept,
      ]);
      return { status, data: rest, errors: codes };
    });
    expect(plain?.errors.length).toBeGreaterThan(1);
    expect(beside).toEqual(plain);
  });
});

describe('GET /graphql/schema.graphql', () => {
  const read = (token: string | undefined, method = 'GET'): Promise<Response> =>
    fetch(`${server.url}/graphql/schema.graphql`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });

  test('is refused with the scopes that the person could hand over, and no other', async () => {
    const person = await server.person({ scopes: ['customers:read'] });
    const agent = await server.agent(person, { scopes: ['customers:read', 'orders:read'] }, { scopes: [] });
    const response = await read(agent.token);
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toContain('scope="customers:read"');
    expect(await response.text()).not.toContain('orders:read');
    const none = await server.agent(person, { scopes: ['orders:read'] }, { scopes: [] });
    const refused = await read(none.token);
    expect(refused.status).toBe(403);
    expect(await refused.text()).not.toContain('orders:read');
  });

  test('is what the caller’s introspection tells, as SDL, and is recorded', async () => {
    const scopes = ['customers:read', 'orders:read'];
    const agent = await server.agent(everyone, { scopes }, { scopes: ['orders:read'] });
    const response = await read(agent.token);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const sdl = await response.text();
    const view = await introspect(agent.token);
    expect(
      coordinatesOf(buildSchema(sdl))
        .map(({ text }) => text)
        .sort(),
    ).toEqual([...visibleTo(whole, new Set(scopes))].sort());
    expect(usableIn(buildSchema(sdl)).sort()).toEqual(usableIn(view).sort());
    expect(sdl).not.toContain('@scope');
    const record = await recordOf(server.database, response);
    expect(record).toMatchObject({
      kind: 'graphql',
      outcome: 'succeeded',
      operation: { name: 'schema.graphql', type: 'query' },
      delegation: { id: agent.delegationId },
      errors: [],
    });
    const spent = await server.database.read.byId(delegations, agent.delegationId);
    expect(spent?.operationsUsed).toBe(2);
  });

  test('is for nobody without a live authority', async () => {
    const agent = await server.agent(everyone, { scopes: ['customers:read'] });
    await server.endDelegation(agent.delegationId);
    for (const token of [undefined, 'unknown', agent.token]) {
      const response = await read(token);
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('resource_metadata=');
      expect(await response.text()).not.toContain('type Query');
    }
  });

  test.each(['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('is not for %s', async (method) => {
    const response = await read(everyone.token, method);
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET');
    expect(await response.text()).not.toContain('type Query');
    const record = await recordOf(server.database, response);
    expect(record).toMatchObject({ outcome: 'failed', errors: [{ code: 'BAD_USER_INPUT' }] });
    expect((await read(undefined, method)).status).toBe(401);
  });

  test('does not leave without its record', async () => {
    const agent = await server.agent(everyone, { scopes: ['customers:read'] });
    const run = (sql: string) => server.database.transaction((tx) => tx.query(sql));
    await run('ALTER TABLE behalf_audit_records RENAME TO audit_lost');
    const response = await read(agent.token).finally(() =>
      run('ALTER TABLE audit_lost RENAME TO behalf_audit_records'),
    );
    expect(response.status).toBe(503);
    const text = await response.text();
    expect(text).toContain('AUDIT_UNAVAILABLE');
    expect(text).not.toContain('type Query');
    const spent = await server.database.read.byId(delegations, agent.delegationId);
    expect(spent?.operationsUsed).toBe(0);
  });
});

describe('Query.schema', () => {
  const query = 'query ($agent: ID!) { schema(agent: $agent) }';
  const scopes = ['customers:read', 'customers:read_contact', 'audit:read'];

  test('shows an administrator the view of an agent, with the scope of each part of it', async () => {
    const admin = await server.person({ scopes: ['agents:read', 'roles:read'] });
    const agent = await server.agent(everyone, { scopes });
    const { data, errors } = await server.query(admin.token, query, { agent: agent.id });
    expect(errors).toEqual([]);
    const view = buildSchema(String(data.schema));
    const reached = visibleTo(whole, new Set(scopes.filter(isForAgents)));
    expect(
      coordinatesOf(view)
        .map(({ text }) => text)
        .sort(),
    ).toEqual([...reached].sort());
    expect(usableIn(view).sort()).toEqual([...visibleTo(whole, new Set())].sort());
    expect(data.schema).toContain('needs `customers:read_contact`');
    expect(data.schema).not.toContain('audit:read');
    const record = await recordOf(server.database, {
      headers: (await server.query(admin.token, query, { agent: agent.id })).headers,
    });
    expect(record.resources.map(({ type }) => type).sort()).toEqual(['Agent', 'Role']);
  });

  test('counts every role that the agent holds, however many', async () => {
    const admin = await server.person({ scopes: ['agents:read', 'roles:read'] });
    const agent = await server.agent(everyone, { scopes: [] });
    const more = ['invoices:read', ...Array.from({ length: 45 }, () => 'customers:read'), 'tickets:read'];
    for (const scope of more) {
      const roleId = await server.role('agent', { scopes: [scope] });
      const row = { agentId: agent.id, roleId, grantedBy: null, grantedAt: '2026-01-01T00:00:00.000Z' };
      await server.database.transaction((tx) => tx.insert(agentRoles, [row]));
    }
    const { data } = await server.query(admin.token, query, { agent: agent.id });
    const seen = coordinatesOf(buildSchema(String(data.schema))).map(({ text }) => text);
    expect(seen.sort()).toEqual([...visibleTo(whole, new Set(more))].sort());
  });

  test('is null for an agent that is not there or cannot be read, and does not exist for agents', async () => {
    const admin = await server.person({ scopes: ['agents:read', 'roles:read'] });
    const blind = await server.person({ scopes: ['roles:read'] });
    const agent = await server.agent(everyone, { scopes: allScopes });
    for (const [token, id] of [
      [admin.token, server.ids.next()],
      [admin.token, 'x'],
      [blind.token, agent.id],
    ] as const) {
      const { data, errors } = await server.query(token, query, { agent: id });
      expect([data, errors]).toEqual([{ schema: null }, []]);
    }
    const { errors } = await server.query(agent.token, query, { agent: agent.id });
    expect(errors.map(({ message }) => message)).toEqual(['Cannot query field "schema" on type "Query".']);
  });

  test('is refused where its scope is not held now', async () => {
    const admin = await server.person({ scopes: ['agents:read', 'roles:read'] });
    const agent = await server.agent(everyone, { scopes });
    const token = await server.token(admin.id, undefined, ['agents:read']);
    const { data, errors } = await server.query(token, query, { agent: agent.id });
    expect(data).toEqual({ schema: null });
    expect(errors.map(({ extensions }) => [extensions.code, extensions.missingScopes])).toEqual([
      ['FORBIDDEN', ['roles:read']],
    ]);
  });
});
