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

/** The name of a scenario in that of its folder, which has the time as well. */
const scenarioOf = (name: string): string =>
  name.replace(/-\d{4}-\d{2}-\d{2}T.*$/s, '').replace('server-', '');

/** The checks that failed, each with its scenario. */
async function failing(folder: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('checks.json'));
  const found = await Promise.all(
    files.map(async (name) => {
      const checks = JSON.parse(await readFile(join(folder, name), 'utf8')) as Check[];
      return checks
        .filter(({ status }) => status === 'FAILURE')
        .map(({ id }) => (id === scenarioOf(name) ? id : `${scenarioOf(name)}: ${id}`));
    }),
  );
  return found.flat().sort();
}

/** The checks that fail, by the reason. The suite is for servers that have its own tools, resources and prompts. */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  'calls a tool of the suite': [
    ...['audio', 'elicitation', 'embedded-resource', 'error', 'image', 'mixed-content', 'sampling'].map(
      (name) => `tools-call-${name}`,
    ),
    ...['simple-text', 'with-logging', 'with-progress'].map((name) => `tools-call-${name}`),
    'elicitation-sep1034-defaults: elicitation-sep1034-general',
    'elicitation-sep1330-enums: elicitation-sep1330-general',
    'json-schema-2020-12: json-schema-2020-12-tool-found',
    ...[
      ...['decode-base64', 'no-xmcp-tool', 'reject-invalid-param-chars'],
      ...['reject-param-mismatch', 'validate-param-match'],
    ].map((check) => `http-custom-header-server-validation: sep-2243-server-${check}`),
    ...[
      ...[
        'basic-elicitation: sep-2322-elicitation-incomplete',
        'basic-sampling: sep-2322-sampling-incomplete',
      ],
      ...['basic-list-roots: sep-2322-list-roots-incomplete', 'multi-round: sep-2322-multi-round-r1'],
      ...[
        'capability-check: sep-2322-respect-client-capabilities',
        'request-state: sep-2322-request-state-incomplete',
      ],
      ...[
        'multiple-input-requests: sep-2322-multiple-inputs-incomplete',
        'result-type: sep-2322-result-type-included',
      ],
      'tampered-state: sep-2322-reject-tampered-state',
    ].map((check) => `input-required-result-${check}`),
    ...[
      ...['http-server-no-independent-requests-on-stream', 'missing-capability-http-400'],
      ...['server-no-log-without-loglevel', 'server-rejects-undeclared-capability'],
    ].map((check) => `server-stateless: sep-2575-${check}`),
  ],
  'reads a resource of the suite': [
    'resources-read-binary',
    'resources-read-text',
    'resources-templates-read',
  ],
  'needs prompts, which this server does not announce': [
    ...[
      'prompts-get-embedded-resource',
      'prompts-get-simple',
      'prompts-get-with-args',
      'prompts-get-with-image',
    ],
    ...['prompts-list', 'caching: sep-2549-prompts-list-caching-hints'],
    'input-required-result-non-tool-request: sep-2322-non-tool-incomplete',
  ],
  'needs another capability that this server does not announce': [
    ...['completion-complete', 'logging-set-level', 'resources-subscribe', 'resources-unsubscribe'],
  ],
};
/** Of extensions of the protocol that this server does not have: tasks and skills. */
const extensions = /^(?:tasks|sep-2640-skills)-/;

interface Listed {
  readonly kind: string;
  readonly name: string;
  readonly versions: readonly string[];
}

/** Every scenario that the suite has. */
async function scenarios(): Promise<Listed[]> {
  const { told } = await Conformance.start(['list']).ended();
  return told.split(/\n(?=\S)/).flatMap((section) => {
    const [kind = ''] = section.split(' scenarios');
    return [...section.matchAll(/^ {2}- (\S+) \[(\S+)\]$/gm)].map(([, name = '', versions = '']) => ({
      ...{ kind, name, versions: versions.split(',') },
    }));
  });
}

const revisions = ['2025-11-25', '2026-07-28'];

test.each(revisions)(
  'every scenario of the conformance suite for servers of %s passes, but for the checks that are named here',
  async (revision) => {
    const folder = join(results, revision);
    const { told } = await Conformance.start([
      ...['server', '--url', `${proxied.url}/mcp`, '--spec-version', revision],
      ...['--suite', 'all', '--output-dir', folder],
    ]).ended();
    expect(told).toContain('Total:');
    const wanted = (await scenarios()).filter(
      ({ kind, versions }) => kind === 'Server' && versions.includes(revision),
    );
    const ran = (await readdir(folder)).map(scenarioOf);
    expect(ran.sort()).toEqual(wanted.map(({ name }) => name).sort());
    const named = Object.values(exceptions).flat();
    const failed = await failing(folder);
    expect(failed.filter((check) => !named.includes(check))).toEqual([]);
    const isHere = (check: string): boolean => ran.includes(check.split(':')[0] ?? '');
    expect(named.filter((check) => isHere(check) && !failed.includes(check))).toEqual([]);
  },
  120_000,
);

test('every other scenario of the suite is for a part that this server has not, or tests something else', async () => {
  const others = (await scenarios()).filter(
    ({ kind, versions }) => !(kind === 'Server' && revisions.some((one) => versions.includes(one))),
  );
  const names = (wanted: string): string[] =>
    others.filter(({ kind }) => kind === wanted).map(({ name }) => name);
  expect([...new Set(others.map(({ kind }) => kind))]).toEqual(['Server', 'Client', 'Authorization server']);
  expect(names('Server').filter((name) => !extensions.test(name))).toEqual([]);
  // They run in `oauth/mcp-conformance.test.ts`.
  expect(names('Authorization server')).toEqual([
    ...['authorization-server-metadata-endpoint', 'authorization-code-grant'],
  ]);
});
