// databases: sqlite, mariadb
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eq } from '../../../src/store/sql/condition.js';
import { agents, type AgentRow, type UserRow } from '../../../src/store/tables/identity.js';
import { CodeFlow, discover, insecure, tokensOf } from './browser.js';
import { forwardSeconds, Harness } from './harness.js';
import { password } from '../../support/passwords.js';

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

let harness: Harness;
let ada: UserRow;
let support: { agent: AgentRow; secret: string };
let finance: { agent: AgentRow; secret: string };
let server: oauth.AuthorizationServer;

beforeAll(async () => {
  harness = await Harness.start();
  ada = await harness.addUser('ada');
  support = await harness.addAgent('support-agent', ada.id);
  finance = await harness.addAgent('finance-agent', ada.id);
  server = await discover(harness);
});
afterAll(() => harness.stop());
beforeEach(() => {
  forwardSeconds(3600);
  harness.recorder.events.length = 0;
  harness.delegations.consents.length = 0;
});

const exchange = (
  as: { agent: AgentRow; secret: string },
  subject: string,
  more: Record<string, string> = {},
) =>
  harness.post(
    '/oauth/token',
    { grant_type: grantType, subject_token: subject, subject_token_type: accessTokenType, ...more },
    { id: as.agent.name, secret: as.secret },
  );
const consentTo = (agentName: string) => harness.delegations.consents.push({ userId: ada.id, agentName });

describe("exchanging a person's token", () => {
  test('makes a delegation where the person consented to the agent', async () => {
    consentTo('support-agent');
    const person = await tokensOf(harness, 'ada', password, { scope: 'tickets:read refunds:issue' });
    const client = { client_id: 'support-agent' };
    const task = JSON.stringify([{ type: 'behalf_delegation', task: 'ticket:4711', purpose: 'Answer it' }]);
    const response = await oauth.genericTokenEndpointRequest(
      server,
      client,
      oauth.ClientSecretBasic(support.secret),
      grantType,
      {
        subject_token: person.access_token,
        subject_token_type: accessTokenType,
        authorization_details: task,
      },
      insecure,
    );
    const token = await oauth.processGenericTokenEndpointResponse(server, client, response);
    expect(token.issued_token_type).toBe(accessTokenType);
    // The role also has customers:read; the person's token does not.
    expect(token.scope).toBe('tickets:read');
    const fact = await harness.fact(token.access_token);
    expect(fact).toMatchObject({ userId: ada.id, clientId: 'support-agent' });
    expect(harness.delegations.all.get(fact?.delegationId ?? '')).toMatchObject({ task: 'ticket:4711' });
    expect(harness.recorder.last()).toMatchObject({
      outcome: 'success',
      grantType,
      delegationId: fact?.delegationId,
    });
  });

  test('is refused without consent, and gives nothing', async () => {
    const person = await tokensOf(harness, 'ada', password);
    const answer = await exchange(support, person.access_token);
    expect(answer.status).toBe(400);
    expect(answer.body).toEqual({
      error: 'invalid_request',
      error_description: 'The person has not consented to this agent.',
    });
  });

  test.each([
    ['no subject token', { subject_token: '' }, 'invalid_request'],
    ['a made-up subject token', { subject_token: 'x'.repeat(43) }, 'invalid_request'],
    [
      'another type of subject token',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
      'invalid_request',
    ],
    [
      'another requested type',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'invalid_request',
    ],
    ['an actor token', { actor_token: 'x', actor_token_type: accessTokenType }, 'invalid_request'],
    ['another audience', { audience: 'https://elsewhere.example' }, 'invalid_target'],
    ['another resource', { resource: 'https://elsewhere.example' }, 'invalid_target'],
    [
      'a delegation by name',
      { authorization_details: '[{"type":"behalf_delegation","delegation":"01J"}]' },
      'invalid_authorization_details',
    ],
    ['an unknown scope', { scope: 'world:rule' }, 'invalid_scope'],
    ["a scope that the person's token lacks", { scope: 'refunds:issue' }, 'invalid_scope'],
  ])('%s is refused', async (_name, form, error) => {
    consentTo('support-agent');
    const person = await tokensOf(harness, 'ada', password, { scope: 'tickets:read' });
    const answer = await exchange(support, person.access_token, form);
    expect(answer.body.error).toBe(error);
    expect(answer.body.access_token).toBeUndefined();
  });

  test('ends with the person’s token: an expired or revoked one is worth nothing', async () => {
    consentTo('support-agent');
    const person = await tokensOf(harness, 'ada', password);
    await harness.post('/oauth/revoke', { token: person.access_token, client_id: 'behalf-cli' });
    expect((await exchange(support, person.access_token)).body.error).toBe('invalid_request');
    const later = await tokensOf(harness, 'ada', password);
    forwardSeconds(301);
    expect((await exchange(support, later.access_token)).body.error).toBe('invalid_request');
  });

  test('is not for people', async () => {
    const person = await tokensOf(harness, 'ada', password);
    const form = {
      grant_type: grantType,
      client_id: 'behalf-cli',
      subject_token: person.access_token,
      subject_token_type: accessTokenType,
    };
    expect((await harness.post('/oauth/token', form)).body.access_token).toBeUndefined();
  });
});

