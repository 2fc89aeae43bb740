import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { badInput } from '../core/errors.js';
import type { InputFaults } from '../operator/input-faults.js';

/** A text file of a folder. Paths are joined by `/`. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

const bytesMax = 400_000;

/**
 * The paths of the files below a folder that have one of these endings, in any case, sorted by their characters. Hidden
 * files are left out. A link to a file counts as the file, because all files of a mounted folder may be links. Undefined
 * where there is no such folder.
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
  if (entries === undefined) return undefined;
  const paths: string[] = [];
  for (const entry of entries) {
    const path = relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/');
    if (/(^|\/)\./.test(path)) continue;
    const isFile = entry.isSymbolicLink() ? await linksToFile(folder, path) : entry.isFile();
    if (isFile && endings.some((ending) => path.toLowerCase().endsWith(ending))) paths.push(path);
  }
  return paths.sort((a, b) => (a < b ? -1 : 1));
}

/** Files behind any other link would be missed, and their roles and operations taken away. */
async function linksToFile(folder: string, path: string): Promise<boolean> {
  const found = await stat(join(folder, path)).catch(() => undefined);
  if (found?.isFile() === true) return true;
  throw badInput(
    `${join(folder, path)} is a link that leads to no file: put the file, or the folder itself, there.`,
  );
}

/** A file as text, every byte kept. Undefined, with the fault reported, where it is too large or no UTF-8. */
export async function readText(
  folder: string,
  path: string,
  name: string,
  faults: InputFaults,
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
