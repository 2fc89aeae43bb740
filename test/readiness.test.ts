import { afterEach, expect, test, vi } from 'vitest';
import { Readiness } from '../src/server/readiness.js';

afterEach(() => vi.useRealTimers());

const codesOf = async (readiness: Readiness): Promise<string[]> =>
  (await readiness.problems()).map(({ code }) => code);
const whole = { pendingMigrations: () => Promise.resolve([]) };
const never = (): boolean => false;

test('a server whose database answers, is up to date and takes records is ready', async () => {
  expect(await codesOf(new Readiness(whole, never))).toEqual([]);
});

test('a database that refuses is unreachable, and one that comes back is not', async () => {
  let isThere = false;
  const pendingMigrations = (): Promise<string[]> =>
    isThere ? Promise.resolve([]) : Promise.reject(new Error('ECONNREFUSED 10.0.0.1'));
  const readiness = new Readiness({ pendingMigrations }, never);
  expect(await readiness.problems()).toEqual([
    { code: 'database_unreachable', message: 'The database does not answer.' },
  ]);
  isThere = true;
  expect(await codesOf(readiness)).toEqual([]);
});

test('a database that does not answer in time is unreachable', async () => {
  vi.useFakeTimers();
  const readiness = new Readiness({ pendingMigrations: () => new Promise(() => undefined) }, never);
  const asked = codesOf(readiness);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await asked).toEqual(['database_unreachable']);
});

test('migrations that are missing are told', async () => {
  const behind = { pendingMigrations: () => Promise.resolve(['Core1']) };
  expect(await codesOf(new Readiness(behind, never))).toEqual(['migrations_behind']);
});

test('everything that is wrong is told at once', async () => {
  const readiness = new Readiness({ pendingMigrations: () => Promise.reject(new Error('gone')) }, () => true);
  readiness.drain();
  expect(await codesOf(readiness)).toEqual(['draining', 'audit_queue_full', 'database_unreachable']);
});

test('however many ask at once, the database is asked once', async () => {
  const pendingMigrations = vi.fn(() => Promise.resolve<string[]>([]));
  const readiness = new Readiness({ pendingMigrations }, never);
  await Promise.all([readiness.problems(), readiness.problems(), readiness.problems()]);
  expect(pendingMigrations).toHaveBeenCalledTimes(1);
  await readiness.problems();
  expect(pendingMigrations).toHaveBeenCalledTimes(2);
});
