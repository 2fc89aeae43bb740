import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/oauth.md'), 'utf8');

/** The rows of the page's tables, without their heads. */
const rows = page
  .split('\n')
  .filter((line) => /^\| (?!standard |-)/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

const namesIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

describe('the page about standards', () => {
  test('has tables', () => {
    expect(rows.length).toBeGreaterThan(20);
  });

  test.each(rows)('of %s names code and tests that exist', (_standard, supported, ...places) => {
    expect(supported).not.toBe('');
    const [where, tests] = places.map(namesIn);
    expect(where).not.toEqual([]);
    expect(tests).not.toEqual([]);
    const files = [
      ...(where ?? []).map((name) => join('src/oauth', name)),
      ...(tests ?? []).map((name) => join('test', name)),
    ];
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    expect((tests ?? []).filter((name) => !name.endsWith('.test.ts'))).toEqual([]);
  });
});
