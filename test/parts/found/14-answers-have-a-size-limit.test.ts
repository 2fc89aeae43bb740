// databases: sqlite, mariadb
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ticketMessages } from '../../../src/domains/business/tables.js';
import { BusinessRows } from '../../support/business.js';
import { recordOf } from '../../support/records.js';
import { everywhere, TestServer } from '../../support/server.js';

let server: TestServer;
let token: string;
let ticketId: string;

beforeAll(async () => {
  server = await TestServer.start({}, { BEHALF_ANSWER_BYTES_MAX: '10000' });
  const rows = new BusinessRows(server);
  for (let at = 0; at < 60; at += 1) {
    const customer = await rows.customer(`C-${String(at)}`, 'europe', { name: 'n'.repeat(200) });
    if (at === 0) ticketId = (await rows.ticket('T-1', customer)).id;
  }
  const scopes = ['customers:read', 'tickets:read', 'tickets:reply'];
  token = (await server.person({ scopes, boundary: everywhere })).token;
});
afterAll(() => server.stop());

describe('14 no answer is larger than its limit', () => {
  test.each([
    ['a page', '{ customers(first: 60) { nodes { name } } }'],
    ['the schema', getIntrospectionQuery()],
  ])('%s beyond it is refused whole, the first time and later, and recorded so', async (_, query) => {
    for (let time = 1; time <= 4; time += 1) {
      const answer = await server.query(token, query);
      expect(answer.status).toBe(400);
      expect(answer.data).toBeUndefined();
      expect(answer.errors.map(({ extensions }) => [extensions.code, extensions.limit])).toEqual([
        ['QUERY_TOO_COMPLEX', 'bytes'],
      ]);
      expect(await recordOf(server.database, answer)).toMatchObject({
        outcome: 'failed',
        errors: [{ code: 'QUERY_TOO_COMPLEX' }],
      });
    }
    const smaller = await server.query(token, '{ customers(first: 30) { nodes { name } } }');
    expect(smaller.errors).toEqual([]);
    expect(smaller.data.customers.nodes).toHaveLength(30);
  });

  test('a mutation with such an answer changes nothing', async () => {
    const body = 'b'.repeat(6_000);
    const reply = (key: string, selection: string): string =>
      `mutation { replyToTicket(ticketId: "${ticketId}", body: "${body}", idempotencyKey: "${key}") { ${selection} } }`;
    for (const key of ['a', 'b', 'c']) {
      const answer = await server.query(token, reply(key, 'message { a: body b: body }'));
      expect(answer.data).toBeNull();
      expect(answer.errors[0]?.extensions).toMatchObject({ code: 'QUERY_TOO_COMPLEX', limit: 'bytes' });
    }
    expect(await server.database.read.count(ticketMessages)).toBe(0);
    expect((await server.query(token, reply('a', 'message { body }'))).errors).toEqual([]);
    expect(await server.database.read.count(ticketMessages)).toBe(1);
  });
});
