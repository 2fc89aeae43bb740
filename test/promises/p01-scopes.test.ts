// databases: sqlite, mariadb
import {
  buildClientSchema,
  getIntrospectionQuery,
  getNamedType,
  isObjectType,
  type GraphQLSchema,
  type IntrospectionQuery,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedRoles } from '../../src/admin/shipped-roles.js';
import { coordinatesOf, rolesTable, visibleTo, wholeSchema } from '../support/coordinates.js';
import {
  argumentsOf,
  operationAt,
  operationsOf,
  selectAll,
  usesOfInputs,
  type Use,
} from '../support/documents.js';
import { ShippedCallers } from '../support/shipped-callers.js';
import type { Answer } from '../support/server.js';

/** How many errors the answer to one document tells. */
const errorsMax = 20;
const schema = wholeSchema();
const everything = coordinatesOf(schema);
const table = rolesTable();

let shipped: ShippedCallers;
/** Each caller's own schema, as its introspection tells it. */
const views = new Map<string, GraphQLSchema>();

beforeAll(async () => {
  shipped = await ShippedCallers.start();
  for (const { role } of shipped.callers) {
    const { data } = await ask(role, getIntrospectionQuery());
    views.set(role, buildClientSchema(data as IntrospectionQuery));
  }
});
afterAll(() => shipped.stop());

const viewOf = (role: string): GraphQLSchema => views.get(role) ?? schema;

function ask(role: string, query: string): Promise<Answer> {
  const caller = shipped.callers.find((one) => one.role === role);
  if (caller === undefined) throw new Error(`no caller for ${role}`);
  return shipped.company.ask(caller, query);
}

/** `Type.field` of every field that an answer holds. */
function answered(value: unknown, into: Set<string>): Set<string> {
  if (Array.isArray(value)) for (const item of value) answered(item, into);
  else if (value !== null && typeof value === 'object') {
    const { __typename: type } = value as { __typename?: string };
    for (const [name, inner] of Object.entries(value)) {
      if (name !== '__typename') into.add(`${type ?? ''}.${name}`);
      answered(inner, into);
    }
  }
  return into;
}

/** What a role does not reach by queries: what only mutations give, and what its holder has no row of. */
const elsewhere: Readonly<Record<'agent' | 'person', RegExp>> = {
  agent: /^(Mutation|\w+Payload|CompletedTask)\./,
  person:
    /^(Mutation|\w+Payload|CompletedTask|ViewerAgent|ViewerTask|AuditChange|AuditMcp|EndedDelegation|BackchannelRequest|BackchannelRequestEdge)\./,
};

test('the table in docs/roles.md names every shipped role and every scope of the schema', () => {
  expect([...table.keys()]).toEqual(shippedRoles.map((role) => role.name));
  const inUse = new Set(everything.flatMap((one) => (one.scope === undefined ? [] : [one.scope])));
  expect(new Set([...table.values()].flatMap((scopes) => [...scopes]))).toEqual(inUse);
  for (const role of shippedRoles) {
    expect(table.get(role.name), role.name).toEqual(new Set([...role.scopes, 'session:read']));
  }
});

