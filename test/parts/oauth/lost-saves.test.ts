// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { overloaded } from '../../../src/core/errors.js';
import { PayloadAdapter } from '../../../src/oauth/library/payload-adapter.js';
import type { Employee } from '../../support/administration.js';
import { askedBy, askingAgent, callback } from '../../support/asking-agents.js';
import { given, Office, type Agent, type TokenAnswer } from '../../support/office.js';

let office: Office;
let agent: Agent;
let token: string;
let detail: string;
let rosa: Employee;
beforeAll(async () => {
  office = await Office.start();
  rosa = await office.company.employee('rosa', 'support-rep');
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

describe('what a request used up stays good where the database has no time for what comes of it:', () => {
  /** The database is busy for each save of a token. */
  async function failsAtFirst(redeem: () => Promise<TokenAnswer>): Promise<TokenAnswer> {
    const spy = vi.spyOn(PayloadAdapter.prototype, 'upsert').mockRejectedValue(overloaded());
    const first = await redeem().finally(() => {
      spy.mockRestore();
    });
    expect(first).toMatchObject(unavailable);
    return redeem();
  }
  const works = async (answer: TokenAnswer): Promise<void> => {
    const read = await office.company.ask({ token: given(answer) }, '{ tickets(first: 1) { totalCount } }');
    expect(read.errors).toEqual([]);
  };
  const refresh = (refreshToken: string | undefined, client: string) => () =>
    office.post('/oauth/token', {
      ...{ grant_type: 'refresh_token', refresh_token: refreshToken ?? '', client_id: client },
    });

  test('an agent’s code, and its refresh token, which count once all the same', async () => {
    const open = await askingAgent(office, 'open', { isPublic: true });
    const [flow, page] = await askedBy(office, open, rosa, {});
    const code = new URL((await flow.browser.submit(page, {})).url).searchParams.get('code') ?? '';
    const form = { grant_type: 'authorization_code', code, redirect_uri: callback, client_id: open.name };
    const redeem = () => office.post('/oauth/token', { ...form, code_verifier: flow.verifier });
    const tokens = await failsAtFirst(redeem);
    await works(tokens);
    await works(await failsAtFirst(refresh(tokens.body.refresh_token, open.name)));
    expect((await redeem()).body.error).toBe('invalid_grant');
  });

  test('a person’s refresh token', async () => {
    const tokens = await office.signIn(rosa);
    await works(await failsAtFirst(refresh(tokens.refresh_token, 'behalf-cli')));
  });
});
