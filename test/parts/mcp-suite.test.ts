// databases: sqlite, mariadb
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Conformance, type Check } from '../support/conformance.js';
import { TestServer } from '../support/server.js';
import { tokenProxy } from '../support/token-proxy.js';

let server: TestServer;
let proxied: { readonly url: string; readonly proxy: Server };
let results: string;
beforeAll(async () => {
  server = await TestServer.start();
  const scopes = ['customers:read', 'documents:read'];
  const person = await server.person({ scopes });
  const agent = await server.agent(person, { scopes });
  const token = await server.token(person.id, agent.delegationId, scopes, '/mcp');
  proxied = await tokenProxy(server.url, token);
  results = await mkdtemp(join(tmpdir(), 'behalf-mcp-'));
});
afterAll(async () => {
  proxied.proxy.close();
  await server.stop();
  await rm(results, { recursive: true, force: true });
});

/** Scenarios that failed, without their times. */
async function failing(folder: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('checks.json'));
  const found = await Promise.all(
    files.map(async (name) => {
      const checks = JSON.parse(await readFile(join(folder, name), 'utf8')) as Check[];
      const [scenario = ''] = name.split(/-\d{4}-\d{2}-\d{2}T/);
      return checks
        .filter(({ status }) => status === 'FAILURE')
        .map(({ id }) => `${scenario.replace('server-', '')}: ${id}`);
    }),
  );
  return found.flat().sort();
}

/** The suite calls these tools, resources and prompts by name: a server made for it has them, and this one has not. */
const madeForSuite =
  /^(tools-call-(?!simple)|tools-call-simple-text|resources-(read|templates-read)|prompts-|json-schema-2020-12|elicitation-|input-required-result-|http-custom-header)/;
/** Capabilities that this server does not announce: each is refused with `Method not found`, as the protocol says. */
const notAnnounced = [
  ...['completion-complete: completion-complete', 'logging-set-level: logging-set-level'],
  ...['resources-subscribe: resources-subscribe', 'resources-unsubscribe: resources-unsubscribe'],
  'caching: sep-2549-prompts-list-caching-hints',
];
/** Checks that say themselves that they need a tool of the suite. */
const needsToolOfSuite = [
  'http-server-no-independent-requests-on-stream',
  'missing-capability-http-400',
  'server-no-log-without-loglevel',
  'server-rejects-undeclared-capability',
].map((check) => `server-stateless: sep-2575-${check}`);

test.each(['2025-11-25', '2026-07-28'])(
  'the scenarios of the conformance suite for servers of %s pass, but for those that need a server made for it',
  async (revision) => {
    const suite = Conformance.start([
      ...['server', '--url', `${proxied.url}/mcp`, '--spec-version', revision],
      ...['--suite', 'all', '--output-dir', join(results, revision)],
    ]);
    const { told } = await suite.ended();
    expect(told).toContain('Total:');
    const exceptions = new Set([...notAnnounced, ...needsToolOfSuite]);
    const others = (await failing(join(results, revision))).filter(
      (failed) => !madeForSuite.test(failed) && !exceptions.has(failed),
    );
    expect(others).toEqual([]);
  },
  120_000,
);
