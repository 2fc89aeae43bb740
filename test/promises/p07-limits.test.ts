// databases: sqlite, mariadb
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ticketMessages } from '../../src/domains/business/tables.js';
import { eq } from '../../src/store/sql/condition.js';
import { delegations, idempotencyKeys } from '../../src/store/tables/identity.js';
import { codes } from '../support/administration.js';
import { makeCase, type Case } from '../support/case.js';
import { Office } from '../support/office.js';
import { recordOf } from '../support/records.js';
import type { Answer } from '../support/server.js';

let office: Office;
beforeAll(async () => {
  office = await Office.start();
});
afterAll(() => office.server.stop());

const ask = (token: string, first = 2): Promise<Answer> =>
  office.server.query(token, `{ customers(first: ${String(first)}) { nodes { id } } }`);
const reply = (token: string, body: string, key = body): Promise<Answer> =>
  office.server.query(
    token,
    'mutation ($id: ID!, $body: String!, $key: String!) { replyToTicket(ticketId: $id, body: $body, idempotencyKey: $key) { message { id } } }',
    { id: office.ticketId, body, key },
  );
const spent = async (id: string): Promise<[number | undefined, number | undefined]> => {
  const row = await office.server.database.read.byId(delegations, id);
  return [row?.operationsUsed, row?.rowsUsed];
};
const messages = (body: string): Promise<number> =>
  office.server.database.read.count(ticketMessages, eq('body', body));

const isRefused = async (answer: Answer, limit: 'operations' | 'rows'): Promise<void> => {
  expect(codes(answer)).toEqual(['LIMIT_EXCEEDED']);
  expect(answer.errors[0]?.extensions).toMatchObject({ limit });
  expect(answer.data ?? null).toBeNull();
  expect(await recordOf(office.server.database, answer)).toMatchObject({
    outcome: 'refused',
    errors: [{ code: 'LIMIT_EXCEEDED' }],
  });
};

describe('what an operation spends', () => {
  test('is charged to every delegation of its chain, and to no other', async () => {
    const [one, other] = [await makeCase(office), await makeCase(office)];
    expect((await ask(one.nextToken, 3)).errors).toEqual([]);
    expect(await spent(one.nextDelegationId)).toEqual([1, 3]);
    expect(await spent(one.delegationId)).toEqual([1, 3]);
    expect((await ask(one.token, 2)).errors).toEqual([]);
    expect(await spent(one.nextDelegationId)).toEqual([1, 3]);
    expect(await spent(one.delegationId)).toEqual([2, 5]);
    const changed = await reply(one.nextToken, 'charged');
    const { rowCount } = await recordOf(office.server.database, changed);
    expect(rowCount).toBeGreaterThanOrEqual(2);
    expect(await spent(one.nextDelegationId)).toEqual([2, 3 + rowCount]);
    expect(await spent(one.delegationId)).toEqual([3, 5 + rowCount]);
    expect(await spent(other.delegationId)).toEqual([0, 0]);
  });

  test('counts also when it was refused or failed, so that trying has an end', async () => {
    const one = await makeCase(office, { operations: 3 });
    await office.server.query(one.token, '{ nonsense }');
    await office.server.post(one.token, '{');
    expect(codes(await reply(one.token, '  '))).toEqual(['BAD_USER_INPUT']);
    expect(await spent(one.delegationId)).toEqual([3, 0]);
    await isRefused(await ask(one.token), 'operations');
  });
});

describe('an operation that would pass a limit', () => {
  test('of rows gives out nothing; a smaller one still goes', async () => {
    const one = await makeCase(office, { rows: 3 });
    await isRefused(await ask(one.token, 4), 'rows');
    expect((await spent(one.delegationId))[1]).toBe(0);
    expect((await ask(one.token, 3)).errors).toEqual([]);
    expect((await spent(one.delegationId))[1]).toBe(3);
    await isRefused(await ask(one.token, 1), 'rows');
  });

  test('of rows changes nothing', async () => {
    const one = await makeCase(office, { rows: 1 });
    await isRefused(await reply(one.token, 'too much'), 'rows');
    expect(await messages('too much')).toBe(0);
    expect(await office.server.database.read.count(idempotencyKeys, eq('ownerId', one.delegationId))).toBe(0);
    // It did look at rows, and pays for that with what is left.
    expect((await spent(one.delegationId))[1]).toBe(1);
  });

  test('of operations gives out and changes nothing', async () => {
    const one = await makeCase(office, { operations: 1 });
    expect((await ask(one.token)).errors).toEqual([]);
    await isRefused(await ask(one.token), 'operations');
    await isRefused(await reply(one.token, 'one too many'), 'operations');
    expect(await messages('one too many')).toBe(0);
    expect(await spent(one.delegationId)).toEqual([1, 2]);
  });

  test('of a parent stops those to whom it was handed on', async () => {
    const one = await makeCase(office, { operations: 2 });
    expect((await ask(one.token)).errors).toEqual([]);
    expect((await ask(one.nextToken)).errors).toEqual([]);
    await isRefused(await ask(one.nextToken), 'operations');
    expect(await spent(one.nextDelegationId)).toEqual([1, 2]);
    expect(await spent(one.delegationId)).toEqual([2, 4]);
  });
});

describe('of eight at the same moment on the last one that is left, one goes', () => {
  const crowd = <T>(make: (at: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: 8 }, (_, index) => make(index)));
  const through = (answers: readonly Answer[]): number =>
    answers.filter((answer) => answer.errors.length === 0).length;
  const allRefusedButOne = async (answers: readonly Answer[]): Promise<void> => {
    expect(through(answers)).toBe(1);
    for (const answer of answers) if (answer.errors.length > 0) await isRefused(answer, 'operations');
  };

  test('of queries', async () => {
    const one = await makeCase(office, { operations: 1 });
    await allRefusedButOne(await crowd(() => ask(one.token)));
    expect(await spent(one.delegationId)).toEqual([1, 2]);
  });

  test('of mutations', async () => {
    const one: Case = await makeCase(office, { operations: 1 });
    await allRefusedButOne(await crowd((index) => reply(one.token, `crowd`, `crowd-${String(index)}`)));
    expect(await messages('crowd')).toBe(1);
    expect((await spent(one.delegationId))[0]).toBe(1);
  });

  test('of queries and mutations of two agents of one chain', async () => {
    const one = await makeCase(office, { operations: 1 });
    const answers = await crowd((index) => {
      const token = index % 4 < 2 ? one.token : one.nextToken;
      return index % 2 === 0 ? ask(token) : reply(token, 'mixed crowd', `mixed-${String(index)}`);
    });
    await allRefusedButOne(answers);
    expect(await messages('mixed crowd')).toBeLessThanOrEqual(1);
    expect((await spent(one.delegationId))[0]).toBe(1);
  });

  test('of rows', async () => {
    const one = await makeCase(office, { rows: 5 });
    const answers = await crowd(() => ask(one.nextToken, 3));
    expect(through(answers)).toBe(1);
    expect((await spent(one.delegationId))[1]).toBe(3);
  });
});
