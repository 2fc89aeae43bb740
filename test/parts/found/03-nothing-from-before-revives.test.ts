// databases: sqlite, mariadb
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { at, codes } from '../../support/administration.js';
import { makeCase, type Case } from '../../support/case.js';
import { Office, type Agent } from '../../support/office.js';
import { withoutBackgroundJobs } from '../../support/server.js';

let office: Office;
beforeAll(async () => {
  office = await Office.start(withoutBackgroundJobs);
});
afterAll(() => office.server.stop());

const isAnswered = async (token: string): Promise<boolean> => {
  const answer = await office.company.ask({ token }, '{ viewer { scopes } }');
  expect([[], ['UNAUTHENTICATED']]).toContainEqual(codes(answer));
  return answer.errors.length === 0;
};

const isActive = async (agent: Agent, token: string): Promise<unknown> => {
  const { body } = await office.post('/oauth/introspect', { token }, agent);
  expect(Object.keys(body)).not.toContain('behalf_generation');
  return (body as { active?: unknown }).active;
};

const root = (): { token: string } => office.company.root;
const done = (field: string, args = ''): Promise<void> => office.done(root(), field, args);

async function rotate({ agent }: Case, overlapSeconds: number): Promise<Agent> {
  const args = `id: "${agent.id}" overlapSeconds: ${String(overlapSeconds)}`;
  const answer = await office.change(root(), 'rotateAgentSecret', args, 'secret endedCount');
  expect(answer.data?.rotateAgentSecret.endedCount).toBe(0);
  return { ...agent, secret: at(answer, 'rotateAgentSecret.secret') as string };
}

const newKeys = (): string =>
  JSON.stringify(
    JSON.stringify({
      keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })],
    }),
  );

/** What ends tokens, and how the agent proves itself afterwards. */
const ends: Record<string, (one: Case) => Promise<Agent>> = {
  'an agent that is stopped and started again': async ({ agent }) => {
    await done('stopAgent', `id: "${agent.id}"`);
    await done('startAgent', `id: "${agent.id}"`);
    return agent;
  },
  'an agent that is stopped and started twice': async ({ agent }) => {
    for (let n = 0; n < 2; n += 1) {
      await done('stopAgent', `id: "${agent.id}"`);
      await done('startAgent', `id: "${agent.id}"`);
    }
    return agent;
  },
  'a secret that is rotated without overlap': (one) => rotate(one, 0),
  'keys in place of a secret, and a secret in their place': async (one) => {
    await done('setAgentKeys', `id: "${one.agent.id}" publicKeys: ${newKeys()}`);
    return rotate(one, 3_600);
  },
  'everything stopped and let go on again': async ({ agent }) => {
    await done('stopEverything');
    await done('resumeEverything');
    return agent;
  },
  'an account that is disabled and enabled again': async ({ agent, person }) => {
    await done('disableUser', `id: "${person.id}"`);
    await done('enableUser', `id: "${person.id}"`);
    return agent;
  },
};

describe('03 nothing that was issued before comes back', () => {
  test.each(Object.entries(ends))('with %s', async (_, end) => {
    const one = await makeCase(office);
    const tokens = [one.token, one.nextToken];
    for (const token of tokens) expect(await isAnswered(token)).toBe(true);
    expect(await isActive(one.agent, one.token)).toBe(true);

    const agent = await end(one);
    for (const token of tokens) expect(await isAnswered(token)).toBe(false);
    expect(await isActive(agent, one.token)).toBe(false);
    expect(await isActive(one.next, one.nextToken)).toBe(false);
    // An old token is no way to a new one either.
    expect((await office.exchange(one.next, one.token)).body.access_token).toBeUndefined();
    // The delegations stand: both agents get tokens anew, and those from before stay ended.
    expect(await isAnswered(await office.tokenOf(agent, one.delegationId))).toBe(true);
    expect(await isAnswered(await office.tokenOf(one.next, one.nextDelegationId))).toBe(true);
    for (const token of tokens) expect(await isAnswered(token)).toBe(false);
  });

  test('with overlap, tokens and earlier secrets go on', async () => {
    const one = await makeCase(office);
    const agent = await rotate(one, 3_600);
    expect(await isAnswered(one.token)).toBe(true);
    for (const as of [agent, one.agent])
      expect(await isAnswered(await office.tokenOf(as, one.delegationId))).toBe(true);
  });

  test('a token whose request began before the secret was rotated is worth nothing', async () => {
    const one = await makeCase(office);
    const { database } = office.server.app;
    const transaction = database.transaction.bind(database);
    // The first transaction of the request stores the token: credentials and delegation have been looked at by then.
    let rotated: Promise<Agent> | undefined;
    vi.spyOn(database, 'transaction').mockImplementationOnce(async (work) => {
      vi.restoreAllMocks();
      rotated = rotate(one, 0);
      await rotated;
      return transaction(work);
    });
    const { body } = await office.requestToken(one.agent, one.delegationId);
    expect(rotated).toBeDefined();
    // With a grant that stands again.
    expect(await isAnswered(await office.tokenOf((await rotated) ?? one.agent, one.delegationId))).toBe(true);
    if (body.access_token !== undefined) expect(await isAnswered(body.access_token)).toBe(false);
  });

  test.each(['disableUser', 'resetPassword', 'revokeTokens'])(
    'a person’s sessions and refresh tokens neither, after %s',
    async (field) => {
      const person = await office.company.employee(`again.${field.toLowerCase()}`, 'support-rep');
      const mine = await office.signIn(person);
      const form = { grant_type: 'refresh_token', client_id: 'behalf-cli' };
      await done(field, `id: "${person.id}"`);
      if (field === 'disableUser') await done('enableUser', `id: "${person.id}"`);
      expect(await isAnswered(mine.access_token)).toBe(false);
      const again = await office.post('/oauth/token', { ...form, refresh_token: mine.refresh_token ?? '' });
      expect(again.body).toMatchObject({ error: 'invalid_grant' });
    },
  );
});
