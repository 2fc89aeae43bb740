import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This program's version, from the nearest package.json above this file. */
export function version(from = dirname(fileURLToPath(import.meta.url))): string {
  const path = join(from, 'package.json');
  if (existsSync(path)) return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
  const parent = dirname(from);
  if (parent === from) throw new Error('package.json is missing.');
  return version(parent);
}
