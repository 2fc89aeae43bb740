// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { overloaded } from '../../../src/core/errors.js';
import { Office, type Agent, type TokenAnswer } from '../../support/office.js';

let office: Office;
let agent: Agent;
let token: string;
let detail: string;
beforeAll(async () => {
  office = await Office.start();
  const rosa = await office.company.employee('rosa', 'support-rep');
  agent = await office.agent('desk', rosa, 'support-agent');
  const delegation = await office.delegate(rosa, {
    ...{ agent: agent.name, role: 'support-agent', scopes: ['tickets:read'] },
  });
  detail = JSON.stringify([{ type: 'behalf_delegation', delegation }]);
  token = (await ask('/oauth/token')).body.access_token ?? '';
});
afterAll(() => office.server.stop());

const forms: Readonly<Record<string, () => Record<string, string>>> = {
  '/oauth/token': () => ({ grant_type: 'client_credentials', authorization_details: detail }),
  '/oauth/device_authorization': () => ({ scope: 'tickets:read', authorization_details: task }),
  '/oauth/revoke': () => ({ token }),
};
const task = JSON.stringify([{ type: 'behalf_delegation', purpose: 'Answer', task: 'ticket:T-1' }]);

const ask = (path: string): Promise<TokenAnswer> => office.post(path, forms[path]?.() ?? {}, agent);

type Part = 'transactions' | 'reads';

/** The database is busy for each transaction or each read of the server while the work is under way. */
async function whileBusy<T>(part: Part, work: () => Promise<T>): Promise<T> {
  const { database } = office.server.app;
  const busy = (): Promise<never> => Promise.reject(overloaded());
  if (part === 'transactions') database.transaction = busy;
  else database.read.one = busy;
  try {
    return await work();
  } finally {
    if (part === 'transactions') delete (database as Partial<typeof database>).transaction;
    else delete (database.read as Partial<typeof database.read>).one;
  }
}

const unavailable = { status: 503, body: { error: 'temporarily_unavailable' } };

describe.each(['transactions', 'reads'] as const)('while the database has no time for %s', (part) => {
  test.each(Object.keys(forms))('%s says so, and works later', async (path) => {
    expect(await whileBusy(part, () => ask(path))).toMatchObject(unavailable);
    expect((await ask(path)).status).toBe(200);
  });
});

test('a person sees a page that says so', async () => {
  const query = new URLSearchParams({
    ...{ client_id: 'behalf-cli', response_type: 'code', redirect_uri: 'http://127.0.0.1/callback' },
    ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', scope: 'tickets:read' },
  });
  const answer = await whileBusy('transactions', () =>
    fetch(`${office.server.url}/oauth/authorize?${query.toString()}`, {
      ...{ headers: { accept: 'text/html' }, redirect: 'manual' as const },
    }),
  );
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    503,
    expect.stringMatching(/^text\/html/),
  ]);
  expect(await answer.text()).toContain('The server could not complete the request.');
});