describe.each(shippedRoles)('$name', ({ name: role, holder }) => {
  const allowed = visibleTo(schema, table.get(role) ?? new Set());
  const hidden = everything.filter((one) => !allowed.has(one.text));

  test('has exactly the coordinates that the table gives it', () => {
    const seen = coordinatesOf(viewOf(role)).map((one) => one.text);
    expect(allowed.size).toBeGreaterThan(20);
    expect(seen.sort()).toEqual([...allowed].sort());
  });

  test('reads every field inside its ceiling, and none is refused', async () => {
    const found = new Set<string>();
    for (const field of Object.values(viewOf(role).getQueryType()?.getFields() ?? {})) {
      const type = getNamedType(field.type);
      const call = `${field.name}${argumentsOf('Query', field, shipped.values)}`;
      const selection = isObjectType(type) ? `{ ${selectAll(type, 5)} }` : '';
      const { data, errors } = await ask(role, `{ __typename ${call} ${selection} }`);
      expect(errors, field.name).toEqual([]);
      answered(data, found);
    }
    const fields = everything.filter((one) => one.kind === 'field' && allowed.has(one.text));
    const missed = fields.filter((one) => !found.has(one.text) && !elsewhere[holder].test(one.text));
    expect(missed.map((one) => one.text)).toEqual([]);
  });

  test('filters, sorts and selects by every input inside its ceiling', async () => {
    for (const operation of operationsOf(viewOf(role), usesOfInputs(viewOf(role)))) {
      const { data, errors } = await ask(role, operation);
      expect(errors, operation).toEqual([]);
      expect(data).toBeTruthy();
    }
  });

  test('is authorized for every mutation inside its ceiling, each with its whole payload', async () => {
    for (const field of Object.values(viewOf(role).getMutationType()?.getFields() ?? {})) {
      const type = getNamedType(field.type);
      if (!isObjectType(type)) continue;
      const call = `${field.name}${argumentsOf('Mutation', field)} { ${selectAll(type, 2)} }`;
      const { data, errors } = await ask(role, `mutation { ${call} }`);
      // The empty idempotencyKey is refused by the work itself, so everything before it was allowed.
      const isTaskless = field.name === 'completeTask' && holder === 'person';
      const refusal = isTaskless ? { code: 'NOT_FOUND' } : { code: 'BAD_USER_INPUT', path: 'idempotencyKey' };
      const told = errors.map((error) => error.extensions);
      expect(told, field.name).toMatchObject([refusal]);
      expect(data).toBeNull();
    }
  });

  test('finds no field, argument, input or type outside its ceiling', async () => {
    const view = viewOf(role);
    const types = new Set(Object.keys(view.getTypeMap()));
    const refused = async (operation: string, messages: readonly string[]): Promise<void> => {
      const { status, data, errors } = await ask(role, operation);
      expect(status).toBe(400);
      expect(data).toBeUndefined();
      const told = errors.map((error) => error.message.replace(/ Did you mean .*$/, ''));
      expect(told.sort(), operation).toEqual([...messages].sort());
      for (const error of errors) expect(error.extensions.code).toBe('BAD_USER_INPUT');
    };
    for (const type of types) {
      const fields = hidden.filter((one) => one.kind === 'field' && one.type === type);
      for (let at = 0; at < fields.length; at += errorsMax) {
        const some = fields.slice(at, at + errorsMax);
        await refused(
          operationAt(view, type, some.map((one) => one.member).join(' ')),
          some.map((one) => `Cannot query field "${one.member}" on type "${type}".`),
        );
      }
    }
    const gone = [...new Set(hidden.map((one) => one.type))].filter((type) => !types.has(type));
    // An unknown type of a variable that nothing uses is two errors.
    for (let at = 0; at < gone.length; at += errorsMax / 2) {
      const some = gone.slice(at, at + errorsMax / 2);
      const inputs = some.filter((type) => !isObjectType(schema.getType(type)));
      const objects = some.filter((type) => isObjectType(schema.getType(type)));
      const variables = inputs.map((type, index) => `$v${String(index)}: ${type}`).join(', ');
      const spreads = objects.map((type) => `... on ${type} { __typename }`).join(' ');
      const told = [
        ...some.map((type) => `Unknown type "${type}".`),
        ...inputs.map((_, index) => `Variable "$v${String(index)}" is never used.`),
      ];
      await refused(
        `query ${variables === '' ? '' : `(${variables})`} { viewer { __typename ${spreads} } }`,
        told,
      );
    }
  });

  test('finds no argument and no input field that belongs to a hidden field', async () => {
    const view = viewOf(role);
    const shown = new Set(usesOfInputs(view).map((use) => `${use.owner} ${use.selection}`));
    const visibleOwner = (use: Use): boolean =>
      view.getType(use.owner) !== undefined &&
      allowed.has(`${use.owner}.${/^\w+/.exec(use.selection)?.[0] ?? ''}`);
    const outside = usesOfInputs(schema).filter(
      (use) => visibleOwner(use) && !shown.has(`${use.owner} ${use.selection}`),
    );
    for (const use of outside) {
      const { status, errors } = await ask(role, operationAt(view, use.owner, use.selection));
      expect(status, use.selection).toBe(400);
      expect(errors.map((error) => error.extensions.code)).toEqual(['BAD_USER_INPUT']);
      expect(errors[0]?.message).toMatch(
        /^(Unknown argument "\w+" on field|Field "\w+" is not defined by type)/,
      );
    }
  });
});
