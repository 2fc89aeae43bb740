// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bumpEpoch } from '../../src/delegation/authority-epoch.js';
import { guardedPaths } from '../../src/core/guarded-paths.js';
import { parsePayload } from '../../src/oauth/library/payload-adapter.js';
import { all, eq } from '../../src/store/sql/condition.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../src/store/tables/identity.js';
import { browserOf } from '../support/account.js';
import type { Employee } from '../support/administration.js';
import { Office } from '../support/office.js';
import { recordOf, recordsOf } from '../support/records.js';

let office: Office;
let rosa: Employee;
let token: string;
let delegationId: string;

beforeAll(async () => {
  office = await Office.start({}, { BEHALF_EXPLORER: 'true' });
  rosa = await office.company.employee('rosa', 'support-rep');
  const helper = await office.agent('helper', rosa, 'support-agent');
  delegationId = await office.delegate(rosa, {
    agent: 'helper',
    purpose: 'Answer the ticket',
    scopes: ['tickets:read', 'customers:read'],
  });
  token = await office.tokenOf(helper, delegationId);
});
afterAll(() => office.server.stop());

const at = (path: string): string => `${office.server.url}${path}`;
const graphql = (): string => `${office.server.publicUrl}/graphql`;

/** Gives all stored access tokens of Rosa another audience; without one, none. */
async function readdress(audience?: unknown): Promise<void> {
  const { database } = office.server;
  const theirs = all<OAuthPayloadRow>(eq('model', 'AccessToken'), eq('accountId', rosa.id));
  for (const row of await database.read.select(oauthPayloads, theirs)) {
    const payload = JSON.stringify({ ...parsePayload(row.payload), aud: audience });
    const one = all<OAuthPayloadRow>(eq('model', 'AccessToken'), eq('id', row.id));
    await database.transaction((tx) => tx.update(oauthPayloads, one, { payload }));
  }
  await database.transaction((tx) => bumpEpoch(tx));
}

const others = (): readonly unknown[] => [
  `${office.server.publicUrl}/mcp`,
  `${graphql()}/`,
  graphql().toUpperCase(),
  `${graphql()}?a=b`,
  'https://evil.example/graphql',
  [graphql(), 'https://evil.example/graphql'],
  '',
  undefined,
];

describe('a token of another resource counts for nothing', () => {
  test('at the paths of programs, with a challenge and a record of its task', async () => {
    const asked = { method: 'POST', body: '{"query":"{ viewer { scopes } }"}' };
    const requests: [string, RequestInit][] = [
      ['/graphql', asked],
      ['/graphql/schema.graphql', {}],
    ];
    for (const audience of others()) {
      await readdress(audience);
      for (const [path, init] of requests) {
        const known = (await recordsOf(office.server.database, 'rejected')).length;
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
        const answer = await fetch(at(path), { ...init, headers });
        expect([path, audience, answer.status]).toEqual([path, audience, 401]);
        expect(answer.headers.get('www-authenticate')).toBe(
          `Bearer error="invalid_token", error_description="The access token is for another resource. Get one for ${graphql()}.", ` +
            `resource_metadata="${office.server.publicUrl}/.well-known/oauth-protected-resource/graphql"`,
        );
        expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
        const records = await recordsOf(office.server.database, 'rejected');
        expect(records.slice(known)).toMatchObject([
          { outcome: 'refused', delegation: { id: delegationId } },
        ]);
      }
    }
    await readdress(graphql());
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    expect((await fetch(at('/graphql'), { ...asked, headers })).status).toBe(200);
  });

  test('in the cookie of the account pages and of the explorer', async () => {
    const { browser } = await browserOf(office, rosa);
    expect((await browser.open(at('/account'))).html).toContain('Signed in as');
    const form = /data-form="([^"]+)"/.exec((await browser.open(at('/graphql'))).html)?.[1] ?? '';
    const explore = (): Promise<Response> =>
      fetch(at('/graphql/explorer'), {
        method: 'POST',
        body: '{"query":"{ viewer { scopes } }"}',
        headers: {
          'content-type': 'application/json',
          cookie: `behalf_account=${browser.cookie('behalf_account')}`,
          origin: office.server.url,
          'behalf-form': form,
        },
      });
    expect((await explore()).status).toBe(200);
    await readdress(`${office.server.publicUrl}/mcp`);
    expect((await explore()).status).toBe(401);
    expect((await browser.open(at('/account'))).html).not.toContain('Signed in as');
  });
});

test('each guarded path has metadata of its own, which its challenge names', async () => {
  for (const path of guardedPaths) {
    const answer = await fetch(at(path), { method: 'POST' });
    const address = `/.well-known/oauth-protected-resource${path}`;
    expect(answer.headers.get('www-authenticate')).toContain(
      `resource_metadata="${office.server.publicUrl}${address}"`,
    );
    const metadata = (await (await fetch(at(address))).json()) as object;
    expect(metadata).toMatchObject({
      resource: `${office.server.publicUrl}${path}`,
      authorization_servers: [office.server.publicUrl],
    });
  }
  expect((await fetch(at('/.well-known/oauth-protected-resource/account'))).status).toBe(404);
});

describe('a caller is told of scopes that it could get, and of no others', () => {
  const schema = (as: string): Promise<Response> =>
    fetch(at('/graphql/schema.graphql'), { headers: { authorization: `Bearer ${as}` } });

  test('all at once, where its token has none of them', async () => {
    const held = ['session:read', 'customers:read', 'tickets:read'];
    const { id } = await office.server.person({ scopes: held });
    const answer = await schema(await office.server.token(id, undefined, ['session:read', 'refunds:issue']));
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_scope", error_description="The token lacks scopes that are needed.", ' +
        `scope="customers:read tickets:read", resource_metadata="${office.server.publicUrl}/.well-known/oauth-protected-resource/graphql"`,
    );
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    const record = await recordOf(office.server.database, answer);
    expect(record).toMatchObject({ outcome: 'refused', operation: { name: 'schema.graphql' } });
    expect((await schema(await office.server.token(id, undefined, ['tickets:read']))).status).toBe(200);
  });

  test('and public documents list none', async () => {
    for (const path of [
      'oauth-authorization-server',
      'oauth-protected-resource',
      'oauth-protected-resource/graphql',
    ]) {
      const document = await (await fetch(at(`/.well-known/${path}`))).text();
      expect(office.server.app.scopes.filter((scope) => document.includes(scope))).toEqual([]);
    }
  });
});
