// databases: sqlite, mariadb
import { readFileSync } from 'node:fs';
import { countTokens } from 'gpt-tokenizer';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedRoles } from '../../src/admin/shipped-roles.js';
import { registerDocuments } from '../../src/admin/trusted-documents.js';
import { Company, rules } from '../support/administration.js';
import { mcpClient } from '../support/mcp.js';

let company: Company;
let tokens: { readonly mcp: string; readonly graphql: string };
beforeAll(async () => {
  company = await Company.start();
  const { server, root } = company;
  const person = await server.person({ scopes: [...server.app.scopes] });
  const { scopes } = shippedRoles.find(({ name }) => name === 'support-agent') ?? { scopes: [] };
  const agent = await server.agent(person, { scopes });
  tokens = {
    mcp: await server.token(person.id, agent.delegationId, scopes, '/mcp'),
    graphql: agent.token,
  };
  const documents = ['open-tickets', 'reply-to-ticket'].map((file) => {
    const source = readFileSync(`examples/operations/${file}.graphql`, 'utf8');
    return { name: /(?:query|mutation) (\w+)/.exec(source)?.[1] ?? '', source };
  });
  await company.do((unit) => registerDocuments(unit, rules, root.id, documents));
});
afterAll(() => company.server.stop());

test('the tools of a support agent take fewer than 3,000 tokens, far fewer than introspection', async () => {
  const client = await mcpClient(company.server.url, tokens.mcp);
  const { tools } = await client.listTools();
  await client.close();
  expect(tools.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['OpenTickets', 'ReplyToTicket', 'query']),
  );
  const introspection = await company.server.query(tokens.graphql, getIntrospectionQuery());
  expect(introspection.errors).toEqual([]);
  const [listed, whole] = [
    countTokens(JSON.stringify(tools)),
    countTokens(JSON.stringify(introspection.data)),
  ];
  expect(listed).toBeLessThan(3_000);
  expect(whole).toBeGreaterThan(10 * listed);
});
