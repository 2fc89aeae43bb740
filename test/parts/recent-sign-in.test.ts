// databases: sqlite, mariadb
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eq } from '../../src/store/sql/condition.js';
import { users } from '../../src/store/tables/identity.js';
import { recordsOf, withPassword } from '../support/account.js';
import { codes, key, type Employee } from '../support/administration.js';
import { Office } from '../support/office.js';
import { password } from '../support/passwords.js';
import { CodeFlow } from './oauth/browser.js';

const seconds = 600;
let office: Office;
let minna: Employee;
let token: string;
let shiftMs = 0;

beforeAll(async () => {
  office = await Office.start(
    { clock: { now: () => Date.now() + shiftMs } },
    { BEHALF_RECENT_SIGN_IN_SECONDS: String(seconds), BEHALF_ACCESS_TOKEN_SECONDS: '3600' },
  );
  minna = await office.company.employee('minna', 'administrator');
  const flow = await CodeFlow.start({ issuer: office.server.url });
  const returned = await flow.signIn(await withPassword(office, minna), password);
  ({ access_token: token } = await flow.redeem(returned));
});
afterAll(() => office.server.stop());

const create = (name: string, more = '') =>
  office.company.ask(
    { token },
    `mutation CreateOne { createUser(input: { name: "${name}", displayName: "One" }, idempotencyKey: "${key()}") { user { name } } ${more} }`,
  );
const exists = async (name: string): Promise<boolean> =>
  (await office.server.database.read.select(users, eq('name', name))).length > 0;

test('a change of rights needs a recent sign-in, and says how to get one', async () => {
  expect(codes(await create('early'))).toEqual([]);
  shiftMs = (seconds - 60) * 1000;
  expect(codes(await create('later'))).toEqual([]);
  shiftMs = (seconds + 60) * 1000;
  for (const name of ['late', 'late']) {
    const answer = await create(name);
    expect([answer.status, codes(answer)]).toEqual([401, ['INSUFFICIENT_USER_AUTHENTICATION']]);
    expect(answer.errors[0]?.extensions).toMatchObject({ maxAgeSeconds: seconds });
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_user_authentication", .*max_age="600"/,
    );
  }
  expect([await exists('later'), await exists('late')]).toEqual([true, false]);
  const records = await recordsOf(office, minna, 'CreateOne');
  expect(records.map(({ outcome }) => outcome).sort()).toEqual([
    'refused',
    'refused',
    'succeeded',
    'succeeded',
  ]);
});

test('one change among others is enough, and an emergency waits for nobody', async () => {
  const stop = `stopEverything(idempotencyKey: "${key()}") { __typename }`;
  expect(codes(await create('mixed', stop))).toEqual(['INSUFFICIENT_USER_AUTHENTICATION']);
  expect(codes(await office.company.ask({ token }, '{ users(first: 1) { nodes { name } } }'))).toEqual([]);
  expect(codes(await office.company.ask({ token }, `mutation { ${stop} }`))).toEqual([]);
});
