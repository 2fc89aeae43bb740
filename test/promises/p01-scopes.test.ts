import { buildClientSchema, getIntrospectionQuery, getNamedType, isInputObjectType, isObjectType, type GraphQLSchema, type IntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedRoles } from '../../src/admin/shipped-roles.js';
import { coordinatesOf, rolesTable, visibleTo, wholeSchema, type Coordinate } from '../support/coordinates.js';
import { argumentsOf, literalOf, operationAt, selectAll } from '../support/documents.js';
import { ShippedCallers, type Caller } from '../support/shipped-callers.js';
import type { Answer } from '../support/server.js';

const schema = wholeSchema();
const everything = coordinatesOf(schema);
const table = rolesTable();

let shipped: ShippedCallers;
const views = new Map<string, GraphQLSchema>();

beforeAll(async () => {
  shipped = await ShippedCallers.start();
  for (const caller of shipped.callers) {
    const { data } = await shipped.company.ask(caller, getIntrospectionQuery());
    views.set(caller.role, buildClientSchema(data as IntrospectionQuery));
  }
});
afterAll(() => shipped.stop());

const callerOf = (role: string): Caller => {
  const caller = shipped.callers.find((one) => one.role === role);
  if (caller === undefined) throw new Error(`no caller for ${role}`);
  return caller;
};
const viewOf = (role: string): GraphQLSchema => views.get(role) ?? schema;
const seenBy = (role: string): Set<string> => new Set(coordinatesOf(viewOf(role)).map((one) => one.text));
const ask = (role: string, query: string): Promise<Answer> => shipped.company.ask(callerOf(role), query);

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size));

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

test('the table of the docs names every shipped role and every scope of the schema', () => {
  expect([...table.keys()]).toEqual(shippedRoles.map((role) => role.name));
  const inUse = new Set(everything.flatMap((one) => (one.scope === undefined ? [] : [one.scope])));
  const listed = new Set([...table.values()].flatMap((scopes) => [...scopes]));
  expect(listed).toEqual(inUse);
});

describe.each(shippedRoles.map((role) => role.name))('%s', (role) => {
  const allowed = visibleTo(schema, table.get(role) ?? new Set());
  const hidden = everything.filter((one) => !allowed.has(one.text));
  const inside = (one: Coordinate): boolean => allowed.has(one.text);

  test('sees exactly the coordinates that the table gives it', () => {
    expect(allowed.size).toBeGreaterThan(20);
    expect([...seenBy(role)].sort()).toEqual([...allowed].sort());
  });

  test('can ask for every field inside, and none is refused', async () => {
    const view = viewOf(role);
    const found = new Set<string>();
    for (const field of Object.values(view.getQueryType()?.getFields() ?? {})) {
      const type = getNamedType(field.type);
      if (!isObjectType(type)) continue;
      const call = `${field.name}${argumentsOf('Query', field, shipped.values)}`;
      const { data, errors } = await ask(role, `{ __typename ${call} { ${selectAll(type, 5)} } }`);
      expect(errors, field.name).toEqual([]);
      answered(data, found);
    }
    const ofQueries = [...allowed].filter((text) => /^[A-Z]\w*\.\w+$/.test(text));
    console.log(role, ofQueries.filter((one) => !found.has(one)).join(' '));
  });
});