describe('handing a task on', () => {
  const parentToken = async (scopes = ['tickets:read'], changes = {}) => {
    const delegation = harness.delegations.make({
      userId: ada.id,
      agentId: support.agent.id,
      scopes,
      ...changes,
    });
    const form = {
      grant_type: 'client_credentials',
      authorization_details: JSON.stringify([{ type: 'behalf_delegation', delegation: delegation.id }]),
    };
    const { body } = await harness.post('/oauth/token', form, {
      id: 'support-agent',
      secret: support.secret,
    });
    return { delegation, token: String(body.access_token) };
  };

  test('the next agent exchanges the token, gets no more than it held, and the chain nests', async () => {
    const { delegation, token } = await parentToken();
    const { body } = await exchange(finance, token);
    expect(body.scope).toBe('tickets:read');
    const fact = await harness.fact(String(body.access_token));
    expect(fact).toMatchObject({ userId: ada.id, clientId: 'finance-agent', scopes: ['tickets:read'] });
    expect(fact?.delegationId).not.toBe(delegation.id);
    const seen = await harness.post(
      '/oauth/introspect',
      { token: String(body.access_token) },
      { id: 'finance-agent', secret: finance.secret },
    );
    expect(seen.body).toMatchObject({
      sub: ada.id,
      client_id: 'finance-agent',
      act: {
        sub: finance.agent.id,
        client_id: 'finance-agent',
        act: { sub: support.agent.id, client_id: 'support-agent' },
      },
    });
    expect((await harness.fact(token))?.clientId).toBe('support-agent');
  });

  test('the new token ends no later than the parent delegation', async () => {
    const { token } = await parentToken(['tickets:read'], { expiresAt: Date.now() + 30_000 });
    expect((await exchange(finance, token)).body.expires_in).toBe(30);
  });

  test('a wider scope than the parent’s token has is refused', async () => {
    const { token } = await parentToken(['tickets:read']);
    expect((await exchange(finance, token, { scope: 'customers:read' })).body.error).toBe('invalid_scope');
  });

  test('an agent cannot hand a task to itself', async () => {
    const { token } = await parentToken();
    expect((await exchange(support, token)).body.error).toBe('invalid_request');
  });

  test('a stopped agent and an ended delegation hand nothing on', async () => {
    const { token, delegation } = await parentToken();
    const setStatus = (status: string) =>
      harness.database.transaction((tx) => tx.update(agents, eq('id', support.agent.id), { status }));
    await setStatus('stopped');
    expect((await exchange(finance, token)).body.error).toBe('invalid_request');
    await setStatus('active');
    harness.delegations.end(delegation.id);
    expect((await exchange(finance, token)).body.error).toBe('invalid_request');
  });
});

describe('consent in the browser', () => {
  const asked = JSON.stringify([{ type: 'behalf_consent', agent: 'support-agent', role: 'support-agent' }]);

  test('shows who asks for what, stores it, and lets the agent exchange', async () => {
    const flow = await CodeFlow.start(harness, { authorization_details: asked });
    const page = await flow.signIn('ada', password);
    expect(page.html).toContain('The support-agent');
    expect(page.html).toContain('Answers customers');
    expect(page.html).toContain('Ada &lt;owner&gt;');
    expect(page.html).toContain('Use tickets:read');
    expect(harness.delegations.consents).toEqual([]);
    const tokens = await flow.redeem(await flow.browser.submit(page, {}));
    expect(harness.delegations.consents).toMatchObject([
      { userId: ada.id, agentName: 'support-agent', role: 'support-agent' },
    ]);
    expect(harness.recorder.events.map(({ kind }) => kind)).toEqual(['sign_in', 'consent', 'token']);
    expect((await exchange(support, tokens.access_token)).status).toBe(200);
  });

  test('that cannot be recorded gives the agent nothing and the program no code', async () => {
    const flow = await CodeFlow.start(harness, { authorization_details: asked });
    const page = await flow.signIn('ada', password);
    harness.recorder.isBroken = true;
    const answer = await flow.browser.submit(page, {});
    harness.recorder.isBroken = false;
    expect(answer.status).toBe(503);
    expect(new URL(answer.url).origin).toBe(harness.issuer);
  });

  test('is a decision: no is no', async () => {
    const flow = await CodeFlow.start(harness, { authorization_details: asked });
    const answer = await flow.browser.submit(await flow.signIn('ada', password), { action: 'cancel' });
    expect(new URL(answer.url).searchParams.get('error')).toBe('access_denied');
    expect(harness.delegations.consents).toEqual([]);
  });

  test('is to what the page showed: a changed offer is shown again', async () => {
    const flow = await CodeFlow.start(harness, { authorization_details: asked });
    const page = await flow.signIn('ada', password);
    harness.delegations.roleScopes = [...harness.delegations.roleScopes, 'refunds:issue'];
    const again = await flow.browser.submit(page, {});
    expect(again.status).toBe(409);
    expect(again.html).toContain('Use refunds:issue');
    expect(harness.delegations.consents).toEqual([]);
    await flow.browser.submit(again, {});
    expect(harness.delegations.consents).toHaveLength(1);
    harness.delegations.roleScopes = ['tickets:read', 'customers:read'];
  });

  test('to an unknown agent goes back to the program as refused', async () => {
    const unknown = JSON.stringify([{ type: 'behalf_consent', agent: 'nobody' }]);
    const flow = await CodeFlow.start(harness, { authorization_details: unknown });
    const page = await flow.signIn('ada', password);
    const { searchParams } = new URL(page.url);
    expect([searchParams.get('error'), searchParams.get('error_description')]).toEqual([
      'access_denied',
      'The agent was not found.',
    ]);
    expect(harness.delegations.consents).toHaveLength(0);
  });
});
