import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CommandLine } from './support/command-line.js';

// Each command is a process of its own.
vi.setConfig({ testTimeout: 120_000 });

let cli: CommandLine;
beforeAll(async () => {
  cli = await CommandLine.open();
});
afterAll(() => cli.close());

/** The installed packages that a command has loaded when it ends, as the engine's list of scripts tells. */
async function packagesOf(name: string, ...words: string[]): Promise<Set<string>> {
  const folder = cli.path(name);
  await cli.run(words, { NODE_V8_COVERAGE: folder });
  const urls = readdirSync(folder).flatMap((file) =>
    (JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] }).result.map(
      ({ url }) => url,
    ),
  );
  const names = urls.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]);
  return new Set(names.filter((each) => each !== undefined));
}

describe('a command loads no more than it needs:', () => {
  test.each([
    ['help', '--help'],
    ['help-of-a-command', 'audit', 'search', '--help'],
    ['token', 'token'],
    ['login', 'login', '--password-file', 'none.txt'],
  ])('%s neither opens a database nor reads a schema', async (name, ...words) => {
    const loaded = await packagesOf(name, ...words);
    expect([...loaded].sort()).toEqual(['commander', 'zod']);
  });

  test('what reads the database of SQLite needs no driver of another, and no server', async () => {
    const loaded = await packagesOf('list', 'user', 'list');
    expect(loaded).toContain('typeorm');
    for (const other of ['mysql2', 'graphql', 'fastify', 'oidc-provider', 'yaml', 'markdown-it'])
      expect(loaded).not.toContain(other);
  });
});
