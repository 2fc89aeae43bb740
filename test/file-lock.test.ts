import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { LockTiming } from '../src/cli/sign-in/file-lock.js';
import { TokenStore } from '../src/cli/sign-in/token-store.js';

let folder: string;
let at: number;
let server: string;
/** Of all commands: what they do every few seconds, and when they do it next. */
let habits: Set<{ due: number; readonly work: () => Promise<void> }>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'behalf-lock-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  at = Date.parse('2026-03-02T08:00:00.000Z');
  server = `https://${crypto.randomUUID()}.example`;
  habits = new Set();
});

/** One command. While it is suspended, it does nothing, as on a machine that sleeps. */
class Command implements LockTiming {
  isSuspended = false;
  readonly store = new TokenStore(server, undefined, { XDG_CONFIG_HOME: folder }, this);

  now = (): number => at;

  wait = async (ms: number): Promise<void> => {
    at += ms;
    for (const habit of habits) if (habit.due <= at) await habit.work();
  };

  every = (ms: number, work: () => Promise<void>): (() => void) => {
    const habit = {
      due: at + ms,
      work: async (): Promise<void> => {
        habit.due = at + ms;
        if (!this.isSuspended) await work();
      },
    };
    habits.add(habit);
    return () => habits.delete(habit);
  };

  /** Signs in, until it is told to end. */
  signIn(): Promise<() => Promise<void>> {
    return new Promise((begun, refused) => {
      const working = this.store.alone(
        () =>
          new Promise<void>((end) => {
            begun(() => {
              end();
              return working;
            });
          }),
      );
      working.catch(refused);
    });
  }
}

const holder = (): Promise<string> => readFile(`${new Command().store.path}.lock`, 'utf8');

test('a sign-in is alone for as long as it takes', async () => {
  const end = await new Command().signIn();
  const first = await holder();
  for (const _halfMinute of [1, 2, 3])
    await expect(new Command().signIn()).rejects.toThrow('Another command holds');
  expect(await holder()).toBe(first);
  await end();
  await (
    await new Command().signIn()
  )();
  await expect(holder()).rejects.toThrow('ENOENT');
});

test('a command that was ended leaves its lock to the next one', async () => {
  const ended = new Command();
  await ended.signIn();
  ended.isSuspended = true;
  const first = await holder();
  const end = await new Command().signIn();
  expect(await holder()).not.toBe(first);
  await end();
});

test('a command that comes back from sleep leaves the lock of another where it is', async () => {
  const sleeper = new Command();
  const endOfSleeper = await sleeper.signIn();
  sleeper.isSuspended = true;
  const end = await new Command().signIn();
  const second = await holder();
  sleeper.isSuspended = false;
  await endOfSleeper();
  expect(await holder()).toBe(second);
  await expect(new Command().signIn()).rejects.toThrow('Another command holds');
  await end();
  await expect(holder()).rejects.toThrow('ENOENT');
});
