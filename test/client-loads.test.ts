import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesBelow, root } from './support/imports.js';

/** The scripts that a process has loaded when it ends, from the root of the project, as the engine's list tells. */
function scriptsOf(code: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'behalf-client-'));
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: folder };
    execFileSync(process.execPath, ['--input-type=module', '--eval', code], { cwd: root, env });
    const prefix = new URL(`file://${root}/`).href;
    return readdirSync(folder)
      .map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] })
      .flatMap(({ result }) => result.map(({ url }) => url))
      .filter((url) => url.startsWith(prefix))
      .map((url) => url.slice(prefix.length));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('behalf/client loads nothing of the server, and of its packages what it needs', () => {
  const scripts = scriptsOf("import { agentClient } from 'behalf/client'; agentClient.name").filter(
    (path) => !path.startsWith('[eval'),
  );
  expect(scripts).toContain('dist/src/client/agent-client.js');
  const own = ['dist/src/client/', 'node_modules/oauth4webapi/', 'node_modules/graphql/'];
  expect(scripts.filter((path) => !own.some((prefix) => path.startsWith(prefix)))).toEqual([]);
  expect(scripts.filter((path) => path.startsWith('node_modules/graphql/execution/'))).toEqual([]);
});

test('behalf/client needs nothing that a browser lacks', () => {
  const texts = filesBelow('src/client').map((file) => readFileSync(join(root, file), 'utf8'));
  expect(texts.length).toBeGreaterThan(5);
  expect(texts.filter((text) => /['"]node:|\bprocess\.|\bBuffer\b/.test(text))).toEqual([]);
});
