// databases: sqlite, mariadb
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/core/digest.js';
import { eq } from '../../../src/store/sql/condition.js';
import { oauthPayloads, type OAuthPayloadRow } from '../../../src/store/tables/identity.js';
import { tokensOf } from '../oauth/browser.js';
import { forwardSeconds, Harness } from '../oauth/harness.js';
import { password } from '../../support/passwords.js';

describe('27 parallel refreshes of one token get one answer', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.start();
    await harness.addUser('ada');
    await harness.addAgent('other', (await harness.addUser('owner')).id);
  });
  afterAll(() => harness.stop());
  beforeEach(() => {
    forwardSeconds(3600);
    harness.recorder.events.length = 0;
  });

  const signIn = async (): Promise<string> => (await tokensOf(harness, 'ada', password)).refresh_token ?? '';
  const refresh = (token: string, more: Record<string, string> = {}) =>
    harness.post('/oauth/token', {
      grant_type: 'refresh_token',
      client_id: 'behalf-cli',
      refresh_token: token,
      ...more,
    });

  test('at the same moment', async () => {
    const token = await signIn();
    const answers = await Promise.all(Array.from({ length: 6 }, () => refresh(token)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 200));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const { access_token: given, refresh_token: next } = answers[0]?.body ?? {};
    expect(next).not.toBe(token);
    expect(await harness.fact(String(given))).toBeDefined();
    expect((await refresh(String(next))).status).toBe(200);
  });

  test('one after the other within some seconds, with what is left of its life', async () => {
    const token = await signIn();
    const first = await refresh(token);
    harness.recorder.events.length = 0;
    forwardSeconds(9);
    const second = await refresh(token);
    expect(second.status).toBe(200);
    expect(second.body).toEqual({ ...first.body, expires_in: 291 });
    expect(harness.recorder.events).toMatchObject([{ kind: 'token', outcome: 'success' }]);
    expect(harness.recorder.last()?.tokenId).toBeDefined();
  });

  test('later, the family ends', async () => {
    const token = await signIn();
    const first = await refresh(token);
    forwardSeconds(10);
    const replay = await refresh(token);
    expect([replay.status, replay.body.error]).toEqual([400, 'invalid_grant']);
    expect(await harness.fact(String(first.body.access_token))).toBeUndefined();
    expect((await refresh(String(first.body.refresh_token))).body.error).toBe('invalid_grant');
  });

  test('not for another client, nor for other scopes', async () => {
    const token = await signIn();
    const first = await refresh(token);
    const other = await harness.post(
      '/oauth/token',
      { grant_type: 'refresh_token', refresh_token: token },
      { id: 'other', secret: 'secret of other' },
    );
    expect(other.status).toBe(400);
    expect(other.body.access_token).toBeUndefined();
    const narrower = await refresh(token, { scope: 'tickets:read' });
    expect([narrower.status, narrower.body.error]).toEqual([400, 'invalid_grant']);
    expect(await harness.fact(String(first.body.access_token))).toBeDefined();
  });

  test('not once what was given has ended', async () => {
    const token = await signIn();
    const first = await refresh(token);
    await harness.post('/oauth/revoke', {
      token: String(first.body.refresh_token),
      client_id: 'behalf-cli',
    });
    expect((await refresh(token)).body.error).toBe('invalid_grant');
  });

  test('not with an access token that is there no more', async () => {
    const token = await signIn();
    const first = await refresh(token);
    const key = eq<OAuthPayloadRow>('id', sha256(String(first.body.access_token)));
    expect(await harness.database.transaction((tx) => tx.delete(oauthPayloads, key))).toBe(1);
    const again = await refresh(token);
    expect([again.status, again.body.access_token]).toEqual([400, undefined]);
  });

  test('and nothing that is stored shows what was given', async () => {
    const token = await signIn();
    const { body } = await refresh(token);
    const dump = await harness.dump();
    for (const secret of [token, String(body.access_token), String(body.refresh_token)]) {
      expect(dump).not.toContain(secret);
    }
    expect(dump).toContain('RefreshAnswer');
    forwardSeconds(90_000);
    await harness.oauth.purgeExpired();
    expect(await harness.dump()).toBe('[]');
  });
});
