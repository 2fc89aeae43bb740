import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const built = pathToFileURL(join(root, 'dist/src/oauth/library/oidc-provider.js')).href;
const told = async (script: string): Promise<string> =>
  (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])).stderr;

describe('31 a start on a supported Node warns of nothing', () => {
  test('loading the authorization server is quiet, and what is warned of afterwards is told', async () => {
    expect(await told(`await import('${built}')`)).toBe('');
    expect(await told(`await import('${built}'); console.warn('a line of', 2)`)).toBe('a line of 2\n');
    const notice = 'oidc-provider WARNING: Unsupported runtime. Told later.';
    expect(await told(`await import('${built}'); console.warn('${notice}')`)).toBe(`${notice}\n`);
  });

  test('nobody loads the library past that', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
    const past = files
      .filter((file) => file.endsWith('.ts') && file !== join('oauth', 'library', 'oidc-provider.ts'))
      .filter((file) =>
        /import \{[^}]*\} from 'oidc-provider'/.test(readFileSync(join(root, 'src', file), 'utf8')),
      );
    expect(past).toEqual([]);
  });
});
