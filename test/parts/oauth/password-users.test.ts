// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { password } from '../../support/passwords.js';
import { CodeFlow, tokensOf } from './browser.js';
import { Harness } from './harness.js';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start({ passwordUsers: ['break-glass'] });
});
afterAll(() => harness.stop());

test('a setting leaves passwords to the accounts that it names, and nobody can tell which they are', async () => {
  await harness.addUser('break-glass');
  await harness.addUser('everyday');
  expect((await tokensOf(harness, 'break-glass', password)).access_token).toBeDefined();
  const flow = await CodeFlow.start(harness);
  const page = await flow.signIn('everyday', password);
  expect(page.status).toBe(422);
  expect(page.html).toContain('The user name or the password is wrong.');
  const event = { kind: 'sign_in', outcome: 'refused', errorCode: 'invalid_credentials' };
  expect(harness.recorder.last()).toMatchObject(event);
});
