import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { badInput } from '../core/errors.js';
import type { Faults } from '../import/import-faults.js';

/** A text file of a folder. Paths are joined by `/`. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

const bytesMax = 400_000;

/**
 * Paths of files below a folder by their endings, in the order of their characters, without hidden files and links.
 * Undefined where there is no such folder.
 */
export async function pathsBelow(
  folder: string,
  ...endings: readonly string[]
): Promise<string[] | undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw badInput(`${folder} cannot be read as a folder: ${String(code)}.`);
  });
  return entries
    ?.filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !/(^|\/)\./.test(path))
    .sort((a, b) => (a < b ? -1 : 1));
}

/** A file as text, every byte kept. Undefined, with the fault reported, where it is too large or no UTF-8. */
export async function readText(
  folder: string,
  path: string,
  name: string,
  faults: Faults,
): Promise<TextFile | undefined> {
  const file = join(folder, path);
  if ((await stat(file)).size > bytesMax) {
    faults.add({ file: name, reason: `The file is larger than ${String(bytesMax)} bytes.` });
    return undefined;
  }
  try {
    // A byte order mark stays: it counts for the hash of a document.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file));
    return { path: name, text };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    faults.add({ file: name, reason: 'The file is not UTF-8.' });
    return undefined;
  }
}
