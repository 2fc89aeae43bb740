import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../../core/command-error.js';

/** Time as a lock sees it. */
export interface LockTiming {
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
  /** Does the work again and again, and keeps no process alive for it. Returns what ends it. */
  readonly every: (ms: number, work: () => Promise<void>) => () => void;
}

const realTiming: LockTiming = {
  now: Date.now,
  wait: sleep,
  every: (ms, work) => {
    const timer = setInterval(() => void work(), ms).unref();
    return () => {
      clearInterval(timer);
    };
  },
};

/** After this time without a sign of life, the command that holds a lock has been ended. */
const staleMs = 15_000;
const signOfLifeMs = 3_000;
const patienceMs = 30_000;
const turnMs = 50;

/** Only one command at a time works under the lock, for as long as it takes. Throws where another goes on working. */
export async function alone<T>(lock: string, work: () => Promise<T>, timing = realTiming): Promise<T> {
  const holder = randomUUID();
  const deadline = timing.now() + patienceMs;
  while (!(await taken(lock, holder, timing))) {
    if (timing.now() > deadline)
      throw new CommandError(`Another command holds ${lock}. Try again when it has ended.`);
    await timing.wait(turnMs);
  }
  const end = timing.every(signOfLifeMs, async () => {
    if ((await holderOf(lock)) === holder) await showLife(lock, timing);
  });
  try {
    return await work();
  } finally {
    end();
    await release(lock, holder);
  }
}

async function taken(lock: string, holder: string, timing: LockTiming): Promise<boolean> {
  try {
    await writeFile(lock, holder, { flag: 'wx', mode: 0o600 });
    await showLife(lock, timing);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const [other, found] = await Promise.all([holderOf(lock), stat(lock).catch(() => undefined)]);
    if (other !== undefined && found !== undefined && timing.now() - found.mtimeMs > staleMs)
      await release(lock, other);
    return false;
  }
}

/** Another holder may have come meanwhile, whose lock stays. */
async function release(lock: string, holder: string): Promise<void> {
  if ((await holderOf(lock)) === holder) await rm(lock, { force: true });
}

const holderOf = (lock: string): Promise<string | undefined> => readFile(lock, 'utf8').catch(() => undefined);

async function showLife(lock: string, { now }: LockTiming): Promise<void> {
  const at = now() / 1000;
  // Somebody may have deleted it.
  await utimes(lock, at, at).catch(() => undefined);
}
