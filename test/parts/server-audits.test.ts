// databases: sqlite, mariadb
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import { auditServer, type AuditResult } from 'graphql-http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestServer } from '../support/server.js';

/** How many checks the GraphQL over HTTP specification's own suite has, so that none is lost unseen. */
const auditCount = 61;

let server: TestServer;
let bare: ApolloServer;
/** By the check's id. */
let ours: Map<string, AuditResult>;
let theirs: Map<string, AuditResult>;

async function resultsAt(url: string, token?: string): Promise<Map<string, AuditResult>> {
  const fetchFn = (input: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
    return fetch(input, { ...init, headers });
  };
  const results = await auditServer({ url, fetchFn });
  return new Map(results.map((result) => [result.id, result]));
}

/** What did not pass, as a table to read. */
const remarks = (results: Iterable<AuditResult>): string[] =>
  [...results].flatMap((result) =>
    result.status === 'ok' ? [] : [`${result.id} ${result.status}: ${result.name}: ${result.reason}`],
  );

beforeAll(async () => {
  server = await TestServer.start();
  const person = await server.person({ scopes: ['customers:read'] });
  bare = new ApolloServer({ typeDefs: 'type Query { hello: String }' });
  const { url } = await startStandaloneServer(bare, { listen: { host: '127.0.0.1', port: 0 } });
  theirs = await resultsAt(url);
  ours = await resultsAt(`${server.url}/graphql`, person.token);
});
afterAll(async () => {
  await bare.stop();
  await server.stop();
});

test('every check of GraphQL over HTTP is made, here and against a bare Apollo Server', () => {
  expect([ours.size, theirs.size]).toEqual([auditCount, auditCount]);
});

test('none is an error', () => {
  expect(remarks(ours.values()).filter((remark) => remark.includes(' error: '))).toEqual([]);
});

test('none has more to remark than there', () => {
  expect(remarks(theirs.values()).length).toBeLessThan(10);
  const grades = ['ok', 'notice', 'warn', 'error'];
  const gradeOf = (result: AuditResult | undefined): number => grades.indexOf(result?.status ?? 'ok');
  const worse = [...ours.values()].filter((result) => gradeOf(result) > gradeOf(theirs.get(result.id)));
  expect(remarks(worse)).toEqual([]);
});
