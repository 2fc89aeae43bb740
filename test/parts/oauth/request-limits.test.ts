// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultLimits } from '../../../src/oauth/contract/dependencies.js';
import type { UserRow } from '../../../src/store/tables/identity.js';
import { forwardSeconds, Harness } from './harness.js';

const few = { attempts: 3, windowSeconds: 60 };
let harness: Harness;
let ada: UserRow;

beforeAll(async () => {
  harness = await Harness.start({
    limits: { ...defaultLimits, tokensPerClient: few, introspectionsPerClient: few },
  });
  ada = await harness.addUser('ada');
});
afterAll(() => harness.stop());

/** An agent under a delegation: how it asks for a token, and how it introspects one. */
async function client(name: string) {
  const { agent, secret } = await harness.addAgent(name, ada.id);
  const { id: delegation } = harness.delegations.make({
    ...{ userId: ada.id, agentId: agent.id, scopes: ['tickets:read'] },
  });
  const details = JSON.stringify([{ type: 'behalf_delegation', delegation }]);
  const form = { grant_type: 'client_credentials', authorization_details: details };
  return {
    ask: () => harness.post('/oauth/token', form, { id: name, secret }),
    introspect: (token: string) => harness.post('/oauth/introspect', { token }, { id: name, secret }),
  };
}

test('token requests and introspections of a client have a limit each, and others are not held up', async () => {
  const [first, second] = [await client('first'), await client('second')];
  let token = '';
  for (let asked = 0; asked < 4; asked += 1) {
    const answer = await first.ask();
    expect(answer.status).toBe(200);
    token = String(answer.body.access_token);
  }
  const beyond = await first.ask();
  expect([beyond.status, beyond.body]).toEqual([
    429,
    { error: 'slow_down', error_description: 'too many requests of this client; wait as Retry-After says' },
  ]);
  expect((await second.ask()).status).toBe(200);
  for (let asked = 0; asked < 4; asked += 1)
    expect((await first.introspect(asked % 2 === 0 ? token : 'x'.repeat(43))).status).toBe(200);
  const late = await first.introspect(token);
  expect([late.status, late.body.active]).toEqual([429, undefined]);
  expect((await second.introspect(token)).body.active).toBe(false);
  forwardSeconds(60);
  expect((await first.ask()).status).toBe(200);
  expect((await first.introspect(token)).body.active).toBe(true);
});
