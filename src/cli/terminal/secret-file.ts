import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CommandError } from '../../core/command-error.js';

type Write = (path: string, text: string) => void;

/**
 * Makes new files that only their owner can read, never over others, before `work` makes their secrets: no secret is
 * made that could not be stored. Removes the files where `work` fails.
 */
export async function withSecretFiles<T>(
  paths: readonly string[],
  work: (write: Write) => Promise<T>,
): Promise<T> {
  const made: string[] = [];
  try {
    for (const path of paths) {
      reserve(path);
      made.push(path);
    }
    return await work((path, text) => {
      writeFileSync(path, text);
    });
  } catch (error) {
    for (const path of made) rmSync(path, { force: true });
    throw error;
  }
}

function reserve(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CommandError(`${path} is there already. Move it away, or name another file.`, { cause: error });
  }
}

export interface SecretTold {
  /** For JSON: the secret, or the file that holds it. */
  readonly json: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Gives out the one secret that `work` makes: in `file` if given, otherwise in the answer. */
export async function handingOver<T>(
  what: 'password' | 'secret',
  file: string | undefined,
  work: (keep: (secret: string) => void) => Promise<T>,
): Promise<SecretTold> {
  const word = what === 'password' ? 'Password' : 'Secret';
  let told: SecretTold = { json: {}, text: `${word}: none` };
  await withSecretFiles(file === undefined ? [] : [file], (write) =>
    work((secret) => {
      if (file === undefined) {
        told = { json: { [what]: secret }, text: `${word}: ${secret}` };
        return;
      }
      write(file, `${secret}\n`);
      told = { json: { [`${what}File`]: file }, text: `${word}: in ${file}` };
    }),
  );
  return told;
}
