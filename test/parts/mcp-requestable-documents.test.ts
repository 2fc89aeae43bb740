// databases: sqlite, mariadb
import type { Client } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { registerDocuments } from '../../src/admin/trusted-documents.js';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { eq } from '../../src/store/sql/condition.js';
import { roles } from '../../src/store/tables/identity.js';
import { Company, rules } from '../support/administration.js';
import { mcpClient } from '../support/mcp.js';
import type { PersonFixture } from '../support/server.js';

const role = [
  ...['customers:read', 'invoices:read', 'orders:read'],
  ...['refunds:read', 'tickets:read', 'tickets:reply'],
];
const documents = [
  { name: 'Customers', source: 'query Customers { customers(first: 2) { nodes { name } } }' },
  {
    name: 'Reply',
    source:
      'mutation Reply($ticketId: ID!, $key: String!) { replyToTicket(ticketId: $ticketId, body: "Good day", idempotencyKey: $key) { ticket { number } } }',
  },
  {
    name: 'OrdersAndRefunds',
    source:
      'query OrdersAndRefunds { orders(first: 2) { nodes { number } } refunds(first: 2) { nodes { id } } }',
  },
  // A part of it is usable.
  {
    name: 'CustomersOfOrders',
    source:
      'query CustomersOfOrders { customers(first: 2) { nodes { name orders(first: 1) { totalCount } } } }',
  },
  // Beyond the person.
  {
    name: 'OrdersAndInvoices',
    source: 'query OrdersAndInvoices { orders(first: 2) { nodes { number invoices { totalCount } } } }',
  },
  // Beyond the role.
  { name: 'Stock', source: 'query Stock { products(first: 2) { nodes { stock } } }' },
];

let company: Company;
let person: PersonFixture;
beforeAll(async () => {
  company = await Company.start();
  const { server, root } = company;
  person = await server.person({
    scopes: [...server.app.scopes].filter((scope) => scope !== 'invoices:read'),
  });
  await company.do((unit) => registerDocuments(unit, rules, root.id, documents));
});
afterAll(() => company.server.stop());

async function agentOf(
  policy: 'any' | 'registered',
  task: readonly string[],
): Promise<{ readonly client: Client; readonly roleId: string }> {
  const { server } = company;
  const { roleId, delegationId } = await server.agent(
    person,
    { scopes: role, documents: policy },
    { scopes: task },
  );
  const client = await mcpClient(server.url, await server.token(person.id, delegationId, task, '/mcp'));
  return { client, roleId };
}

async function sdlOf(client: Client, words: string): Promise<string> {
  const { structuredContent } = await client.callTool({ name: 'search_schema', arguments: { words } });
  return (structuredContent as { readonly sdl: string }).sdl;
}

const reply =
  '# Answers a ticket, or leaves a note on it. A closed ticket takes notes only. Requestable: needs `tickets:reply`, not held now.\nregistered mutation Reply($ticketId, $key)';

test.each(['registered', 'any'] as const)(
  'a search names the documents that only the task lacks, with the scopes to ask for, and no other (role with %s documents)',
  async (policy) => {
    const { client } = await agentOf(policy, ['customers:read', 'tickets:read']);
    const names = (await client.listTools()).tools.map(({ name }) => name);
    expect(names).toContain('Customers');
    expect(names).not.toContain('Reply');
    expect(names).toContain('CustomersOfOrders');
    expect(await sdlOf(client, 'reply')).toContain(reply);
    expect(await sdlOf(client, 'orders')).toContain(
      'Requestable: needs `orders:read`, `refunds:read`, not held now.\nregistered query OrdersAndRefunds()',
    );
    expect(await sdlOf(client, 'customers of orders')).toContain(
      'Requestable: parts of it need `orders:read`, not held now.\nregistered query CustomersOfOrders()',
    );
    const all = `${await sdlOf(client, '')}${await sdlOf(client, 'orders')}${await sdlOf(client, 'stock')}`;
    expect(all).toMatch(/\nregistered query Customers\(\)\n/);
    expect(all).not.toMatch(/OrdersAndInvoices|invoices:read|registered query Stock/);
    expect(all).not.toContain('Requestable: needs `customers:read`');
    await client.close();
  },
);

test('an approval that a document needs is told, beside the scopes to ask for', async () => {
  const { client, roleId } = await agentOf('registered', ['customers:read', 'refunds:read']);
  await company.server.database.transaction(async (tx) => {
    await tx.update(roles, eq('id', roleId), { approvalScopes: ['refunds:read'] });
    await bumpEpoch(tx);
  });
  expect(await sdlOf(client, 'orders refunds')).toContain(
    "Requestable: needs `orders:read`, not held now. Not usable: `refunds:read` needs a person's approval, which cannot be asked for yet.\nregistered query OrdersAndRefunds()",
  );
  await client.close();
});

test('a task that can use no document may still look for the ones to ask for, and run none', async () => {
  const { client } = await agentOf('registered', ['tickets:read']);
  const names = (await client.listTools()).tools.map(({ name }) => name);
  expect(names).toEqual(['ask_for_access', 'explain_refusal', 'search_schema', 'validate', 'whoami']);
  expect(await sdlOf(client, 'reply')).toBe(reply);
  const checked = await client.callTool({ name: 'validate', arguments: { documentId: 'Reply' } });
  expect(checked.structuredContent).toMatchObject({ refusals: [{ missingScopes: ['tickets:reply'] }] });
  const refused = client.callTool({ name: 'Reply', arguments: { ticketId: 'x', key: 'y' } });
  await expect(refused).rejects.toThrow('There is no tool "Reply" here.');
  await client.close();
});
