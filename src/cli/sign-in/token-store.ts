import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { CommandError } from '../../core/command-error.js';

const shape = z.object({ server: z.string(), user: z.string(), refreshToken: z.string() });

/** The signed-in person at one server. */
export type SignIn = z.infer<typeof shape>;

const lockPatienceMs = 15_000;

/** One file for each server, which only its owner can read. */
export class TokenStore {
  readonly path: string;
  private readonly folder: string;

  constructor(server: string, env: NodeJS.ProcessEnv = process.env) {
    const base = env.XDG_CONFIG_HOME ?? '';
    this.folder = join(base === '' ? join(homedir(), '.config') : base, 'behalf');
    this.path = join(this.folder, `${server.replace(/[^a-z0-9.]+/gi, '-')}.json`);
  }

  async read(): Promise<SignIn | undefined> {
    try {
      const parsed = shape.safeParse(JSON.parse(await readFile(this.path, 'utf8')));
      return parsed.success ? parsed.data : undefined;
    } catch {
      return undefined;
    }
  }

  /** Writes the whole file or nothing: a torn file would lose the refresh token. */
  async write(signIn: SignIn): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const draft = `${this.path}.${String(process.pid)}`;
    await writeFile(draft, `${JSON.stringify(signIn, null, 2)}\n`, { mode: 0o600 });
    await rename(draft, this.path);
  }

  forget(): Promise<void> {
    return rm(this.path, { force: true });
  }

  /** Lets one command at a time use the refresh token: a second use counts as theft and ends the sign-in. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const lock = `${this.path}.lock`;
    const deadline = Date.now() + 2 * lockPatienceMs;
    while (!(await tryLock(lock))) {
      if (Date.now() > deadline)
        throw new CommandError(`Another command holds ${lock}. Delete it if none runs.`);
      await sleep(50);
    }
    try {
      return await work();
    } finally {
      await rm(lock, { force: true });
    }
  }
}

async function tryLock(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const found = await stat(lock).catch(() => undefined);
    // A command that was ended left the lock behind.
    if (found !== undefined && Date.now() - found.mtimeMs > lockPatienceMs) await rm(lock, { force: true });
    return false;
  }
}
