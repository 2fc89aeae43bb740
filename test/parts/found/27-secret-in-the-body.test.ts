// databases: sqlite, mariadb
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UserRow } from '../../../src/store/tables/identity.js';
import { discover, insecure } from '../oauth/browser.js';
import { Harness } from '../oauth/harness.js';

describe('27 an agent sends its secret in the header or in the body', () => {
  let harness: Harness;
  let server: oauth.AuthorizationServer;
  let ada: UserRow;
  let secret: string;
  let details: string;
  const client = { client_id: 'support-agent' };
  beforeAll(async () => {
    harness = await Harness.start();
    server = await discover(harness);
    ada = await harness.addUser('ada');
    const added = await harness.addAgent(client.client_id, ada.id);
    secret = added.secret;
    const made = { userId: ada.id, agentId: added.agent.id, scopes: ['tickets:read'] };
    details = JSON.stringify([{ type: 'behalf_delegation', delegation: harness.delegations.make(made).id }]);
  });
  afterAll(() => harness.stop());

  test.each(['ClientSecretPost', 'ClientSecretBasic'] as const)(
    '%s gets a token, sees it and ends it',
    async (method) => {
      const proof = oauth[method](secret);
      const parameters = { authorization_details: details };
      const given = await oauth.clientCredentialsGrantRequest(server, client, proof, parameters, insecure);
      const { access_token: token } = await oauth.processClientCredentialsResponse(server, client, given);
      const seen = await oauth.introspectionRequest(server, client, proof, token, insecure);
      expect(await oauth.processIntrospectionResponse(server, client, seen)).toMatchObject({
        active: true,
        sub: ada.id,
      });
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(server, client, proof, token, insecure),
      );
      expect(await harness.fact(token)).toBeUndefined();
    },
  );

  const ask = (form: Record<string, string>, credentials?: { id: string; secret: string }) =>
    harness.post(
      '/oauth/token',
      { grant_type: 'client_credentials', authorization_details: details, ...form },
      credentials,
    );

  test.each<[string, Record<string, string>, number, string]>([
    ['a wrong secret', { client_id: 'support-agent', client_secret: 'wrong' }, 401, 'invalid_client'],
    ['an unknown client', { client_id: 'nobody', client_secret: 'wrong' }, 401, 'invalid_client'],
    ["a person's program", { client_id: 'behalf-cli', client_secret: 'wrong' }, 401, 'invalid_client'],
    ['no secret', { client_id: 'support-agent' }, 401, 'invalid_client'],
    ['a secret of nobody', { client_secret: 'wrong' }, 400, 'invalid_request'],
  ])('%s in the body is refused', async (_name, form, status, error) => {
    const answer = await ask(form);
    expect([answer.status, answer.body.error]).toEqual([status, error]);
    expect(answer.body.access_token).toBeUndefined();
  });

  test('both ways at once are refused, as OAuth has it', async () => {
    const both = await ask(
      { client_id: 'support-agent', client_secret: secret },
      { id: 'support-agent', secret },
    );
    expect([both.status, both.body.error]).toEqual([400, 'invalid_request']);
  });

  test('the metadata offers both, for every endpoint', () => {
    const metadata = harness.oauth.authorizationServerMetadata();
    for (const endpoint of ['token', 'revocation', 'introspection']) {
      expect(metadata[`${endpoint}_endpoint_auth_methods_supported`]).toEqual(
        expect.arrayContaining(['client_secret_basic', 'client_secret_post', 'private_key_jwt']),
      );
    }
  });
});
