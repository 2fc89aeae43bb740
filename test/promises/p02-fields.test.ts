// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSdl } from '../../src/graphql/schema/sdl.js';
import { addRegions, inRegions, regions } from '../support/regions.js';
import { TestServer, type PersonFixture } from '../support/server.js';

let server: TestServer;
/** Reads customers and tickets everywhere, and contact data in two regions. */
let person: PersonFixture;

beforeAll(async () => {
  server = await TestServer.start();
  await addRegions(server);
  person = await server.person({ scopes: ['customers:read', 'tickets:read'] });
  await server.giveRole(person.id, {
    scopes: ['customers:read_contact'],
    boundary: inRegions('europe', 'asia'),
  });
});
afterAll(() => server.stop());

test('a field whose scope has a narrower boundary is null with FORBIDDEN on rows outside it, on every path', async () => {
  const { data, errors } = await server.query(
    person.token,
    '{ customers { nodes { region email } } tickets(orderBy: { number: ASC }) { nodes { customer { email } } } }',
  );
  const emails = [null, null, 'c-asia@example.com', 'c-europe@example.com'];
  expect(data.customers.nodes).toEqual(regions.map((region, at) => ({ region, email: emails[at] })));
  expect(data.tickets.nodes).toEqual(emails.map((email) => ({ customer: { email } })));
  expect(errors.map((error) => error.path?.join('.')).sort()).toEqual([
    'customers.nodes.0.email',
    'customers.nodes.1.email',
    'tickets.nodes.0.customer.email',
    'tickets.nodes.1.customer.email',
  ]);
  for (const { message, extensions } of errors) {
    expect(message).toBe('customers:read_contact does not reach this record.');
    expect(extensions).toMatchObject({
      code: 'FORBIDDEN',
      missingScopes: ['customers:read_contact'],
      layer: 'person',
    });
  }
});

test('a field whose scope has a narrower boundary leaves rows outside it out where it filters, and does not count them', async () => {
  const email = (region: string): string =>
    `${region}: customers(filter: { email: "c-${region}@example.com" }) { totalCount nodes { region } }`;
  const { data, errors } = await server.query(person.token, `{ ${regions.map(email).join(' ')} }`);
  expect(errors).toEqual([]);
  const none = { totalCount: 0, nodes: [] };
  expect(data).toEqual({
    ...{ africa: none, america: none },
    asia: { totalCount: 1, nodes: [{ region: 'asia' }] },
    europe: { totalCount: 1, nodes: [{ region: 'europe' }] },
  });
});

test('a field whose scope has a narrower boundary leaves rows outside it out where it sorts', async () => {
  // No sorting that ships has another scope than its type, so here the country gets one.
  const sdl = readSdl()
    .replace(
      'country: String! @scope(name: "customers:read")',
      'country: String @scope(name: "customers:read_contact")',
    )
    .replaceAll(
      '@scope(name: "customers:read", of: "Customer.country")',
      '@scope(name: "customers:read_contact", of: "Customer.country")',
    );
  const other = await TestServer.start({ sdl });
  await addRegions(other);
  const reader = await other.person({ scopes: ['customers:read'] });
  await other.giveRole(reader.id, {
    scopes: ['customers:read_contact'],
    boundary: inRegions('europe', 'asia'),
  });
  const { data, errors } = await other.query(
    reader.token,
    `{ sorted: customers(orderBy: { country: ASC }) { totalCount nodes { region } }
       customers(orderBy: { region: DESC }) { totalCount nodes { region } } }`,
  );
  await other.stop();
  expect(errors).toEqual([]);
  expect(data.sorted).toEqual({ totalCount: 2, nodes: [{ region: 'asia' }, { region: 'europe' }] });
  expect(data.customers.totalCount).toBe(4);
});
