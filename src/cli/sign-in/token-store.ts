import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Hex } from '../../core/digest.js';
import { alone, type LockTiming } from './file-lock.js';

const shape = z.object({ server: z.string(), user: z.string(), refreshToken: z.string() });

/** The person, or the client, that is signed in at one server. */
export type SignIn = z.infer<typeof shape>;

/** Characters of a file's name that say what it is for. */
const readableMax = 100;

/** One file for each server, or for each client there, which only its owner can read. */
export class TokenStore {
  readonly path: string;
  private readonly folder: string;
  /** Files had this name before. Other servers and clients may have the same. */
  private readonly earlierPath: string;

  /** @param client of the program whose tokens these are; default: the command line itself */
  constructor(
    private readonly server: string,
    private readonly client?: string,
    env: NodeJS.ProcessEnv = process.env,
    private readonly timing?: LockTiming,
  ) {
    const base = env.XDG_CONFIG_HOME ?? '';
    this.folder = join(base === '' ? join(homedir(), '.config') : base, 'behalf');
    const whole = client === undefined ? server : `${server}/mcp ${client}`;
    const readable = whole.replace(/[^a-z0-9.]+/gi, '-');
    this.path = join(this.folder, `${readable.slice(0, readableMax)}-${sha256Hex(whole).slice(0, 32)}.json`);
    this.earlierPath = join(this.folder, `${readable}.json`);
  }

  async read(): Promise<SignIn | undefined> {
    return (await this.readAt(this.path)) ?? this.readAt(this.earlierPath);
  }

  /** Undefined for a file of another server or client: its refresh token may not be sent to this one. */
  private async readAt(path: string): Promise<SignIn | undefined> {
    try {
      const { success, data } = shape.safeParse(JSON.parse(await readFile(path, 'utf8')));
      if (!success || data.server !== this.server) return undefined;
      return this.client === undefined || data.user === this.client ? data : undefined;
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
    await this.forgetEarlier();
  }

  async forget(): Promise<void> {
    await rm(this.path, { force: true });
    await this.forgetEarlier();
  }

  private async forgetEarlier(): Promise<void> {
    if ((await this.readAt(this.earlierPath)) !== undefined) await rm(this.earlierPath, { force: true });
  }

  /**
   * Lets one command at a time sign in or use the refresh token: a second use counts as theft and ends the sign-in.
   */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    return alone(`${this.path}.lock`, work, this.timing);
  }
}
