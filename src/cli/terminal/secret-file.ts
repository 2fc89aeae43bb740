import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CommandError } from './errors.js';

/** Writes a new file that only its owner can read. Never over another. */
export function writeSecretFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CommandError(`${path} is there already. Move it away, or name another file.`, { cause: error });
  }
}

/** Writes several, and none where one fails. Returns what takes them away again. */
export function writeSecretFiles(files: ReadonlyMap<string, string>): () => void {
  const written: string[] = [];
  const undo = (): void => {
    for (const path of written) rmSync(path, { force: true });
  };
  try {
    for (const [path, text] of files) {
      writeSecretFile(path, text);
      written.push(path);
    }
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}
