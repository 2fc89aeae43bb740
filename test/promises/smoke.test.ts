import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { knowledge } from '../../src/domains/knowledge/index.js';
import { everywhere, TestServer } from '../support/server.js';

let server: TestServer;
beforeAll(async () => {
  const sdl = ['base', 'knowledge'].map((n) => readFileSync(`schema/${n}.graphql`, 'utf8')).join('\n');
  server = await TestServer.start({ sdl, domains: [knowledge] }, { BEHALF_LOG_LEVEL: 'error' });
});
afterAll(() => server.stop());

test('smoke', async () => {
  const p = await server.person({ scopes: ['documents:read', 'collections:read', 'documents:write'] });
  const a = await server.agent(p, { scopes: ['documents:read', 'documents:write', 'collections:read'] }, { scopes: ['documents:read'] });
  console.log(JSON.stringify((await server.query(p.token, '{ viewer { person { name } scopes agents { name } task { task operationsLeft } requestableScopes } }'))));
  console.log(JSON.stringify((await server.query(a.token, '{ viewer { person { name } scopes agents { name } task { task operationsLeft } requestableScopes boundaries { scope anyOf { dimensions { name all values } } } } }'))));
  console.log(JSON.stringify((await server.query(a.token, '{ documents { totalCount nodes { id title } } nope }'))));
  console.log(JSON.stringify((await server.query(a.token, '{ documents { totalCount nodes { id title } } }'))));
  console.log(JSON.stringify((await server.query(a.token, '{ collections { totalCount nodes { id name } } }'))));
  console.log(JSON.stringify((await server.query('x', '{ collections { totalCount nodes { id name } } }'))));
  console.log(JSON.stringify((await server.post(a.token, '{ bad'))));
  const rec = await server.database.read.query('select kind, outcome, error_code, row_count, body from audit_records order by id');
  for (const r of rec) console.log(r.kind, r.outcome, r.error_code, String(r.body).slice(0, 400));
});
