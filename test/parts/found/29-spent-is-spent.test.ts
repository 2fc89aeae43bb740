// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCase } from '../../support/case.js';
import { Office } from '../../support/office.js';
import type { Answer } from '../../support/server.js';

let office: Office;
beforeAll(async () => {
  office = await Office.start();
});
afterAll(() => office.server.stop());

const ask = (token: string, first: number): Promise<Answer> =>
  office.server.query(token, `{ customers(first: ${String(first)}) { nodes { id } } }`);
const change = (token: string, key: string): Promise<Answer> =>
  office.server.query(
    token,
    `mutation { replyToTicket(ticketId: "${office.ticketId}", body: "${key}", idempotencyKey: "${key}") { message { id } } }`,
  );

/** Final, so that no client waits and asks again. */
function isFinal(answer: Answer, limit: string, hint: RegExp): void {
  expect(answer.status).toBe(200);
  expect(answer.headers.has('retry-after')).toBe(false);
  expect(answer.data ?? null).toBeNull();
  expect(answer.errors).toMatchObject([
    { extensions: { code: 'LIMIT_EXCEEDED', limit, hint: expect.stringMatching(hint) } },
  ]);
}

describe('29 a spent budget is told with 200, and with what helps', () => {
  test('no operations: another delegation alone', async () => {
    const { token } = await makeCase(office, { operations: 3 });
    // By the way of documents that are known, too.
    for (let at = 0; at < 3; at += 1) expect((await ask(token, 1)).errors).toEqual([]);
    isFinal(await ask(token, 1), 'operations', /^Ask the person who delegated it for a new delegation\.$/);
    isFinal(await change(token, 'spent'), 'operations', /^Ask the person/);
    isFinal(await office.server.query(token, '{ viewer { scopes } }'), 'operations', /^Ask the person/);
  });

  test('some rows left: fewer of them, or another delegation', async () => {
    const { token } = await makeCase(office, { rows: 3 });
    const answer = await ask(token, 4);
    isFinal(
      answer,
      'rows',
      /^Ask for fewer rows, or ask the person who delegated it for a new delegation\.$/,
    );
    expect(answer.errors[0]?.message).toContain('3 rows left');
    expect((await ask(token, 3)).errors).toEqual([]);
  });

  test('no rows: another delegation alone', async () => {
    const { token } = await makeCase(office, { rows: 1 });
    expect((await ask(token, 1)).errors).toEqual([]);
    isFinal(await ask(token, 1), 'rows', /^Ask the person who delegated it for a new delegation\.$/);
  });
});
